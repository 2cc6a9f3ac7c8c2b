//! The forms of clients: of a token request, with the client's credentials in every place, and of those that name a token.

use super::texts::texts;
use super::{INPUTS, OVER_A_SOCKET, assert_agreed, is_of_the_domain};
use argus_openapi::Host;
use argus_openapi::read::MediaType;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::TokenRequest;
use argus_partner::oauth::{self, Endpoint};
use argus_tests::published::{request_body, resolve, validator};
use argus_tests::{AppCredentials, TestServer};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::LazyLock;

const OPERATION: &str = "oauth_token";

/// Other forms of clients, which name a token.
const OTHERS: [&str; 2] = ["oauth_revoke", "oauth_introspect"];

pub(super) fn is_compared(id: &str) -> bool {
    id == OPERATION || OTHERS.contains(&id)
}

const GRANTS: [&str; 8] = [
    "client_credentials",
    "authorization_code",
    "refresh_token",
    "",
    " client_credentials",
    "Client_credentials",
    "password",
    "null",
];

/// What goes with some grants, or with another way to authenticate, or is known to nobody.
const EXTRAS: [(&str, &str); 9] = [
    ("resource", "ignored"),
    ("resource", ""),
    ("code", "a code"),
    ("refresh_token", "\u{e9}"),
    ("redirect_uri", "\0"),
    ("code_verifier", " "),
    ("client_assertion", "an assertion"),
    ("client_assertion_type", "another type"),
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
];

const SCOPES: [&str; 24] = [
    "",
    "argus:jobs:read",
    "webhooks:write argus:jobs:read",
    " ",
    "  ",
    " argus:jobs:read",
    "argus:jobs:read ",
    "argus:jobs:read  webhooks:write",
    "argus:jobs:read argus:jobs:read",
    "argus:jobs:read\twebhooks:write",
    "argus:jobs:read\nwebhooks:write",
    "ARGUS:JOBS:READ",
    "a",
    "a\"b",
    "a\\b",
    "\0",
    "\u{7f}",
    "\u{e9}",
    "\u{1f5c2}",
    "argus:jobs:read\u{a0}webhooks:write",
    "argus:jobs:write",
    "argus:internal:operate",
    "+",
    "%20",
];

/// A member of the form.
type Field = (&'static str, String);

/// A token request: the `Authorization` header, if there is one, and the form.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Request {
    authorization: Option<String>,
    form: Vec<Field>,
}

/// Ways to say who asks; the last one is wrong.
fn credentials(app: &AppCredentials) -> Vec<Request> {
    let (id, secret) = app.basic().unwrap();
    let basic = |secret: &str| Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}"))));
    let fields = |secret: &str| vec![("client_id", id.to_owned()), ("client_secret", secret.to_owned())];
    let request = |authorization, form| Request { authorization, form };
    vec![
        request(basic(secret), Vec::new()),
        request(basic(secret), vec![("client_id", id.to_owned())]),
        request(None, fields(secret)),
        request(basic(secret), fields(secret)),
        request(None, fields("an attempt that fails")),
    ]
}

/// Different requests: every grant, scope, way to authenticate and parameter that nobody knows, and then each of
/// some with a member that stands twice.
fn requests(app: &AppCredentials) -> Vec<Request> {
    let optional = |name: &'static str, texts: &[&str]| -> Vec<Option<Field>> {
        texts.iter().map(|text| Some((name, (*text).to_owned()))).chain([None]).collect()
    };
    let (grants, scopes) = (optional("grant_type", &GRANTS), optional("scope", &SCOPES));
    let extras = EXTRAS.map(|(name, text)| Some((name, text.to_owned()))).into_iter().chain([None]);
    let extras: Vec<Option<Field>> = extras.collect();
    let mut requests = Vec::new();
    for Request { authorization, form } in credentials(app) {
        for grant in &grants {
            for scope in &scopes {
                for extra in &extras {
                    let fields = [grant, scope, extra].into_iter().flatten().cloned();
                    let form = form.iter().cloned().chain(fields).collect();
                    requests.push(Request { authorization: authorization.clone(), form });
                }
            }
        }
    }
    let twice = requests.iter().step_by(10).filter(|request| !request.form.is_empty()).map(|request| {
        let mut request = request.clone();
        request.form.push(request.form[0].clone());
        request
    });
    let twice: Vec<Request> = twice.collect();
    requests.extend(twice);
    requests
}

impl Request {
    fn body(&self) -> String {
        serde_urlencoded::to_string(&self.form).unwrap()
    }

    /// Whether the form fits the published schema, which knows a member once.
    fn fits(&self) -> bool {
        let members: Map<String, Value> =
            self.form.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let properties = &resolve(request_body(OPERATION).unwrap())["properties"];
        let known = |name: &str| properties.get(name).is_some();
        let once = members.len() == self.form.len()
            || self.form.iter().filter(|(name, _)| known(name)).count()
                == members.keys().filter(|name| known(name)).count();
        once && validator(request_body(OPERATION).unwrap()).is_valid(&members.into())
    }

