//! The authorization code flow over raw HTTP, as browsers and apps walk it: what it leads to, what nobody gets by it, and
//! how what was allowed ends.
//!
//! - [`flow`]: a user allows, an app gets tokens
//! - [`attacks`]: what RFC 9700 warns of
//! - [`refreshing`]: refresh tokens, also from many at a time
//! - [`ending`]: revocation, introspection, and all that ends what was allowed
//! - [`nodes`]: what ended on one node is over on every other
//! - [`acting`]: what the audit trail says of an app that acts for a user
//! - [`governing`]: what an administrator says of an app
//! - [`pushing`]: requests that are pushed first
//! - [`assertions`]: apps that authenticate with what they sign, and [`forging`]: what nobody gets by an assertion

mod acting;
mod assertions;
mod attacks;
mod ending;
mod flow;
mod forging;
mod governing;
mod nodes;
mod pushing;
mod refreshing;

use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, PASSWORD, Tab, Tenancy, TestServer};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const REDIRECT: &str = "https://partner.example/callback";
const EMAIL: &str = "ada@example.com";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0";
const STATE: &str = "a state & more";

/// A tenant with an app, and somebody in it who is not signed in yet.
pub(super) struct Scene {
    pub(super) server: TestServer,
    tenancy: Tenancy,
    pub(super) client_id: String,
    client_secret: String,
    tab: Tab,
}

/// The tokens of an answer.
#[derive(Clone, Debug)]
struct Tokens {
    access: String,
    refresh: String,
    scope: String,
}

impl Scene {
    pub(super) async fn new(server: TestServer) -> Self {
        let tenancy = server.tenant().await;
        server.person(&tenancy.tenant_id, EMAIL).await;
        let app = register(&tenancy, &json!({})).await;
        let (client_id, client_secret) = (text(&app, "client_id"), text(&app, "client_secret"));
        let tab = Tab::new(&server);
        Self { tenancy, client_id, client_secret, tab, server }
    }

    /// The same with somebody who is signed in.
    async fn signed_in(server: TestServer) -> Self {
        let mut scene = Self::new(server).await;
        scene.tab.sign_in(EMAIL, PASSWORD).await.expect(303);
        scene
    }

    /// The parameters of a request, with changes.
    pub(super) fn request(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let usual = [
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", REDIRECT),
            ("scope", "argus:jobs:read"),
            ("state", STATE),
            ("code_challenge", &challenge(VERIFIER)),
            ("code_challenge_method", "S256"),
        ];
        let mut parameters: BTreeMap<&str, &str> = usual.into();
        parameters.extend(changes.iter().copied());
        // An empty one is left out.
        let given = parameters.into_iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn query(&self, changes: &[(&str, &str)]) -> String {
        serde_urlencoded::to_string(self.request(changes)).unwrap()
    }

    async fn authorize(&mut self, changes: &[(&str, &str)]) -> Answer {
        let path = format!("/v1/oauth/authorize?{}", self.query(changes));
        self.tab.get(&path).await
    }

    /// Lets the app do what it asks for; where the browser is sent.
    async fn allow(&mut self, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut answer = self.authorize(changes).await.expect(302);
        if answer.header("location").starts_with("/consent?") {
            let consent = answer.header("location").to_owned();
            self.tab.get(&consent).await.expect(200);
            answer = self.tab.post(&consent, &[("decision", "allow")]).await.expect(303);
        }
        sent_back(&answer, REDIRECT)
    }

    /// A code that the user has allowed.
    async fn code(&mut self) -> String {
        self.allow(&[]).await["code"].clone()
    }

    /// Asks for a token as the app.
    async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.server.token_request(form, Some((&self.client_id, &self.client_secret))).await
    }

    async fn exchange(&self, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.token(&form).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The tokens of a user who has allowed.
    async fn tokens(&mut self) -> Tokens {
        let code = self.code().await;
        tokens(&self.exchange(&code).await)
    }

    /// Posts a form to an endpoint of the app's.
    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .server
            .request(argus_openapi::Host::Auth, http::Method::POST, path)
            .basic_auth(&self.client_id, Some(&self.client_secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(serde_urlencoded::to_string(form).unwrap());
        self.server.send(request).await
    }

    async fn introspect(&self, token: &str) -> Value {
        self.post("/v1/oauth/introspect", &[("token", token)]).await.expect(200).json()
    }
}

/// Registers an app that may use codes, with changes.
async fn register(tenancy: &Tenancy, changes: &Value) -> Value {
    let mut registration = json!({
        "name": "An app", "grant_types": ["authorization_code"], "redirect_uris": [REDIRECT],
        "requested_scopes": [Scope::JobsRead, Scope::JobsWrite, Scope::ProfilesRead],
    });
    for (name, value) in changes.as_object().unwrap() {
        registration[name] = value.clone();
    }
    tenancy.post("/v1/platform/apps", &registration).await.expect(201).json()
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// What a browser brings to a redirect URI.
#[track_caller]
fn sent_back(answer: &Answer, redirect_uri: &str) -> BTreeMap<String, String> {
    let location = answer.header("location");
    let (uri, query) = location.split_once('?').unwrap_or((location, ""));
    assert!([302, 303].contains(&answer.status.as_u16()), "{answer:?}");
    assert_eq!(uri, redirect_uri, "{answer:?}");
    serde_urlencoded::from_str(query).unwrap()
}

#[track_caller]
fn tokens(answer: &Answer) -> Tokens {
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let [access, refresh, scope] =
        ["access_token", "refresh_token", "scope"].map(|member| answer.text(member));
    Tokens { access, refresh, scope }
}

/// What a token says, unverified.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[track_caller]
fn assert_invalid_grant(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text("error").as_str()), (400, "invalid_grant"), "{answer:?}");
}
