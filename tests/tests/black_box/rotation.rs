//! Client secrets that are replaced while a fleet goes on: until the overlap ends both count, by the database's clock.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, AppCredentials, Reach, TestProcess, TestServer, on_both_engines, sql};
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    both_secrets_authenticate_until_the_overlap_ends
    a_second_rotation_lets_the_present_secret_take_the_place_of_the_former_one
    a_rotation_without_an_overlap_ends_both_former_secrets
    an_overlap_out_of_bounds_is_refused_and_named
    no_body_and_an_empty_one_end_the_former_secret_at_once
    a_rotation_is_audited_and_no_secret_is_kept
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Whether the token endpoint takes a secret; in the header and in the form alike.
async fn works(reach: &Reach, app: &AppCredentials, secret: &str) -> bool {
    let id = app.client_id.as_str();
    let form = [GRANT, ("client_id", id), ("client_secret", secret)];
    let answers =
        [reach.token_request(&[GRANT], Some((id, secret))).await, reach.token_request(&form, None).await];
    let [header, form] = answers.map(|answer| match answer.status.as_u16() {
        200 => true,
        401 => answer.text("error") != "invalid_client",
        _ => panic!("{answer:?}"),
    });
    assert_eq!(header, form);
    header
}

async fn rotate(app: &AppCredentials, request: &Value) -> Answer {
    app.tenancy.post(&app.path("/rotate-secret"), request).await
}

/// The new secret of a rotation, and until when the former one counts.
async fn rotated(app: &AppCredentials, request: &Value) -> (String, Option<DateTime<Utc>>) {
    let answer = rotate(app, request).await.expect(200);
    let until = serde_json::from_value(answer.json()["former_secret_expires_at"].clone()).unwrap();
    (answer.text("client_secret"), until)
}

/// Moves the end of every overlap, which is the same as moving the database's clock.
fn pass(server: &TestServer, seconds: i64) {
    let micros = seconds * 1_000_000;
    let pass = format!("UPDATE apps SET former_secret_until = former_secret_until - {micros}");
    sql::execute(&mut server.connect(), &pass).unwrap();
}

async fn both_secrets_authenticate_until_the_overlap_ends(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let other = server.app(&[Scope::JobsRead]).await;
    let (second, until) = rotated(&app, &json!({"overlap_seconds": 3600})).await;
    let said = until.unwrap() - Utc::now();
    assert!((said - TimeDelta::hours(1)).abs() < TimeDelta::minutes(2), "{said}");
    for secret in [app.client_secret.as_str(), &second] {
        assert!(works(&server, &app, secret).await);
        assert!(!works(&server, &app, &secret[1..]).await && !works(&server, &other, secret).await);
    }
    pass(&server, 3_300);
    assert!(works(&server, &app, &app.client_secret).await && works(&server, &app, &second).await);
    pass(&server, 300);
    assert!(!works(&server, &app, &app.client_secret).await && works(&server, &app, &second).await);
}

async fn a_second_rotation_lets_the_present_secret_take_the_place_of_the_former_one(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let (second, first_until) = rotated(&app, &json!({"overlap_seconds": 86_400})).await;
    let (third, second_until) = rotated(&app, &json!({"overlap_seconds": 60})).await;
    assert!(second_until < first_until);
    assert!(!works(&server, &app, &app.client_secret).await);
    assert!(works(&server, &app, &second).await && works(&server, &app, &third).await);
    pass(&server, 60);
    assert!(!works(&server, &app, &second).await && works(&server, &app, &third).await);
}

async fn a_rotation_without_an_overlap_ends_both_former_secrets(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let (second, _) = rotated(&app, &json!({"overlap_seconds": 3600})).await;
    let (third, until) = rotated(&app, &json!({"overlap_seconds": 0})).await;
    assert_eq!(until, None);
    assert!(!works(&server, &app, &app.client_secret).await && !works(&server, &app, &second).await);
    assert!(works(&server, &app, &third).await);
}

