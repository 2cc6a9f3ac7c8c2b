//! Access on behalf of a user: what is asked for, that one refresh is under way at a time, and that no token is lost. How
//! the service itself answers is tested in the suite of the workspace.

use crate::support::{Answer, Asked, Server, error, hang_up, json, scenarios};
use argus_sdk::authorization::{
    AuthorizationError, BoxFuture, FileTokenStore, MemoryTokenStore, PendingAuthorization, StoreError,
    StoreLock, TokenStore, UserTokens,
};
use argus_sdk::{ArgusClient, Credentials, ErrorKind, Retry};
use futures::future::join_all;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TOKEN: &str = "POST /auth/v1/oauth/token";
const PUSH: &str = "POST /auth/v1/oauth/par";
const REVOKE: &str = "POST /auth/v1/oauth/revoke";
const SCENARIOS: &str = "GET /sandbox/v1/sandbox/scenarios";
const ISSUER: &str = "https://auth.knogin.com";
const REDIRECT: &str = "https://partner.example/callback";

fn form(asked: &Asked) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect()
}

fn pair(number: usize, expires_in: i64) -> Answer {
    json(
        200,
        &json!({
            "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}"),
            "token_type": "Bearer", "expires_in": expires_in, "scope": "argus:jobs:read",
        }),
    )
}

/// An authorization server whose refresh tokens are good once.
#[derive(Clone, Default)]
struct Issuer {
    /// The number of the tokens that count now; none before a code has come.
    current: Arc<AtomicUsize>,
    /// The first access token is past its time when it comes.
    first_is_late: bool,
    /// How many requests for a token are not answered.
    losses: Arc<AtomicUsize>,
    /// Access tokens that are refused, up to this number.
    refused: Arc<AtomicUsize>,
}

impl Issuer {
    fn answer(&self, asked: &Asked) -> Answer {
        match asked.line.as_str() {
            TOKEN => self.tokens(&form(asked)),
            REVOKE => {
                self.current.store(usize::MAX, Ordering::SeqCst);
                json(200, &json!({}))
            }
            PUSH => {
                json(201, &json!({ "request_uri": "urn:ietf:params:oauth:request_uri:r", "expires_in": 90 }))
            }
            _ => {
                let number: usize = asked.header("authorization").unwrap()[14..].parse().unwrap();
                let refused = number <= self.refused.load(Ordering::SeqCst);
                if refused { error(401, "invalid_token") } else { scenarios() }
            }
        }
    }

    fn tokens(&self, form: &BTreeMap<String, String>) -> Answer {
        if form["grant_type"] == "authorization_code" {
            self.current.store(1, Ordering::SeqCst);
            return pair(1, if self.first_is_late { 0 } else { 3600 });
        }
        if self.losses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return hang_up();
        }
        let current = self.current.load(Ordering::SeqCst);
        if form["refresh_token"] != format!("refresh-{current}") {
            return json(
                400,
                &json!({ "error": "invalid_grant", "error_description": "the token was used before" }),
            );
        }
        self.current.store(current + 1, Ordering::SeqCst);
        pair(current + 1, 3600)
    }

    async fn start(&self) -> Server {
        let issuer = self.clone();
        Server::start(move |asked| issuer.answer(asked)).await
    }
}

fn client(server: &Server, store: impl TokenStore + 'static) -> ArgusClient {
    server.builder().credentials(Credentials::user("app 1", store)).build().unwrap()
}

fn begun(client: &ArgusClient) -> PendingAuthorization {
    client
        .authorization()
        .redirect_uri(REDIRECT)
        .scopes(["argus:jobs:read", "argus:jobs:write"])
        .begin()
        .unwrap()
}

/// What the URL of a request says.
fn parameters(pending: &PendingAuthorization) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(pending.url()).unwrap();
    assert_eq!(url.path(), "/auth/v1/oauth/authorize");
    url.query_pairs().into_owned().collect()
}

/// What the browser brings back when the user allows.
fn callback(pending: &PendingAuthorization) -> String {
    format!("code=a-code&state={}&iss={ISSUER}", parameters(pending)["state"])
}

async fn signed_in(server: &Server, store: impl TokenStore + 'static) -> ArgusClient {
    let client = client(server, store);
    let pending = begun(&client);
    let callback = callback(&pending);
    pending.finish(&client, &callback).await.unwrap();
    client
}

async fn call(client: &ArgusClient) -> Result<(), argus_sdk::Error> {
    Ok(client.sandbox_scenario_list().send().await.map(drop)?)
}

fn refreshes(server: &Server) -> usize {
    server
        .asked()
        .iter()
        .filter(|asked| asked.line == TOKEN && form(asked)["grant_type"] == "refresh_token")
        .count()
}

