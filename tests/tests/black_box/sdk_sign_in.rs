//! Users who sign in through the SDK: from the URL to open to calls with their tokens, over the real pages. What the
//! authorization server does with whoever does not use the SDK is tested in `authorization`, what the SDK does when answers
//! get lost in the SDK itself.

#[path = "../../../sdk/examples/sign_in.rs"]
#[allow(dead_code)]
mod sign_in;

use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_sdk::authorization::{
    AuthorizationError, FileTokenStore, LoopbackListener, MemoryTokenStore, PendingAuthorization, TokenStore,
    UserTokens,
};
use argus_sdk::{ArgusClient, Credentials, Environment, Error, ErrorKind};
use argus_tests::{PASSWORD, Tab, Tenancy, TestServer, Witness, on_both_engines, sql};
use futures::future::join_all;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use url::Url;

on_both_engines! {
    a_native_app_signs_its_user_in_and_goes_on_after_a_restart
    a_confidential_app_pushes_its_request_and_hears_at_once_what_is_wrong_with_one
    fifty_calls_with_an_expired_access_token_make_one_refresh_and_all_succeed
    two_clients_that_share_a_file_refresh_once_between_them
    processes_that_share_a_file_refresh_once_between_them
    who_refuses_is_told_as_one_who_refuses
    a_callback_with_another_state_or_issuer_asks_for_no_token
    a_callback_that_is_brought_twice_ends_the_sign_in
    signing_out_ends_all_that_the_user_has_allowed
    a_sign_in_that_ended_elsewhere_is_told_as_such_and_forgotten
    the_example_of_the_sdk_signs_in_calls_and_signs_out
}

const EMAIL: &str = "ada@example.com";
const REDIRECT: &str = "https://partner.example/callback";
const LOOPBACK: &str = "http://127.0.0.1/callback";
const TOKEN: &str = "/v1/oauth/token";
/// What a child process is told: its hosts, its app and its file, a line each.
const CHILD: &str = "ARGUS_TEST_CHILD_OF_SIGN_IN";

/// An app, and somebody who is signed in at a browser.
struct Scene {
    witness: Witness,
    tenancy: Tenancy,
    client_id: String,
    client_secret: Option<String>,
    tab: Tab,
    server: TestServer,
}

impl Scene {
    async fn of(server: TestServer, method: &str) -> Self {
        let tenancy = server.tenant().await;
        server.person(&tenancy.tenant_id, EMAIL).await;
        let registration = json!({
            "name": "An app", "grant_types": ["authorization_code"], "redirect_uris": [REDIRECT, LOOPBACK],
            "requested_scopes": [Scope::JobsRead, Scope::JobsWrite], "token_endpoint_auth_method": method,
        });
        let app = tenancy.post("/v1/platform/apps", &registration).await.expect(201).json();
        let mut tab = Tab::new(&server);
        tab.sign_in(EMAIL, PASSWORD).await.expect(303);
        Self {
            witness: Witness::before(&server).await,
            client_id: app["client_id"].as_str().unwrap().to_owned(),
            client_secret: app["client_secret"].as_str().map(str::to_owned),
            tenancy,
            tab,
            server,
        }
    }

    /// Of a public client.
    async fn new(server: TestServer) -> Self {
        Self::of(server, "none").await
    }

    fn client(&self, store: impl TokenStore + 'static) -> ArgusClient {
        let [auth, api, sandbox] = Host::ALL.map(|host| self.witness.url(host));
        let environment = Environment::custom(&auth, &api, &sandbox).unwrap();
        let mut credentials = Credentials::user(&self.client_id, store);
        if let Some(secret) = &self.client_secret {
            credentials = credentials.client_secret(secret.as_str());
        }
        ArgusClient::builder().environment(environment).credentials(credentials).build().unwrap()
    }

    /// Opens the URL of a request in the browser and decides there; where the browser is sent.
    async fn decide(&mut self, pending: &PendingAuthorization, decision: &str) -> String {
        decide(&mut self.tab, pending.url(), decision).await
    }

    /// Signs the user in.
    async fn sign_in(&mut self, client: &ArgusClient) -> UserTokens {
        let pending = begin(client);
        let callback = self.decide(&pending, "allow").await;
        pending.finish(client, &callback).await.unwrap()
    }

    /// How many requests for tokens there have been.
    fn token_requests(&self) -> usize {
        self.witness.answered(TOKEN)
    }

