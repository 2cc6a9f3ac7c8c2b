//! How what was allowed ends: by the app, by the user, by whoever governs both. Codes and refresh tokens at once,
//! introspection at once, access tokens on every host within five seconds.

use super::{EMAIL, PASSWORD, Scene, assert_invalid_grant, tokens};
use crate::black_box::support::binary;
use argus_core::revocations;
use argus_core::store::Error;
use argus_openapi::Host;
use argus_tests::{Installation, Statements, Tab, TestServer, on_both_engines, sql};
use serde_json::json;
use std::time::{Duration, Instant};

on_both_engines! {
    a_revoked_refresh_token_takes_its_access_tokens_with_it_on_every_host
    a_revoked_access_token_ends_alone
    what_ends_a_users_access_ends_codes_refresh_tokens_and_access_tokens
    what_has_ended_stays_so_when_access_tokens_are_long_over
    introspection_tells_what_a_token_is_worth
    revoking_what_is_no_token_is_answered_like_any_other
    no_call_asks_the_database_what_was_revoked
}

/// Until when a revocation must count everywhere.
pub(super) const SOON: Duration = Duration::from_secs(5);

/// Waits until a token is accepted by the api host: what goes on again is known everywhere as soon as what ends.
pub(super) async fn until_accepted(scene: &Scene, token: &str) {
    let began = Instant::now();
    while scene.server.get(Host::Api, "/v1/jobs", Some(token)).await.status != 200 {
        assert!(began.elapsed() < SOON);
        tokio::task::yield_now().await;
    }
}

/// Waits until a token is refused on a host.
pub(super) async fn until_refused(scene: &Scene, host: Host, path: &str, token: &str) {
    let began = Instant::now();
    loop {
        let answer = scene.server.get(host, path, Some(token)).await;
        if answer.status == 401 {
            assert_eq!(answer.expect_error(401, "invalid_token"), "the token was revoked");
            return;
        }
        assert!(began.elapsed() < SOON, "{answer:?}");
        tokio::task::yield_now().await;
    }
}

async fn a_revoked_refresh_token_takes_its_access_tokens_with_it_on_every_host(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let (ended, other) = (scene.tokens().await, scene.tokens().await);
    scene.post("/v1/oauth/revoke", &[("token", &ended.refresh)]).await.expect(200);
    assert_invalid_grant(&scene.refresh(&ended.refresh).await);
    assert_eq!(scene.introspect(&ended.access).await, json!({"active": false}));
    until_refused(&scene, Host::Api, "/v1/jobs", &ended.access).await;
    until_refused(&scene, Host::Auth, "/v1/webhooks", &ended.access).await;
    // What the same user has allowed another time goes on.
    scene.server.get(Host::Api, "/v1/jobs", Some(&other.access)).await.expect(200);
    tokens(&scene.refresh(&other.refresh).await);
}

async fn a_revoked_access_token_ends_alone(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let got = scene.tokens().await;
    scene
        .post("/v1/oauth/revoke", &[("token", &got.access), ("token_type_hint", "access_token")])
        .await
        .expect(200);
    until_refused(&scene, Host::Api, "/v1/jobs", &got.access).await;
    let next = tokens(&scene.refresh(&got.refresh).await);
    scene.server.get(Host::Api, "/v1/jobs", Some(&next.access)).await.expect(200);
}

async fn what_ends_a_users_access_ends_codes_refresh_tokens_and_access_tokens(server: TestServer) {
    let mut scene = Scene::new(server).await;
    for end in ["sign out", "another device", "withdraw", "password", "disable", "leave"] {
        scene.tab = Tab::new(&scene.server);
        scene.tab.sign_in(EMAIL, PASSWORD).await.expect(303);
        let (got, code) = (scene.tokens().await, scene.code().await);
        until_accepted(&scene, &got.access).await;
        let user = scene.server.person(&scene.tenancy.tenant_id, EMAIL).await;
        let users = &scene.server.state().users;
        let context =
            argus_core::Context::in_background(user.principal(), scene.server.state().clock.clone());
        match end {
            "sign out" => {
                scene.tab.get("/account").await.expect(200);
                scene.tab.post("/sign-out", &[]).await.expect(303);
            }
            "another device" => {
                let mut other = Tab::new(&scene.server);
                other.sign_in(EMAIL, PASSWORD).await.expect(303);
                let page = other.get("/account").await.expect(200).page();
                let mut actions = page.split("action=\"").filter_map(|rest| rest.split('"').next());
                let end = actions.find(|action| action.starts_with("/account/sessions/")).expect("a device");
                other.post(end, &[]).await.expect(303);
            }
            "withdraw" => {
                let page = scene.tab.get("/account").await.expect(200).page();
                assert!(page.contains("An app"), "{page}");
                let path = format!("/account/apps/{}/end", scene.client_id);
                scene.tab.post(&path, &[]).await.expect(303);
                let page = scene.tab.get("/account").await.expect(200).page();
                assert!(!page.contains("An app"), "{page}");
            }
            "password" => users.set_password(&context, &user.id, &PASSWORD.parse().unwrap()).await.unwrap(),
            "disable" => users.disable(&context, &user.id).await.unwrap(),
            _ => {
                let removed = scene.server.command(binary(), &["user", "remove", "--email", EMAIL]);
                assert!(removed.status.success(), "{removed:?}");
            }
        }
        assert_invalid_grant(&scene.exchange(&code).await);
        assert_invalid_grant(&scene.refresh(&got.refresh).await);
        for token in [&got.access, &got.refresh] {
            assert_eq!(scene.introspect(token).await, json!({"active": false}), "{end}");
        }
        until_refused(&scene, Host::Api, "/v1/jobs", &got.access).await;
        if end == "disable" {
            users.enable(&context, &user.id).await.unwrap();
        }
    }
    scene.tab = Tab::new(&scene.server);
    scene.tab.sign_in(EMAIL, PASSWORD).await.expect(400);
    let left = "SELECT user_id AS line FROM grants UNION ALL SELECT user_id FROM sessions";
    assert!(sql::lines(&mut scene.server.connect(), left).unwrap().is_empty());
}