async fn stored(store: &impl TokenStore) -> Option<String> {
    let _lock = store.lock().await.unwrap();
    store.load().await.unwrap().map(|tokens| tokens.access_token().expose().to_owned())
}

#[tokio::test]
async fn a_code_is_exchanged_with_the_verifier_behind_the_challenge_and_the_token_is_used() {
    let server = Issuer::default().start().await;
    let store = MemoryTokenStore::new();
    let client = client(&server, store.clone());
    assert!(!client.is_signed_in().await.unwrap());
    let pending = begun(&client);
    let said = parameters(&pending);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app 1"),
        ("redirect_uri", REDIRECT),
        ("scope", "argus:jobs:read argus:jobs:write"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    let shown = format!("{pending:?}");
    assert!(!shown.contains(&said["state"]) && !shown.contains(&said["code_challenge"]), "{shown}");
    // It survives a stay in a session.
    let pending: PendingAuthorization =
        serde_json::from_str(&serde_json::to_string(&pending).unwrap()).unwrap();
    let callback = callback(&pending);
    let tokens = pending.finish(&client, &callback).await.unwrap();
    assert_eq!((tokens.scope(), tokens.client_id(), tokens.issuer()), ("argus:jobs:read", "app 1", ISSUER));
    assert!(client.is_signed_in().await.unwrap());
    call(&client).await.unwrap();

    let asked = server.asked();
    let [exchange, called] = &asked[..] else { panic!("{asked:?}") };
    let exchange = form(exchange);
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "a-code"),
        ("client_id", "app 1"),
        ("redirect_uri", REDIRECT),
    ] {
        assert_eq!(exchange[name], value, "{name}");
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, exchange["code_verifier"].as_bytes());
    use base64::Engine;
    assert_eq!(base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(digest), said["code_challenge"]);
    assert_eq!(called.header("authorization"), Some("Bearer access-1"));
}

#[tokio::test]
async fn a_confidential_client_pushes_its_request_and_shows_its_secret_in_the_header_alone() {
    let server = Issuer::default().start().await;
    let credentials = Credentials::user("app", MemoryTokenStore::new()).client_secret("secret");
    let client = server.builder().credentials(credentials).build().unwrap();
    let pending = client.authorization().redirect_uri(REDIRECT).push().await.unwrap();
    let said = parameters(&pending);
    assert_eq!(said.len(), 2);
    assert_eq!((&*said["client_id"], &*said["request_uri"]), ("app", "urn:ietf:params:oauth:request_uri:r"));
    let pushed = form(&server.asked()[0]);
    assert!(pushed["code_challenge"].len() == 43 && !pushed.contains_key("scope"), "{pushed:?}");
    let callback = format!("{REDIRECT}?code=a-code&state={}&iss={ISSUER}", pushed["state"]);
    pending.finish(&client, &callback).await.unwrap();
    assert_eq!(server.lines(), [PUSH, TOKEN]);
    for asked in server.asked() {
        assert_eq!(asked.header("authorization"), Some("Basic YXBwOnNlY3JldA=="));
        assert!(!asked.body.contains("secret") && !asked.body.contains("client_id"), "{}", asked.body);
    }
}

#[tokio::test]
async fn a_callback_that_does_not_answer_the_request_costs_no_code() {
    let server = Issuer::default().start().await;
    let client = client(&server, MemoryTokenStore::new());
    let state = |pending: &PendingAuthorization| parameters(pending)["state"].clone();
    let finish = async |make: &dyn Fn(&str) -> String| {
        let pending = begun(&client);
        let callback = make(&state(&pending));
        pending.finish(&client, &callback).await.unwrap_err()
    };
    let other = state(&begun(&client));
    let error = finish(&|_| format!("code=c&state={other}&iss={ISSUER}")).await;
    assert!(matches!(error, AuthorizationError::ForeignState), "{error}");
    let error = finish(&|state| format!("code=c&state={state}")).await;
    assert!(matches!(error, AuthorizationError::MissingIssuer), "{error}");
    let error = finish(&|state| format!("code=c&state={state}&iss=https://evil.example")).await;
    assert!(matches!(error, AuthorizationError::ForeignIssuer), "{error}");
    let error = finish(&|state| format!("error=access_denied&state={state}&iss={ISSUER}")).await;
    assert!(error.is_access_denied(), "{error}");
    assert_eq!(server.lines(), [""; 0]);
    assert!(!client.is_signed_in().await.unwrap());
}