    /// How many refresh tokens the server has ever given.
    fn refresh_tokens(&self) -> usize {
        sql::lines(&mut self.server.connect(), "SELECT token_hash AS line FROM refresh_tokens").unwrap().len()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> argus_tests::Answer {
        let mut form = form.to_vec();
        form.push(("client_id", &self.client_id));
        let request = self
            .server
            .request(Host::Auth, http::Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(serde_urlencoded::to_string(form).unwrap());
        self.server.send(request).await
    }
}

/// Opens a URL in a browser and decides there; where the browser is sent.
async fn decide(tab: &mut Tab, url: &str, decision: &str) -> String {
    let url = Url::parse(url).unwrap();
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    let mut answer = tab.get(&path).await.expect(302);
    if answer.header("location").starts_with("/consent?") {
        let consent = answer.header("location").to_owned();
        tab.get(&consent).await.expect(200);
        answer = tab.post(&consent, &[("decision", decision)]).await.expect(303);
    }
    answer.header("location").to_owned()
}

/// A browser for pages that are no page of the service.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

fn begin(client: &ArgusClient) -> PendingAuthorization {
    client.authorization().redirect_uri(REDIRECT).scopes(["argus:jobs:read"]).begin().unwrap()
}

async fn call(client: &ArgusClient) -> Result<(), Error> {
    Ok(client.job_list().send().await.map(drop)?)
}

/// Keeps tokens as if something else were true of them.
async fn rewrite(store: &impl TokenStore, changes: Value) {
    let _lock = store.lock().await.unwrap();
    let mut tokens = serde_json::to_value(store.load().await.unwrap().unwrap()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        assert!(tokens.get(name).is_some(), "{name}");
        tokens[name] = value.clone();
    }
    store.store(&serde_json::from_value(tokens).unwrap()).await.unwrap();
}

/// Lets the access token be one that is past its time.
async fn expire(store: &impl TokenStore) {
    let long_ago = json!({ "obtained_at": "2020-01-01T00:00:00Z", "expires_at": "2020-01-01T01:00:00Z" });
    rewrite(store, long_ago).await;
}

async fn a_native_app_signs_its_user_in_and_goes_on_after_a_restart(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let store = FileTokenStore::new(scene.server.scratch().join("app/tokens.json"));
    let client = scene.client(store.clone());
    assert!(!client.is_signed_in().await.unwrap());
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::SignInRequired);

    let listener = LoopbackListener::bind("/callback").await.unwrap();
    let redirect_uri = listener.redirect_uri();
    let request = client.authorization().redirect_uri(&redirect_uri).scopes(["argus:jobs:read"]);
    let pending = request.begin().unwrap();
    let location = scene.decide(&pending, "allow").await;
    assert!(location.starts_with(&format!("{redirect_uri}?code=")), "{location}");
    let browser = browser();
    let browse = async |url: &str| {
        let answer = browser.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let visits = async {
        assert_eq!(browse(&redirect_uri.replace("callback", "favicon.ico")).await.0, 404);
        assert_eq!(browse(&redirect_uri).await.0, 404);
        browse(&location).await
    };
    let (callback, page) = tokio::join!(listener.receive(&pending, Duration::from_secs(60)), visits);
    assert!(page.0 == 200 && page.1.contains("close this window"), "{page:?}");
    let tokens = pending.finish(&client, &callback.unwrap()).await.unwrap();
    assert_eq!((tokens.scope(), tokens.client_id()), ("argus:jobs:read", &*scene.client_id));
    // The browser comes again, and nobody is there.
    browser.get(&location).send().await.unwrap_err();

    call(&client).await.unwrap();
    let user = scene.server.person(&scene.tenancy.tenant_id, EMAIL).await;
    let said = scene.post("/v1/oauth/introspect", &[("token", tokens.access_token().expose())]).await;
    assert_eq!(said.expect(200).text("sub"), String::from(user.id));
    let error: Error =
        client.job_create().body(argus_sdk::types::EnrichJob::of(["p1"])).send().await.unwrap_err().into();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("insufficient_scope")));

    let restarted = scene.client(store);
    assert!(restarted.is_signed_in().await.unwrap());
    call(&restarted).await.unwrap();
    assert_eq!(scene.token_requests(), 1);
}

async fn a_confidential_app_pushes_its_request_and_hears_at_once_what_is_wrong_with_one(server: TestServer) {
    let mut scene = Scene::of(server, "client_secret_basic").await;
    let client = scene.client(MemoryTokenStore::new());
    let pending = client.authorization().redirect_uri(REDIRECT).push().await.unwrap();
    assert!(
        !pending.url().contains("code_challenge") && pending.url().contains("request_uri"),
        "{}",
        pending.url()
    );
    let callback = scene.decide(&pending, "allow").await;
    let tokens = pending.finish(&client, &callback).await.unwrap();
    assert!(tokens.has_scope("argus:jobs:read") && tokens.has_scope("argus:jobs:write"), "{tokens:?}");
    call(&client).await.unwrap();

    let refused =
        client.authorization().redirect_uri("https://evil.example/callback").push().await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::InvalidRequest, Some("invalid_request")));
    let refused = client.authorization().redirect_uri(REDIRECT).scopes(["webhooks:read"]).push().await;
    assert_eq!(refused.unwrap_err().code(), Some("invalid_scope"));
    scene.client_secret = Some("not its secret".to_owned());
    let refused = scene.client(MemoryTokenStore::new()).authorization().redirect_uri(REDIRECT).push().await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unauthorized);
}

