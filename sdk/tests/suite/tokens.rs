//! Tokens: fetched once, cached, refreshed, replaced when refused, and shown to the right host.

use crate::support::{Answer, Asked, Server, error, json, scenarios, text};
use argus_sdk::{Credentials, ErrorKind};
use serde_json::json;
use std::time::Duration;

const MINT: &str = "POST /auth/v1/oauth/token";
const SCENARIOS: &str = "GET /sandbox/v1/sandbox/scenarios";

fn minted(asked: &Asked, expires_in: u64) -> Answer {
    let token = format!("token-{}", asked.before + 1);
    json(
        200,
        &json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in, "scope": "s" }),
    )
}

#[tokio::test]
async fn concurrent_first_calls_share_one_token_request() {
    let server =
        Server::start(|asked| if asked.line == MINT { minted(asked, 3600) } else { scenarios() }).await;
    let credentials = Credentials::client("app 1", "s:e&c").scopes(["argus:jobs:read", "argus:jobs:write"]);
    let client = server.builder().credentials(credentials).build().unwrap();
    let calls = (0..20).map(|_| client.sandbox_scenario_list().send());
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));

    let asked = server.asked();
    let mints: Vec<_> = asked.iter().filter(|asked| asked.line == MINT).collect();
    assert_eq!(mints.len(), 1);
    // `app+1:s%3Ae%26c`: both parts are form-encoded before they are joined.
    assert_eq!(mints[0].header("authorization"), Some("Basic YXBwKzE6cyUzQWUlMjZj"));
    assert_eq!(mints[0].body, "grant_type=client_credentials&scope=argus%3Ajobs%3Aread+argus%3Ajobs%3Awrite");
    let calls: Vec<_> = asked.iter().filter(|asked| asked.line == SCENARIOS).collect();
    assert_eq!(calls.len(), 20);
    assert!(calls.iter().all(|asked| asked.header("authorization") == Some("Bearer token-1")));
}

#[tokio::test]
async fn a_token_that_is_about_to_expire_is_replaced_before_it_is_used() {
    let server = Server::start(|asked| if asked.line == MINT { minted(asked, 0) } else { scenarios() }).await;
    let client = server.builder().credentials(Credentials::client("app", "secret")).build().unwrap();
    for _ in 0..2 {
        client.sandbox_scenario_list().send().await.unwrap();
    }
    assert_eq!(server.lines(), [MINT, SCENARIOS, MINT, SCENARIOS]);
    assert_eq!(server.asked()[3].header("authorization"), Some("Bearer token-2"));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_call_repeated() {
    let server = Server::start(|asked| match asked.header("authorization") {
        _ if asked.line == MINT => minted(asked, 3600),
        Some("Bearer token-1") => error(401, "invalid_token"),
        _ => scenarios(),
    })
    .await;
    let client = server.builder().credentials(Credentials::client("app", "secret")).build().unwrap();
    client.sandbox_scenario_list().send().await.unwrap();
    assert_eq!(server.lines(), [MINT, SCENARIOS, MINT, SCENARIOS]);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_too_ends_in_an_error_and_not_in_a_loop() {
    let server =
        Server::start(
            |asked| {
                if asked.line == MINT { minted(asked, 3600) } else { error(401, "invalid_token") }
            },
        )
        .await;
    let client = server.builder().credentials(Credentials::client("app", "secret")).build().unwrap();
    let error = argus_sdk::Error::from(client.sandbox_scenario_list().send().await.unwrap_err());
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("invalid_token")));
    assert_eq!(server.lines(), [MINT, SCENARIOS, MINT, SCENARIOS]);
}

#[tokio::test]
async fn another_401_and_a_fixed_token_are_not_tried_again() {
    let server = Server::start(|asked| match asked.header("authorization") {
        _ if asked.line == MINT => minted(asked, 3600),
        Some("Bearer fixed") => error(401, "invalid_token"),
        _ => error(401, "missing_token"),
    })
    .await;
    server.client().sandbox_scenario_list().send().await.unwrap_err();
    assert_eq!(server.lines(), [SCENARIOS]);
    let client = server.builder().credentials(Credentials::client("app", "secret")).build().unwrap();
    client.sandbox_scenario_list().send().await.unwrap_err();
    assert_eq!(server.lines(), [SCENARIOS, MINT, SCENARIOS]);
}

