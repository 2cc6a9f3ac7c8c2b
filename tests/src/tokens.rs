//! Tokens that no route mints: with chosen claims, signed by the server's own key, and forged ones.

use crate::{TestServer, sql};
use argus_core::context::Context;
use argus_core::deliveries::signing_secrets::{self, PURPOSE};
use argus_core::{audit, tenants};
use argus_openapi::Host;
use argus_openapi::graphql::Bundles;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;
use argus_partner::claims::{AUDIENCE_LIVE, AUDIENCE_SANDBOX, Claims};
use argus_partner::store::apps::{AppRow, insert};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use std::path::Path;

/// The audience of a host's tokens.
pub fn audience(host: Host) -> &'static str {
    if host == Host::Sandbox { AUDIENCE_SANDBOX } else { AUDIENCE_LIVE }
}

/// Claims of a token for `audience`, valid for an hour, of the tenant `tenant_id`.
pub fn claims(audience: &str, tenant_id: &str, scopes: &[Scope]) -> Claims {
    claims_at(Utc::now(), audience, tenant_id, scopes)
}

fn claims_at(now: DateTime<Utc>, audience: &str, tenant_id: &str, scopes: &[Scope]) -> Claims {
    let now = now.timestamp();
    let scope: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    Claims {
        iss: Host::Auth.public_url().to_owned(),
        sub: "app_of_a_test".to_owned(),
        aud: audience.to_owned(),
        exp: now + 3600,
        iat: now,
        nbf: None,
        jti: "01J00000000000000000000000".to_owned(),
        client_id: "app_of_a_test".to_owned(),
        scope: scope.join(" "),
        tenant_id: tenant_id.to_owned(),
        organization_id: "org_of_a_test".to_owned(),
        secrecy_level: SecrecyLevel::default(),
        sid: None,
        scenarios: (audience == AUDIENCE_SANDBOX).then(Vec::new),
    }
}

impl TestServer {
    /// As [`claims`], by the server's own clock.
    pub fn claims(&self, host: Host, tenant_id: &str, scopes: &[Scope]) -> Claims {
        claims_at(self.state().clock.now(), audience(host), tenant_id, scopes)
    }

    /// A token with these claims, signed by the server's key.
    pub fn sign(&self, claims: &Claims) -> String {
        self.state().identity.keys().sign(claims).unwrap()
    }

    /// Gives the app of [`claims`], which was never registered, a secret for the callbacks of its jobs, unless it has
    /// one.
    pub async fn put_callback_secret(&self, tenant_id: &str) {
        let app = self.state();
        let claims = claims(audience(Host::Api), tenant_id, &[]);
        let sealed =
            app.identity.envelope().seal(PURPOSE, &claims.client_id, "a secret for callbacks").unwrap();
        let organization_id = claims.organization_id.parse().unwrap();
        let context = Context::of_operator(tenant_id.parse().unwrap(), organization_id, app.clock.clone());
        let put = app
            .database
            .requests
            .write(&context, move |tx| signing_secrets::replace(tx, &claims.client_id, &sealed, 0));
        put.await.unwrap();
    }

    /// Registers the app of [`claims`] in a tenant, and in no other any more, with every bundle that ships.
    pub async fn put_app(&self, tenant_id: &str) {
        let (app, claims) = (self.state(), claims(audience(Host::Api), tenant_id, &[]));
        let tenant = tenants::view(&app.database.requests, &tenant_id.parse().unwrap()).await.unwrap();
        let bundles: Vec<String> = Bundles::shipped().iter().map(|bundle| bundle.id.to_string()).collect();
        let now = app.clock.timestamp();
        let row = AppRow {
            client_id: claims.client_id.parse().unwrap(),
            tenant_id: tenant.tenant_id.clone(),
            organization_id: tenant.organization_id.clone(),
            name: "App".to_owned(),
            grant_types: "[]".to_owned(),
            redirect_uris: "[]".to_owned(),
            approved_scopes: "[]".to_owned(),
            pending_scopes: "[]".to_owned(),
            allow_service_tokens: false,
            enforce_pkce: true,
            approved_bundles: serde_json::to_string(&bundles).unwrap(),
            secret_hash: String::new(),
            token_endpoint_auth_method: "client_secret_basic".to_owned(),
            jwks: None,
            is_suspended: false,
            tokens_not_before: None,
            secret_rotated_at: now,
            created_at: now,
        };
        let remove = format!("DELETE FROM apps WHERE client_id = '{}'", claims.client_id);
        sql::execute(&mut self.connect(), &remove).unwrap();
        let operator = tenant.operator(&app.clock);
        let put = app.database.requests.write(&operator, move |tx| {
            insert(tx, &row)?;
            audit::append(tx, "app.create", row.client_id.as_str())
        });
        put.await.unwrap();
    }

    /// Identifier of the key that signs now.
    pub fn kid(&self) -> String {
        self.state().identity.keys().list()[0].kid.clone()
    }
}

/// A compact JWS with this header and these claims; `sign` makes the signature of its input.
pub fn forge(header: &serde_json::Value, claims: &Claims, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    let header = encode(serde_json::to_vec(header).unwrap());
    let payload = encode(serde_json::to_vec(claims).unwrap());
    let message = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A compact JWS of this header and payload, whatever they are, signed by a key of the data directory.
pub fn sign_text(data_dir: &Path, kid: &str, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let pair = private_key(data_dir, kid);
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn private_key(data_dir: &Path, kid: &str) -> RsaKeyPair {
    let private = std::fs::read(data_dir.join("keys").join(format!("{kid}.pem"))).unwrap();
    RsaKeyPair::from_pkcs8(pem::parse(private).unwrap().contents()).unwrap()
}

/// The public key of a data directory's only signing key as PEM (SubjectPublicKeyInfo): what an
/// attacker can build from the published key set.
pub fn public_key_pem(data_dir: &Path, kid: &str) -> String {
    let pair = private_key(data_dir, kid);
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    pem::encode(&pem::Pem::new("PUBLIC KEY", der.as_ref()))
}