async fn fifty_calls_with_an_expired_access_token_make_one_refresh_and_all_succeed(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let store = MemoryTokenStore::new();
    let client = scene.client(store.clone());
    scene.sign_in(&client).await;
    // The program knows that it has expired.
    expire(&store).await;
    let restarted = scene.client(store.clone());
    for outcome in join_all((0..50).map(|_| call(&restarted))).await {
        outcome.unwrap();
    }
    assert_eq!((scene.token_requests(), scene.refresh_tokens()), (2, 2));
    // The service alone knows.
    let mut claims = scene.server.claims(Host::Api, &scene.tenancy.tenant_id, &[Scope::JobsRead]);
    (claims.iat, claims.exp) = (claims.iat - 7_200, claims.iat - 3_600);
    rewrite(&store, json!({ "access_token": scene.server.sign(&claims) })).await;
    let restarted = scene.client(store.clone());
    for outcome in join_all((0..50).map(|_| call(&restarted))).await {
        outcome.unwrap();
    }
    assert_eq!((scene.token_requests(), scene.refresh_tokens()), (3, 3));
}

async fn two_clients_that_share_a_file_refresh_once_between_them(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let path = scene.server.scratch().join("app/tokens.json");
    let store = FileTokenStore::new(&path);
    scene.sign_in(&scene.client(store.clone())).await;
    for round in 1..=3 {
        expire(&store).await;
        let clients = [(); 2].map(|()| scene.client(FileTokenStore::new(&path)));
        let calls = (0..50).map(|number| call(&clients[number % 2]));
        for outcome in join_all(calls).await {
            outcome.unwrap();
        }
        assert_eq!((scene.token_requests(), scene.refresh_tokens()), (1 + round, 1 + round));
    }
}

async fn processes_that_share_a_file_refresh_once_between_them(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let path = scene.server.scratch().join("app/tokens.json");
    let store = FileTokenStore::new(&path);
    scene.sign_in(&scene.client(store.clone())).await;
    expire(&store).await;
    let [auth, api, sandbox] = Host::ALL.map(|host| scene.witness.url(host));
    let told = [&auth, &api, &sandbox, &scene.client_id, path.to_str().unwrap()].join("\n");
    let processes = (0..3).map(|_| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "black_box::sdk_sign_in::a_process_calls_with_the_tokens_of_a_file",
            "--nocapture",
        ]);
        child.env(CHILD, &told);
        tokio::task::spawn_blocking(move || child.output().unwrap())
    });
    for ended in join_all(processes).await {
        let ended = ended.unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{ended:?}");
    }
    assert_eq!((scene.token_requests(), scene.refresh_tokens()), (2, 2));
    assert_eq!(scene.witness.answered("/v1/jobs"), 30);
}

/// What the child processes do; by itself it does nothing.
#[test]
fn a_process_calls_with_the_tokens_of_a_file() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let [auth, api, sandbox, client_id, path] = told.lines().collect::<Vec<_>>().try_into().unwrap();
    let environment = Environment::custom(auth, api, sandbox).unwrap();
    let credentials = Credentials::user(client_id, FileTokenStore::new(path));
    let client = ArgusClient::builder().environment(environment).credentials(credentials).build().unwrap();
    argus_tests::run(async {
        for outcome in join_all((0..10).map(|_| call(&client))).await {
            outcome.unwrap();
        }
    });
}

async fn who_refuses_is_told_as_one_who_refuses(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let client = scene.client(MemoryTokenStore::new());
    let pending = begin(&client);
    let callback = scene.decide(&pending, "refuse").await;
    let error = pending.finish(&client, &callback).await.unwrap_err();
    assert!(error.is_access_denied(), "{error:?}");
    assert!(!client.is_signed_in().await.unwrap());
    // What the service refuses comes back in the same way.
    let pending = client.authorization().redirect_uri(REDIRECT).scopes(["webhooks:read"]).begin().unwrap();
    let callback = scene.decide(&pending, "allow").await;
    let error = pending.finish(&client, &callback).await.unwrap_err();
    let AuthorizationError::Refused { code, description } = error else { panic!("{error:?}") };
    assert_eq!(code, "invalid_scope");
    assert!(description.unwrap().contains("webhooks:read"));
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::SignInRequired);
    assert_eq!(scene.token_requests(), 0);
    // The page is all that the browser has seen of the service.
    client.oauth_metadata_view().send().await.unwrap();
}