#[tokio::test]
async fn a_client_without_a_user_says_so() {
    let server = Issuer::default().start().await;
    let error = server.client().authorization().begin().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("Credentials::user"), "{error}");
    assert!(server.client().sign_out().await.is_err());
    // Nobody is signed in: nothing is sent.
    let error = call(&client(&server, MemoryTokenStore::new())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignInRequired);
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn fifty_calls_with_an_expired_token_make_one_refresh() {
    let server = Issuer { first_is_late: true, ..Issuer::default() }.start().await;
    let client = signed_in(&server, MemoryTokenStore::new()).await;
    for outcome in join_all((0..50).map(|_| call(&client))).await {
        outcome.unwrap();
    }
    assert_eq!(refreshes(&server), 1);
    let asked = server.asked();
    let shown: Vec<_> = asked.iter().filter(|asked| asked.line == SCENARIOS).collect();
    assert_eq!(shown.len(), 50);
    assert!(shown.iter().all(|asked| asked.header("authorization") == Some("Bearer access-2")));
}

#[tokio::test]
async fn fifty_calls_whose_token_is_refused_make_one_refresh() {
    let issuer = Issuer::default();
    let server = issuer.start().await;
    let client = signed_in(&server, MemoryTokenStore::new()).await;
    call(&client).await.unwrap();
    issuer.refused.store(1, Ordering::SeqCst);
    for outcome in join_all((0..50).map(|_| call(&client))).await {
        outcome.unwrap();
    }
    assert_eq!(refreshes(&server), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_share_a_store_refresh_once_between_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = FileTokenStore::new(directory.path().join("tokens.json"));
    let memory = MemoryTokenStore::new();
    let stores: [Arc<dyn TokenStore>; 2] = [Arc::new(file), Arc::new(memory)];
    for store in stores {
        let server = Issuer { first_is_late: true, ..Issuer::default() }.start().await;
        let first = signed_in(&server, Arc::clone(&store)).await;
        let second = client(&server, store);
        let calls = (0..50).map(|number| call(if number % 2 == 0 { &first } else { &second }));
        for outcome in join_all(calls).await {
            outcome.unwrap();
        }
        assert_eq!(refreshes(&server), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_at_once_with_the_same_token() {
    let issuer = Issuer { first_is_late: true, ..Issuer::default() };
    issuer.losses.store(2, Ordering::SeqCst);
    let server = issuer.start().await;
    let client = signed_in(&server, MemoryTokenStore::new()).await;
    call(&client).await.unwrap();
    let sent: Vec<_> = server.asked().iter().filter(|asked| asked.line == TOKEN).map(form).collect();
    assert_eq!(sent.len(), 4);
    assert!(sent[1..].iter().all(|form| form["refresh_token"] == "refresh-1"), "{sent:?}");
}

#[tokio::test]
async fn a_refresh_that_is_not_answered_loses_nothing() {
    let issuer = Issuer { first_is_late: true, ..Issuer::default() };
    let server = issuer.start().await;
    let store = MemoryTokenStore::new();
    signed_in(&server, store.clone()).await;
    let builder =
        server.builder().retry(Retry::none()).credentials(Credentials::user("app 1", store.clone()));
    let client = builder.build().unwrap();
    issuer.losses.store(1, Ordering::SeqCst);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(stored(&store).await.as_deref(), Some("access-1"));
    call(&client).await.unwrap();
    assert_eq!(stored(&store).await.as_deref(), Some("access-2"));
}

#[tokio::test]
async fn a_sign_in_that_has_ended_clears_the_store_and_is_told_as_such() {
    for refused in [false, true] {
        let issuer = Issuer { first_is_late: !refused, ..Issuer::default() };
        let server = issuer.start().await;
        let store = MemoryTokenStore::new();
        let client = signed_in(&server, store.clone()).await;
        if refused {
            call(&client).await.unwrap();
            issuer.refused.store(1, Ordering::SeqCst);
        }
        // Somebody else was there first.
        issuer.current.store(7, Ordering::SeqCst);
        for outcome in join_all((0..10).map(|_| call(&client))).await {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SignInRequired, "{error}");
        }
        assert_eq!(refreshes(&server), 1);
        assert_eq!(stored(&store).await, None);
        assert!(!client.is_signed_in().await.unwrap());
    }
}

/// A store that fails when it is told to.
#[derive(Clone, Default)]
struct Failing {
    store: MemoryTokenStore,
    fails: Arc<AtomicBool>,
}

impl TokenStore for Failing {
    fn load(&self) -> BoxFuture<'_, Result<Option<UserTokens>, StoreError>> {
        self.store.load()
    }

    fn store<'a>(&'a self, tokens: &'a UserTokens) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            if self.fails.load(Ordering::SeqCst) {
                Err("the disk is full".into())
            } else {
                self.store.store(tokens).await
            }
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.clear()
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, StoreError>> {
        self.store.lock()
    }
}

#[tokio::test]
async fn tokens_that_could_not_be_stored_are_not_used_and_not_lost() {
    let server = Issuer { first_is_late: true, ..Issuer::default() }.start().await;
    let store = Failing::default();
    let client = signed_in(&server, store.clone()).await;
    store.fails.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenStore);
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
    assert!(!server.lines().contains(&SCENARIOS.to_owned()));
    store.fails.store(false, Ordering::SeqCst);
    call(&client).await.unwrap();
    assert_eq!(refreshes(&server), 1, "they were got once");
    assert_eq!(stored(&store).await.as_deref(), Some("access-2"));
}