#[tokio::test]
async fn wrong_client_credentials_are_told_as_they_are_and_the_failure_is_not_cached() {
    let server = Server::start(|asked| match (asked.line.as_str(), asked.before) {
        (MINT, 0) => json(401, &json!({ "error": "invalid_client", "error_description": "unknown client" })),
        (MINT, _) => minted(asked, 3600),
        _ => scenarios(),
    })
    .await;
    let client = server.builder().credentials(Credentials::client("app", "hunter2")).build().unwrap();
    let error = argus_sdk::Error::from(client.sandbox_scenario_list().send().await.unwrap_err());
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("invalid_client")));
    assert!(error.to_string().contains("unknown client"), "{error}");
    assert!(!format!("{error:?} {client:?}").contains("hunter2"));
    client.sandbox_scenario_list().send().await.unwrap();
}

#[tokio::test]
async fn sandbox_tokens_go_to_the_sandbox_host_and_the_administrators_to_the_auth_host() {
    const SANDBOX_MINT: &str = "POST /auth/v1/platform/apps/app_1/sandbox-token";
    let server = Server::start(|asked| match asked.line.as_str() {
        SANDBOX_MINT => json(
            200,
            &json!({
                "token": "minted", "expires_at": "2026-05-08T12:10:00Z", "audience": "sandbox", "scopes": [],
                "sandbox_host": "http://h", "scenarios": ["wallet.clean"],
            }),
        )
        // By the server's clock the token lives ten minutes, whatever this machine's clock says.
        .with("date", "Fri, 08 May 2026 12:00:00 GMT"),
        "GET /auth/v1/platform/scopes" => json(200, &json!({ "scopes": [] })),
        _ => scenarios(),
    })
    .await;
    let credentials = Credentials::sandbox(Credentials::token("admin"), "app_1")
        .scenarios(["wallet.clean"])
        .ttl(Duration::from_secs(600));
    let client = server.builder().credentials(credentials).build().unwrap();
    client.sandbox_scenario_list().send().await.unwrap();
    client.sandbox_scenario_list().send().await.unwrap();
    client.scope_list().send().await.unwrap();

    let asked = server.asked();
    let shown: Vec<_> = asked.iter().map(|asked| asked.header("authorization").unwrap()).collect();
    assert_eq!(shown, ["Bearer admin", "Bearer minted", "Bearer minted", "Bearer admin"]);
    assert_eq!(asked[0].line, SANDBOX_MINT);
    assert_eq!(asked[0].body, r#"{"scenarios":["wallet.clean"],"ttl_seconds":600}"#);
}

#[tokio::test]
async fn a_public_operation_is_shown_no_token() {
    let server = Server::start(|_| json(200, &json!({ "keys": [] }))).await;
    server.client().jwks_view().send().await.unwrap();
    assert_eq!(server.asked()[0].line, "GET /auth/.well-known/jwks.json");
    assert_eq!(server.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn an_operation_that_no_host_of_the_environment_serves_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| text(500, "")).await;
    let live = argus_sdk::Environment::custom("127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1").unwrap();
    let client = server.builder().environment(live).build().unwrap();
    let error = argus_sdk::Error::from(client.sandbox_scenario_list().send().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("sandbox_scenario_list"), "{error}");
}

#[tokio::test]
async fn a_token_never_follows_a_redirect() {
    let server = Server::start(|asked| {
        if asked.line == SCENARIOS { text(307, "").with("location", "/elsewhere") } else { scenarios() }
    })
    .await;
    let error = argus_sdk::Error::from(server.client().sandbox_scenario_list().send().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert_eq!(server.lines(), [SCENARIOS]);
}

#[tokio::test]
async fn calls_can_be_made_from_other_tasks() {
    let server =
        Server::start(|asked| if asked.line == MINT { minted(asked, 3600) } else { scenarios() }).await;
    let client = server.builder().credentials(Credentials::client("app", "secret")).build().unwrap();
    let calls = (0..4).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.sandbox_scenario_list().send().await.map(|answer| answer.status()) })
    });
    for call in futures::future::join_all(calls).await {
        assert_eq!(call.unwrap().unwrap(), 200);
    }
    assert_eq!(server.lines().iter().filter(|line| *line == MINT).count(), 1);
}
