//! Tenants, apps and their tokens, all made over HTTP.

use crate::{Answer, Reach, TestServer, claims};
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_partner::claims::AUDIENCE_LIVE;
use http::Method;
use serde_json::{Value, json};

/// A tenant with its administrator's token.
#[derive(Clone, Debug)]
pub struct Tenancy {
    reach: Reach,
    /// Identifier of the tenant.
    pub tenant_id: String,
    /// Identifier of its organisation.
    pub organization_id: String,
    /// A live token with `argus:platform:admin`.
    pub admin_token: String,
}

/// An app with its secret.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// OAuth client identifier.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl TestServer {
    /// A token of the operator: metrics and bootstrap.
    pub fn operator_token(&self) -> String {
        self.sign(&claims(AUDIENCE_LIVE, "tnt_of_the_operator", &[Scope::InternalOperate]))
    }

    /// A new tenant.
    pub async fn tenant(&self) -> Tenancy {
        let body = json!({"name": "Example tenant"});
        let created =
            self.post(Host::Auth, "/internal/tenants", &self.operator_token(), &body).await.expect(201);
        Tenancy {
            reach: Reach::clone(self),
            tenant_id: created.text("tenant_id"),
            organization_id: created.text("organization_id"),
            admin_token: created.json()["admin_token"]["token"].as_str().unwrap().to_owned(),
        }
    }
}

impl Tenancy {
    /// The tenant of credentials that came from elsewhere.
    pub fn known(reach: &Reach, tenant_id: &str, admin_token: &str) -> Self {
        Self {
            reach: reach.clone(),
            tenant_id: tenant_id.to_owned(),
            organization_id: String::new(),
            admin_token: admin_token.to_owned(),
        }
    }

    /// Asks the auth host as the administrator.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.reach.post(Host::Auth, path, &self.admin_token, body).await
    }

    /// Asks the auth host as the administrator, without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.reach.bare(Host::Auth, Method::POST, path, &self.admin_token).await
    }

    /// Reads from the auth host as the administrator.
    pub async fn get(&self, path: &str) -> Answer {
        self.reach.get(Host::Auth, path, Some(&self.admin_token)).await
    }

    /// Changes the governance of an app.
    pub async fn govern(&self, client_id: &str, change: &Value) -> Answer {
        let path = format!("/v1/platform/apps/{client_id}/governance");
        self.reach.json(Host::Auth, Method::PATCH, &path, &self.admin_token, change).await
    }

    /// Registers an app that may use client credentials.
    pub async fn app(&self, scopes: &[Scope]) -> AppCredentials {
        let created = self.post("/v1/platform/apps", &registration(scopes)).await.expect(201);
        AppCredentials { client_id: created.text("client_id"), client_secret: created.text("client_secret") }
    }

    /// A sandbox token of an app, pinned to scenarios.
    pub async fn sandbox_token(&self, app: &AppCredentials, scenarios: &[&str]) -> String {
        let path = format!("/v1/platform/apps/{}/sandbox-token", app.client_id);
        self.post(&path, &json!({"scenarios": scenarios})).await.expect(200).text("token")
    }

    /// A live token of an app; all of its scopes when none is named.
    pub async fn live_token(&self, app: &AppCredentials, scopes: &[Scope]) -> String {
        let scope: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let scope = scope.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let basic = Some((app.client_id.as_str(), app.client_secret.as_str()));
        self.reach.token_request(&form, basic).await.expect(200).text("access_token")
    }
}

/// A registration that is approved for these scopes.
fn registration(scopes: &[Scope]) -> Value {
    json!({"name": "Case sync connector", "grant_types": ["client_credentials"], "requested_scopes": scopes})
}