#[tokio::test]
async fn what_is_used_was_stored_before() {
    let store = MemoryTokenStore::new();
    let issuer = Issuer { first_is_late: true, ..Issuer::default() };
    let unstored = Arc::new(Mutex::new(Vec::new()));
    let (seen, looked_at) = (Arc::clone(&unstored), store.clone());
    let server = Server::start(move |asked| {
        if asked.line == SCENARIOS {
            let tokens = futures::executor::block_on(looked_at.load()).unwrap().unwrap();
            let used = asked.header("authorization").unwrap().to_owned();
            if used != format!("Bearer {}", tokens.access_token().expose()) {
                seen.lock().unwrap().push(used);
            }
        }
        issuer.answer(asked)
    })
    .await;
    let client = signed_in(&server, store).await;
    for outcome in join_all((0..20).map(|_| call(&client))).await {
        outcome.unwrap();
    }
    assert_eq!(*unstored.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_refresh_that_nobody_waits_for_any_more_is_taken_to_its_end() {
    let issuer = Issuer { first_is_late: true, ..Issuer::default() };
    let slow = issuer.clone();
    let server = Server::start(move |asked| {
        let is_refresh = asked.line == TOKEN && asked.body.contains("refresh_token=");
        let answer = slow.answer(asked);
        if is_refresh { answer.slowly(Duration::from_millis(2)) } else { answer }
    })
    .await;
    let store = MemoryTokenStore::new();
    let client = signed_in(&server, store.clone()).await;
    let impatient = tokio::spawn(async move { call(&client).await });
    while refreshes(&server) == 0 {
        tokio::task::yield_now().await;
    }
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    // The lock is let go of when it is done.
    assert_eq!(stored(&store).await.as_deref(), Some("access-2"));
}

#[tokio::test]
async fn signing_out_ends_the_family_and_forgets_the_tokens() {
    let server = Issuer::default().start().await;
    let store = MemoryTokenStore::new();
    let client = signed_in(&server, store.clone()).await;
    call(&client).await.unwrap();
    client.sign_out().await.unwrap();
    client.sign_out().await.unwrap();
    assert_eq!(server.lines(), [TOKEN, SCENARIOS, REVOKE]);
    let revoked = form(&server.asked()[2]);
    assert_eq!((&*revoked["token"], &*revoked["client_id"]), ("refresh-1", "app 1"));
    assert_eq!(stored(&store).await, None);
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::SignInRequired);
    assert_eq!(server.lines().len(), 3, "nothing is sent without a token");
}

#[tokio::test]
async fn a_sign_out_that_the_service_does_not_hear_of_can_be_tried_again() {
    let issuer = Issuer::default();
    let server = Server::start(move |asked| {
        if asked.line == REVOKE && asked.before < 4 { hang_up() } else { issuer.answer(asked) }
    })
    .await;
    let store = MemoryTokenStore::new();
    let client = signed_in(&server, store.clone()).await;
    assert_eq!(client.sign_out().await.unwrap_err().kind(), ErrorKind::Transport);
    assert!(stored(&store).await.is_some());
    client.sign_out().await.unwrap();
    assert_eq!(stored(&store).await, None);
}

#[tokio::test]
async fn tokens_of_another_app_or_of_another_server_are_not_sent_anywhere() {
    let server = Issuer { first_is_late: true, ..Issuer::default() }.start().await;
    let store = MemoryTokenStore::new();
    signed_in(&server, store.clone()).await;
    let before = server.lines().len();
    for credentials in [
        Credentials::user("app 2", store.clone()),
        Credentials::user("app 1", store.clone()).issuer("https://other.example"),
    ] {
        let client = server.builder().credentials(credentials).build().unwrap();
        for error in [call(&client).await.unwrap_err(), client.sign_out().await.unwrap_err()] {
            assert!(error.message().contains("another app"), "{error}");
        }
    }
    assert_eq!(server.lines().len(), before);
    assert!(stored(&store).await.is_some());
}