async fn what_has_ended_stays_so_when_access_tokens_are_long_over(server: TestServer) {
    let mut scene = Scene::new(server).await;
    for end in ["password", "disable", "suspend", "not before"] {
        scene.tab = Tab::new(&scene.server);
        scene.tab.sign_in(EMAIL, PASSWORD).await.expect(303);
        let got = scene.tokens().await;
        let user = scene.server.person(&scene.tenancy.tenant_id, EMAIL).await;
        let users = &scene.server.state().users;
        let clock = scene.server.state().clock.clone();
        let context = argus_core::Context::in_background(user.principal(), clock.clone());
        let govern = async |change| {
            scene.tenancy.govern(&scene.client_id, &change).await.expect(200);
        };
        match end {
            "password" => users.set_password(&context, &user.id, &PASSWORD.parse().unwrap()).await.unwrap(),
            "disable" => {
                users.disable(&context, &user.id).await.unwrap();
                users.enable(&context, &user.id).await.unwrap();
            }
            "suspend" => {
                govern(json!({"suspended": true})).await;
                govern(json!({"suspended": false})).await;
            }
            _ => govern(json!({"tokens_not_before": clock.now().to_rfc3339()})).await,
        }
        let mut connection = scene.server.connect();
        for statement in [
            "UPDATE revocations SET not_before = not_before - 172800000000",
            "UPDATE token_families SET created_at = created_at - 172800000000",
        ] {
            sql::execute(&mut connection, statement).unwrap();
        }
        sweep(&scene.server).await;
        assert_invalid_grant(&scene.refresh(&got.refresh).await);
    }
    // Of half a year ago nothing is left that could be refreshed.
    sql::execute(&mut scene.server.connect(), "UPDATE revocations SET not_before = 1").unwrap();
    assert!(sweep(&scene.server).await >= 2);
    let left = "SELECT subject AS line FROM revocations";
    assert!(sql::lines(&mut scene.server.connect(), left).unwrap().is_empty());
}

/// Forgets what nobody asks for; says how much.
async fn sweep(server: &TestServer) -> usize {
    let every_tenant = server.state().database.every_tenant.clone();
    every_tenant.run(|connection| Ok::<_, Error>(revocations::sweep(connection)?)).await.unwrap()
}

async fn introspection_tells_what_a_token_is_worth(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let got = scene.tokens().await;
    let said = super::claims(&got.access);
    let access = scene.introspect(&got.access).await;
    for member in
        ["scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "tenant_id", "secrecy_level"]
    {
        assert_eq!(access[member], said[member], "{member}");
    }
    assert_eq!((&access["active"], &access["token_type"]), (&json!(true), &json!("Bearer")));
    let refresh = scene.introspect(&got.refresh).await;
    assert_eq!((&refresh["active"], &refresh["sub"]), (&json!(true), &said["sub"]));
    let missing = scene.post("/v1/oauth/introspect", &[]).await.expect(400);
    assert_eq!(missing.text("error"), "invalid_request");
}

async fn revoking_what_is_no_token_is_answered_like_any_other(server: TestServer) {
    let scene = Scene::new(server).await;
    for token in ["unknown", "a.b.c", "\u{e9}", &"x".repeat(4000)] {
        let answer = scene.post("/v1/oauth/revoke", &[("token", token)]).await.expect(200);
        assert_eq!(answer.json(), json!({}));
        assert_eq!(scene.introspect(token).await, json!({"active": false}));
    }
    let missing = scene.post("/v1/oauth/revoke", &[]).await.expect(400);
    assert_eq!(missing.text("error"), "invalid_request");
}

async fn no_call_asks_the_database_what_was_revoked(installation: Installation) {
    let revocations = Statements::with("revocations", &installation);
    let jobs = Statements::with("FROM jobs", &installation);
    let mut scene = Scene::signed_in(installation.into()).await;
    let got = scene.tokens().await;
    until_accepted(&scene, &got.access).await;
    let (looked, listed) = (revocations.asked(), jobs.asked());
    for _ in 0..300 {
        scene.server.get(Host::Api, "/v1/jobs", Some(&got.access)).await.expect(200);
    }
    assert!(jobs.asked() - listed >= 300);
    // Each node looks by itself, every two seconds.
    assert!(revocations.asked() - looked < 30);
}