    /// What the service makes of it, without a socket. The error says why it is refused.
    async fn read(&self, server: &TestServer) -> Result<(), String> {
        let identity = &server.state().identity;
        let form = MediaType::Form.parse::<TokenRequest>(self.body().as_bytes());
        let form = form.map_err(|error| error.message)?;
        let authorization = self.authorization.as_deref();
        let endpoint = Endpoint { base_url: identity.issuer(), path: oauth::TOKEN_PATH };
        let client = oauth::authenticate(identity, endpoint, authorization, &form).await;
        let client = client.map_err(|error| error.to_string())?;
        oauth::token_create(identity, &client, &form).await.map(drop).map_err(|error| error.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_request_is_taken_exactly_if_it_fits_the_published_schema() {
    let server = TestServer::start();
    let app = server.app(&[Scope::JobsRead, Scope::WebhooksWrite]).await;
    let requests = requests(&app);
    let distinct = requests.iter().collect::<HashSet<_>>().len();
    assert!(distinct >= INPUTS, "{distinct} requests");
    let mut taken = 0;
    for (number, request) in requests.iter().enumerate() {
        let (fits, read) = (request.fits(), request.read(&server).await);
        taken += usize::from(read.is_ok());
        let agreed = match &read {
            Ok(()) => fits,
            Err(reason) => !fits || is_of_the_domain(reason),
        };
        assert!(agreed, "{request:?} fits: {fits}, {read:?}");
        if number % OVER_A_SOCKET > 0 {
            continue;
        }
        let sent = server
            .request(Host::Auth, Method::POST, "/v1/oauth/token")
            .header("content-type", MediaType::Form.as_str())
            .body(request.body());
        let sent = match &request.authorization {
            Some(authorization) => sent.header("authorization", authorization),
            None => sent,
        };
        let answer = server.send(sent).await;
        assert_eq!(answer.status == 200, read.is_ok(), "{request:?}\n{answer:?}");
        // Who the client is, is asked before what it wants.
        if answer.status != 401 {
            assert_agreed(&answer, fits, &format!("{request:?}"));
        }
    }
    assert!(taken >= 10 && taken + 100 < distinct, "{taken} of {distinct}");
}

/// How many texts a member has in its turn.
const TEXTS: usize = 700;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_names_a_token_is_taken_exactly_if_it_fits_the_published_schema() {
    let server = TestServer::start();
    let app = server.app(&[Scope::JobsRead]).await;
    for id in OTHERS {
        let path = format!("/v1/oauth/{}", id.trim_start_matches("oauth_"));
        let schema = request_body(id).unwrap();
        let validator = validator(schema);
        let forms = token_references(&resolve(schema)["properties"]);
        assert!(forms.len() >= INPUTS, "{id}: {} forms", forms.len());
        let mut taken = 0;
        for form in &forms {
            let members: Map<String, Value> =
                form.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
            // What nobody knows may stand there twice.
            let is_known = |name: &str| resolve(schema)["properties"].get(name).is_some();
            let once = members.len() == form.len() || !is_known(form[0].0);
            let fits = once && validator.is_valid(&members.into());
            let request = server
                .request(Host::Auth, Method::POST, &path)
                .basic_auth(&app.client_id, Some(&app.client_secret))
                .header("content-type", MediaType::Form.as_str())
                .body(serde_urlencoded::to_string(form).unwrap());
            let answer = server.send(request).await;
            // A token without a value counts as absent.
            let is_missing = answer.status == 400 && answer.text("error_description") == "`token` is missing";
            taken += usize::from(answer.status == 200);
            assert!([200, 400].contains(&answer.status.as_u16()), "{form:?}\n{answer:?}");
            assert!(answer.status == 400 || fits, "taken, and does not fit: {form:?}\n{answer:?}");
            assert!(answer.status == 200 || !fits || is_missing, "refused, and fits: {form:?}\n{answer:?}");
        }
        assert!(taken >= 10 && taken < forms.len(), "{id}: {taken} of {}", forms.len());
    }
}

/// A token with any text for each member and for one that nobody knows, and each of them twice.
fn token_references(properties: &'static Value) -> Vec<Vec<Field>> {
    let mut forms = Vec::new();
    for name in ["token", "token_type_hint", "resource"] {
        static UNKNOWN: LazyLock<Value> = LazyLock::new(|| json!({ "type": "string" }));
        let schema = properties.get(name).unwrap_or(&UNKNOWN);
        let token = (name != "token").then(|| ("token", "a token".to_owned()));
        for text in texts(schema, &["access_token".to_owned()], TEXTS) {
            forms.push(std::iter::once((name, text)).chain(token.clone()).collect());
        }
        let twice = (name, "a text".to_owned());
        forms.push([twice.clone(), twice].into_iter().chain(token).collect());
    }
    forms.push(Vec::new());
    forms
}