async fn an_overlap_out_of_bounds_is_refused_and_named(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    for overlap in [json!(-1), json!(86_401), json!(1e30), json!(-1e30), json!(1.5), json!("60"), json!([])] {
        let refused = rotate(&app, &json!({"overlap_seconds": overlap})).await;
        let message = refused.expect_error(400, "invalid_request");
        assert!(message.contains("`overlap_seconds`"), "{overlap}: {message}");
    }
    let message = rotate(&app, &json!({"overlap": 1})).await.expect_error(400, "invalid_request");
    assert!(message.contains("`overlap`"), "{message}");
    assert!(works(&server, &app, &app.client_secret).await, "nothing was replaced");
    let mut secret = app.client_secret.clone();
    for (overlap, overlaps) in
        [(json!(60.0), true), (json!(86_400), true), (json!(0), false), (Value::Null, false)]
    {
        let (fresh, until) = rotated(&app, &json!({"overlap_seconds": overlap})).await;
        assert_eq!(until.is_some(), overlaps, "{overlap}");
        assert_eq!(works(&server, &app, &secret).await, overlaps, "{overlap}");
        secret = fresh;
    }
}

async fn no_body_and_an_empty_one_end_the_former_secret_at_once(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let (path, tenancy) = (app.path("/rotate-secret"), &app.tenancy);
    let request = || server.request(Host::Auth, Method::POST, &path).bearer_auth(&tenancy.admin_token);
    let mut secret = app.client_secret.clone();
    for request in [
        request(),
        // As curl sends it for `-d ''`.
        request().header("content-type", "application/x-www-form-urlencoded").body(""),
        request().json(&json!({})),
    ] {
        let answer = server.send(request).await.expect(200);
        assert_eq!(answer.json()["former_secret_expires_at"], Value::Null);
        let fresh = answer.text("client_secret");
        assert!(!works(&server, &app, &secret).await && works(&server, &app, &fresh).await);
        secret = fresh;
    }
}

async fn a_rotation_is_audited_and_no_secret_is_kept(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    rotate(&app, &json!({"overlap_seconds": 86_401})).await.expect(400);
    let (second, _) = rotated(&app, &json!({"overlap_seconds": 60})).await;
    let mut connection = server.connect();
    let audited = "SELECT action || ' ' || subject || ' ' || actor AS line FROM audit_events ORDER BY id";
    let audited = sql::lines(&mut connection, audited).unwrap();
    let rotations: Vec<_> = audited.iter().filter(|line| line.starts_with("app.secret.rotate ")).collect();
    assert!(matches!(rotations[..], [line] if line.contains(&app.client_id)), "{audited:?}");
    let kept = "SELECT secret_hash || ' ' || former_secret_hash AS line FROM apps";
    let kept = sql::lines(&mut connection, kept).unwrap().concat();
    for secret in [&app.client_secret, &second] {
        let end = &secret[secret.len() - 24..];
        assert!(!kept.contains(end) && !audited.concat().contains(end));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_rotation_is_in_a_log_that_has_everything() {
    let process = TestProcess::dev(binary());
    let app = process.tenancy().app(&[Scope::JobsRead]).await;
    let (second, _) = rotated(&app, &json!({"overlap_seconds": 60})).await;
    assert!(works(&process, &app, &app.client_secret).await && works(&process, &app, &second).await);
    let (third, _) = rotated(&app, &json!({})).await;
    assert!(!works(&process, &app, &app.client_secret).await && !works(&process, &app, &second).await);
    let (ended, _directory) = process.stop();
    assert!(ended.stderr.contains("request completed"), "it logged everything: {}", ended.stderr);
    for secret in [&app.client_secret, &second, &third] {
        assert!(!ended.stderr.contains(&secret[secret.len() - 24..]), "a part of a secret is in the log");
    }
}
