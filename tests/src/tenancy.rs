//! Tenants, apps and their tokens, all made over HTTP.

use crate::{Answer, Reach, TestServer};
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
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
    /// The tenant that it belongs to.
    pub tenancy: Tenancy,
    /// OAuth client identifier.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
    /// Signs the callbacks of its jobs.
    pub callback_secret: String,
}

impl TestServer {
    /// A token of the operator: metrics and bootstrap.
    pub fn operator_token(&self) -> String {
        self.sign(&self.claims(Host::Auth, "tnt_of_the_operator", &[Scope::InternalOperate]))
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

    /// An app of a new tenant that may use client credentials.
    pub async fn app(&self, scopes: &[Scope]) -> AppCredentials {
        self.tenant().await.app(scopes).await
    }

    /// Somebody in a new tenant with exactly these scopes on a host.
    pub async fn caller(&self, host: Host, scopes: &[Scope]) -> Caller {
        let tenancy = self.tenant().await;
        let mut claims = self.claims(host, &tenancy.tenant_id, scopes);
        claims.organization_id.clone_from(&tenancy.organization_id);
        Caller { host, token: self.sign(&claims), tenancy }
    }
}

/// Somebody with a token for one host.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where the token is good.
    pub host: Host,
    /// The token.
    pub token: String,
    /// The tenant of the token.
    pub tenancy: Tenancy,
}

impl Caller {
    /// The same caller before another node.
    #[must_use]
    pub fn at(&self, reach: &Reach) -> Self {
        Self { tenancy: Tenancy { reach: reach.clone(), ..self.tenancy.clone() }, ..self.clone() }
    }

    /// A request with the token, to build upon.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.tenancy.reach.request(self.host, method, path).bearer_auth(&self.token)
    }

    /// Sends a request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.tenancy.reach.send(request).await
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }
}

impl Tenancy {
    /// The server that it is on.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

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
        let pending = &created.json()["pending_scopes"];
        if pending.as_array().is_some_and(|pending| !pending.is_empty()) {
            self.govern(&created.text("client_id"), &json!({"approve_scopes": pending})).await.expect(200);
        }
        AppCredentials {
            tenancy: self.clone(),
            client_id: created.text("client_id"),
            client_secret: created.text("client_secret"),
            callback_secret: created.text("callback_secret"),
        }
    }
}

impl AppCredentials {
    /// Client id and secret, as HTTP Basic takes them.
    pub fn basic(&self) -> Option<(&str, &str)> {
        Some((&self.client_id, &self.client_secret))
    }

    /// The path of something of the app.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/platform/apps/{}{below}", self.client_id)
    }

    /// A sandbox token, pinned to scenarios.
    pub async fn sandbox_token(&self, scenarios: &[&str]) -> String {
        let body = json!({"scenarios": scenarios});
        self.tenancy.post(&self.path("/sandbox-token"), &body).await.expect(200).text("token")
    }

    /// A live token; with all of its scopes when none is named.
    pub async fn live_token(&self, scopes: &[Scope]) -> String {
        let scope: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let scope = scope.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        self.tenancy.reach.token_request(&form, self.basic()).await.expect(200).text("access_token")
    }
}

/// A registration that is approved for these scopes.
fn registration(scopes: &[Scope]) -> Value {
    json!({"name": "Case sync connector", "grant_types": ["client_credentials"], "requested_scopes": scopes})
}