async fn a_callback_with_another_state_or_issuer_asks_for_no_token(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let client = scene.client(MemoryTokenStore::new());
    // A callback of another browser, which has been made to come to this one (RFC 9700, section 4.7).
    let (own, foreign) = (begin(&client), begin(&client));
    let callback = scene.decide(&foreign, "allow").await;
    let error = own.finish(&client, &callback).await.unwrap_err();
    assert!(matches!(error, AuthorizationError::ForeignState), "{error:?}");
    let changed = callback.replace("state=", "state=x");
    assert!(matches!(foreign.finish(&client, &changed).await.unwrap_err(), AuthorizationError::ForeignState));

    let pending = begin(&client);
    let callback = scene.decide(&pending, "allow").await;
    let (without, _) = callback.split_once("&iss=").unwrap();
    assert!(matches!(pending.finish(&client, without).await.unwrap_err(), AuthorizationError::MissingIssuer));
    let pending = begin(&client);
    let callback = scene.decide(&pending, "allow").await.replace("knogin", "evil");
    assert!(matches!(
        pending.finish(&client, &callback).await.unwrap_err(),
        AuthorizationError::ForeignIssuer
    ));
    assert_eq!(scene.token_requests(), 0);
    assert!(!client.is_signed_in().await.unwrap());
    scene.sign_in(&client).await;
    call(&client).await.unwrap();
}

async fn a_callback_that_is_brought_twice_ends_the_sign_in(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let store = MemoryTokenStore::new();
    let client = scene.client(store.clone());
    let pending = begin(&client);
    // A session that is read twice.
    let session = serde_json::to_string(&pending).unwrap();
    let callback = scene.decide(&pending, "allow").await;
    pending.finish(&client, &callback).await.unwrap();
    let again: PendingAuthorization = serde_json::from_str(&session).unwrap();
    let error = again.finish(&client, &callback).await.unwrap_err();
    let AuthorizationError::Failed(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), Some("invalid_grant"));
    // The service takes it for a theft (RFC 9700, section 4.5).
    expire(&store).await;
    let error = call(&scene.client(store.clone())).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::SignInRequired, Some("invalid_grant")));
    assert!(!client.is_signed_in().await.unwrap());
}

async fn signing_out_ends_all_that_the_user_has_allowed(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let store = FileTokenStore::new(scene.server.scratch().join("app/tokens.json"));
    let client = scene.client(store.clone());
    let tokens = scene.sign_in(&client).await;
    call(&client).await.unwrap();
    client.sign_out().await.unwrap();
    assert!(!store.path().exists());
    for token in [tokens.access_token(), tokens.refresh_token().unwrap()] {
        let said = scene.post("/v1/oauth/introspect", &[("token", token.expose())]).await.expect(200);
        assert_eq!(said.json(), json!({ "active": false }));
    }
    let refresh = tokens.refresh_token().unwrap().expose();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(scene.post(TOKEN, &form).await.expect(400).text("error"), "invalid_grant");
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::SignInRequired);
    // The same program, and somebody who signs in again.
    scene.sign_in(&client).await;
    call(&client).await.unwrap();
}

async fn a_sign_in_that_ended_elsewhere_is_told_as_such_and_forgotten(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let store = MemoryTokenStore::new();
    let client = scene.client(store.clone());
    let tokens = scene.sign_in(&client).await;
    call(&client).await.unwrap();
    let refresh = tokens.refresh_token().unwrap().expose();
    scene.post("/v1/oauth/revoke", &[("token", refresh)]).await.expect(200);
    // As soon as the service refuses the access token, or the program finds that it has expired.
    expire(&store).await;
    let clients: Vec<ArgusClient> = (0..20).map(|_| scene.client(store.clone())).collect();
    for outcome in join_all(clients.iter().map(call)).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SignInRequired, "{error}");
    }
    assert!(store.load().await.unwrap().is_none());
    assert_eq!(scene.token_requests(), 2);
}

async fn the_example_of_the_sdk_signs_in_calls_and_signs_out(server: TestServer) {
    let scene = Scene::new(server).await;
    let [auth, api, sandbox] = Host::ALL.map(|host| scene.witness.url(host));
    let setup = sign_in::Setup { auth, api, sandbox, admin_token: scene.tenancy.admin_token.clone() };
    let tokens = scene.server.scratch().join("example/tokens.json");
    let mut tab = scene.tab.clone();
    let open = |url: &str| {
        let url = url.to_owned();
        tokio::spawn(async move {
            let location = decide(&mut tab, &url, "allow").await;
            assert_eq!(browser().get(location).send().await.unwrap().status().as_u16(), 200);
        });
    };
    sign_in::run(setup, &tokens, open).await.unwrap();
    assert!(!tokens.exists());
    assert_eq!((scene.token_requests(), scene.witness.answered("/v1/oauth/revoke")), (1, 1));
    assert_eq!(scene.witness.answered("/graphql"), 1);
}
