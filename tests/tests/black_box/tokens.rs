//! Tokens over HTTP on both engines: client credentials, rotation, service and sandbox tokens, and the
//! keys that verify them.

use super::support::binary;
use argus_core::Clock;
use argus_core::store::AnyConnection;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_partner::claims::Claims;
use argus_partner::signing_keys::{Begin, KEY_SET_MAX_AGE, KeyRing};
use argus_tests::{Installation, Reach, TestServer, on_both_engines, sql};
use chrono::{TimeDelta, Utc};
use http::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both_engines! {
    a_client_gets_a_token_with_basic_and_with_the_form
    a_client_that_authenticates_twice_or_wrongly_gets_no_token
    each_faulty_token_request_gets_its_own_error_and_no_challenge
    a_token_request_that_meets_a_fault_is_told_so_as_oauth_has_it
    a_token_request_is_granted_only_what_is_approved
    a_rotated_secret_ends_the_old_one_at_once
    a_service_token_needs_governance_and_an_approved_scope
    a_sandbox_token_says_what_it_is_good_for
    the_lifetime_of_a_sandbox_token_is_clamped
    an_unknown_scenario_is_refused_and_the_valid_ones_are_named
    a_sandbox_token_cannot_mint
    keys_rotate_while_the_server_runs
    an_emergency_rotation_signs_at_once_and_says_what_it_costs
    a_token_is_taken_until_the_second_of_its_expiry
    a_token_is_taken_from_a_minute_before_its_nbf_on
}

/// What a token says, verified as a partner would: with a stock library and the published keys.
async fn verified(reach: &Reach, token: &str, audience: &str) -> Claims {
    let [well_known, versioned] = [
        reach.get(Host::Auth, "/.well-known/jwks.json", None).await.expect(200),
        reach.get(Host::Auth, "/v1/auth/jwks.json", None).await.expect(200),
    ];
    assert_eq!(well_known.body, versioned.body);
    for key in well_known.json()["keys"].as_array().unwrap() {
        assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!("RSA"), &json!("sig"), &json!("RS256")));
        assert!(key["n"].as_str().unwrap().len() >= 342, "2048 bits or more");
        assert_eq!(key.as_object().unwrap().len(), 6, "nothing but the public key: {key}");
    }
    let keys: JwkSet = serde_json::from_slice(&well_known.body).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.alg, Algorithm::RS256);
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[audience]);
    rules.set_issuer(&[Host::Auth.public_url()]);
    rules.set_required_spec_claims(&["exp", "iat", "aud", "iss", "sub"]);
    jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims
}

async fn a_token_request_that_meets_a_fault_is_told_so_as_oauth_has_it(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let mut other = server.connect();
    // On PostgreSQL a function looks, whatever the table is called.
    let [away, back] = match other {
        AnyConnection::Pg(_) => [
            "ALTER FUNCTION argus_find_client(text) RENAME TO elsewhere",
            "ALTER FUNCTION elsewhere(text) RENAME TO argus_find_client",
        ],
        AnyConnection::Sqlite(_) => {
            ["ALTER TABLE apps RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO apps"]
        }
    };
    sql::execute(&mut other, away).unwrap();
    let answer = server.token_request(&[("grant_type", "client_credentials")], app.basic()).await;
    assert_eq!(answer.expect(500).text("error"), "server_error");
    sql::execute(&mut other, back).unwrap();
    app.live_token(&[]).await;
}

async fn a_client_gets_a_token_with_basic_and_with_the_form(server: TestServer) {
    let app = server.app(&[Scope::JobsRead, Scope::WebhooksWrite]).await;
    let tenancy = &app.tenancy;
    let (id, secret) = (app.client_id.as_str(), app.client_secret.as_str());
    let grant = ("grant_type", "client_credentials");
    for answer in [
        server.token_request(&[grant], Some((id, secret))).await,
        server.token_request(&[grant, ("client_id", id), ("client_secret", secret)], None).await,
        server.token_request(&[grant, ("scope", ""), ("resource", "ignored")], Some((id, secret))).await,
    ] {
        let answer = answer.expect(200);
        answer.assert_standard_headers(Host::Auth);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            (answer.json()["expires_in"].as_i64(), answer.text("token_type")),
            (Some(3600), "Bearer".into())
        );
        assert_eq!(answer.text("scope"), "argus:jobs:read webhooks:write");
        let claims = verified(&server, &answer.text("access_token"), "api").await;
        assert_eq!(claims.scope, "argus:jobs:read webhooks:write");
        assert_eq!((claims.sub.as_str(), claims.client_id.as_str()), (id, id));
        assert_eq!(claims.tenant_id, tenancy.tenant_id);
        assert_eq!(claims.organization_id, tenancy.organization_id);
        assert_eq!(claims.exp - claims.iat, 3600);
        assert_eq!(claims.scenarios, None);
    }
}

async fn a_client_that_authenticates_twice_or_wrongly_gets_no_token(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let tenancy = &app.tenancy;
    let other = tenancy.app(&[Scope::JobsRead]).await;
    let (id, secret) = (app.client_id.as_str(), app.client_secret.as_str());
    let grant = ("grant_type", "client_credentials");
    let form = [grant, ("client_id", id), ("client_secret", secret)];
    let both = server.token_request(&form, Some((id, secret))).await;
    assert_eq!(both.expect(400).text("error"), "invalid_request");

    let nameless = server.token_request(&[grant, ("client_id", ""), ("client_secret", secret)], None).await;
    assert_eq!(nameless.expect(400).text("error"), "invalid_request");

    let mut answers = Vec::new();
    for (id, secret) in [
        (id, "wrong"),
        (id, ""),
        (id, &secret[1..]),
        (id, other.client_secret.as_str()),
        ("app_that_nobody_has", secret),
    ] {
        answers.push(server.token_request(&[grant], Some((id, secret))).await);
        answers
            .push(server.token_request(&[grant, ("client_id", id), ("client_secret", secret)], None).await);
    }
    answers.push(server.token_request(&[grant], None).await);
    answers.push(server.token_request(&[grant, ("client_id", id)], None).await);
    for answer in answers {
        let answer = answer.expect(401);
        assert_eq!(answer.text("error"), "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{answer:?}");
        assert_eq!(
            answer.text("error_description"),
            "the client could not be authenticated",
            "one text for all"
        );
    }
}

async fn each_faulty_token_request_gets_its_own_error_and_no_challenge(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let (id, secret) = (app.client_id.as_str(), app.client_secret.as_str());
    let given = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    for (in_header, changed, error) in [
        (false, &[("grant_type", "")][..], "invalid_request"),
        (false, &[("grant_type", "password")], "unsupported_grant_type"),
        (false, &[("grant_type", "CLIENT_CREDENTIALS")], "unsupported_grant_type"),
        (true, &[], "invalid_request"),
        (true, &[("client_id", "app_other"), ("client_secret", "")], "invalid_request"),
        (false, &[("client_id", "")], "invalid_request"),
        (false, &[("scope", "argus:jobs:write")], "invalid_scope"),
        (false, &[("scope", "argus:jobs:read argus:jobs:write")], "invalid_scope"),
        (false, &[("scope", "argus:jobs:read\u{2003}no:such")], "invalid_scope"),
        (false, &[("scope", "argus:internal:operate")], "invalid_scope"),
        (false, &[("scope", " ")], "invalid_scope"),
        (false, &[("scope", " argus:jobs:read")], "invalid_scope"),
        (false, &[("scope", "argus:jobs:read ")], "invalid_scope"),
        (false, &[("scope", "argus:jobs:read  argus:jobs:read")], "invalid_scope"),
        (false, &[("scope", "argus:jobs:read\targus:jobs:read")], "invalid_scope"),
    ] {
        let is_kept = |field: &&(&str, &str)| changed.iter().all(|(name, _)| *name != field.0);
        let form: Vec<_> = given.iter().filter(is_kept).chain(changed).copied().collect();
        let answer = server.token_request(&form, app.basic().filter(|_| in_header)).await.expect(400);
        assert_eq!(answer.text("error"), error, "{form:?}");
        assert_eq!(answer.header("www-authenticate"), "", "{form:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{form:?}");
        // RFC 6749, section 5.2: the alphabet of a description.
        let allowed = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
        assert!(answer.text("error_description").chars().all(allowed), "{answer:?}");
    }
}

async fn a_token_request_is_granted_only_what_is_approved(server: TestServer) {
    let app = server.app(&[Scope::JobsRead, Scope::WebhooksWrite]).await;
    let tenancy = &app.tenancy;
    let basic = app.basic();
    let ask = |form: Vec<(&'static str, &'static str)>| {
        let server = &server;
        async move { server.token_request(&form, basic).await }
    };
    let grant = ("grant_type", "client_credentials");
    let one = ask(vec![grant, ("scope", "webhooks:write")]).await.expect(200);
    assert_eq!(one.text("scope"), "webhooks:write");
    for scope in ["argus:jobs:write", "webhooks:write argus:jobs:write", "argus:platform:admin", "nonsense"] {
        assert_eq!(
            ask(vec![grant, ("scope", scope)]).await.expect(400).text("error"),
            "invalid_scope",
            "{scope}"
        );
    }
    assert_eq!(ask(vec![]).await.expect(400).text("error"), "invalid_request");
    for (grant_type, error) in [
        ("password", "unsupported_grant_type"),
        ("CLIENT_CREDENTIALS", "unsupported_grant_type"),
        ("authorization_code", "unauthorized_client"),
        ("refresh_token", "unauthorized_client"),
    ] {
        let answer = ask(vec![("grant_type", grant_type)]).await.expect(400);
        assert_eq!(answer.text("error"), error, "{grant_type}");
    }
    let registration = json!({
        "name": "Web app", "grant_types": ["authorization_code"],
        "redirect_uris": ["https://partner.example.com/cb"], "requested_scopes": ["webhooks:read"],
    });
    let web = tenancy.post("/v1/platform/apps", &registration).await.expect(201);
    let (id, secret) = (web.text("client_id"), web.text("client_secret"));
    let answer = server.token_request(&[grant], Some((&id, &secret))).await.expect(400);
    assert_eq!(answer.text("error"), "unauthorized_client");
}

async fn a_rotated_secret_ends_the_old_one_at_once(server: TestServer) {
    let app = server.app(&[Scope::PlatformRead]).await;
    let tenancy = &app.tenancy;
    let token = app.live_token(&[]).await;
    let path = app.path("/rotate-secret");
    let rotated = tenancy.post_nothing(&path).await.expect(200);
    let secret = rotated.text("client_secret");
    assert_ne!(secret, app.client_secret);
    let grant = [("grant_type", "client_credentials")];
    server.token_request(&grant, app.basic()).await.expect(401);
    server.token_request(&grant, Some((&app.client_id, &secret))).await.expect(200);
    server.get(Host::Auth, "/v1/platform/scopes", Some(&token)).await.expect(200);
}

async fn a_service_token_needs_governance_and_an_approved_scope(server: TestServer) {
    let app = server.app(&[Scope::WebhooksWrite, Scope::PlatformRead]).await;
    let tenancy = &app.tenancy;
    let path = app.path("/service-token");
    let ask = |scopes: Value| {
        let (tenancy, path) = (&tenancy, &path);
        async move { tenancy.post(path, &json!({"scopes": scopes})).await }
    };
    ask(json!(["webhooks:write"])).await.expect_error(403, "service_tokens_not_allowed");
    tenancy.govern(&app.client_id, &json!({"allow_service_tokens": true})).await.expect(200);

    let minted = ask(json!(["argus:platform:read"])).await.expect(200);
    assert_eq!(minted.json().as_object().unwrap().len(), 2, "token and expires_at");
    let claims = verified(&server, &minted.text("token"), "api").await;
    assert_eq!(claims.scope, "argus:platform:read");
    assert_eq!(claims.tenant_id, tenancy.tenant_id);
    let expires_at: chrono::DateTime<chrono::Utc> = minted.text("expires_at").parse().unwrap();
    assert_eq!(expires_at.timestamp(), claims.exp);
    server.get(Host::Auth, "/v1/platform/scopes", Some(&minted.text("token"))).await.expect(200);

    let message = ask(json!(["argus:jobs:read"])).await.expect_error(400, "scope_not_approved");
    assert!(message.contains("argus:jobs:read"), "{message}");
    for scopes in [json!([]), json!(["nonsense"]), json!("webhooks:write"), Value::Null] {
        ask(scopes).await.expect_error(400, "invalid_request");
    }
    tenancy.govern(&app.client_id, &json!({"allow_service_tokens": false})).await.expect(200);
    ask(json!(["webhooks:write"])).await.expect_error(403, "service_tokens_not_allowed");
}

async fn a_sandbox_token_says_what_it_is_good_for(server: TestServer) {
    let app = server.app(&[Scope::WebhooksRead, Scope::PlatformRead, Scope::JobsRead]).await;
    let tenancy = &app.tenancy;
    let path = app.path("/sandbox-token");
    let scenarios = json!(["wallet.high-risk", "entity.sanctioned", "wallet.high-risk"]);
    let minted = tenancy.post(&path, &json!({"scenarios": scenarios})).await.expect(200);
    let body = minted.json();
    assert_eq!(body["audience"], "sandbox");
    assert_eq!(
        body["scenarios"],
        json!(["wallet.high-risk", "entity.sanctioned"]),
        "as asked for, each once"
    );
    assert_eq!(body["sandbox_host"], server.url(Host::Sandbox, ""));
    let scopes = [
        "argus:profiles:read",
        "argus:profiles:write",
        "argus:jobs:read",
        "argus:jobs:write",
        "webhooks:read",
    ];
    assert_eq!(body["scopes"], json!(scopes), "the usual four, and what the sandbox serves of the approved");
    let claims = verified(&server, &minted.text("token"), "sandbox").await;
    assert_eq!(claims.scope, scopes.join(" "));
    assert_eq!(claims.scenarios, Some(vec!["entity.sanctioned".to_owned(), "wallet.high-risk".to_owned()]));
    assert_eq!(
        (claims.tenant_id, claims.organization_id),
        (tenancy.tenant_id.clone(), tenancy.organization_id.clone())
    );

    let token = minted.text("token");
    server.get(Host::Sandbox, "/v1/profiles/p1", Some(&token)).await.expect(200);
    server.get(Host::Sandbox, "/v1/webhooks", Some(&token)).await.expect(200);
    server.get(Host::Sandbox, "/v1/discovery/data-schemas", Some(&token)).await.expect(403);
    let live = server.get(Host::Auth, "/v1/platform/scopes", Some(&token)).await;
    live.expect_error(403, "sandbox_token_on_live_host");
    assert_eq!(live.header("x-argus-sandbox-reason"), "sandbox-token-on-live-host");
}

async fn the_lifetime_of_a_sandbox_token_is_clamped(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let tenancy = &app.tenancy;
    let path = app.path("/sandbox-token");
    let lifetime = async |body: Option<&str>| {
        let request = server.request(Host::Auth, Method::POST, &path).bearer_auth(&tenancy.admin_token);
        let answer = server
            .send(match body {
                Some(body) => request.header("content-type", "application/json").body(body.to_owned()),
                None => request,
            })
            .await
            .expect(200);
        let claims = verified(&server, &answer.text("token"), "sandbox").await;
        claims.exp - claims.iat
    };
    for (ttl, expected) in [
        ("-5", 60),
        ("0", 60),
        ("10", 60),
        ("59.0", 60),
        ("36e2", 3600),
        ("60", 60),
        ("3600", 3600),
        ("86400", 86_400),
        ("100000", 86_400),
        ("1e30", 86_400),
        ("-1e30", 60),
        ("99999999999999999999", 86_400),
        ("null", 3600),
    ] {
        assert_eq!(lifetime(Some(&format!("{{\"ttl_seconds\":{ttl}}}"))).await, expected, "{ttl}");
    }
    assert_eq!(lifetime(Some("{}")).await, 3600);
    assert_eq!(lifetime(None).await, 3600, "no body at all");
    for ttl in [json!("60"), json!([60]), json!(true), json!(59.9), json!(3600.5)] {
        tenancy.post(&path, &json!({"ttl_seconds": ttl})).await.expect_error(400, "invalid_request");
    }
}

async fn an_unknown_scenario_is_refused_and_the_valid_ones_are_named(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let tenancy = &app.tenancy;
    let path = app.path("/sandbox-token");
    let answer = tenancy.post(&path, &json!({"scenarios": ["wallet.clean", "wallet.dirty"]})).await;
    let message = answer.expect_error(400, "unknown_scenario");
    assert!(message.contains("wallet.dirty"), "{message}");
    let token = app.sandbox_token(&[]).await;
    let catalogue = server.get(Host::Sandbox, "/v1/sandbox/scenarios", Some(&token)).await.expect(200).json();
    let valid = catalogue["scenarios"].as_array().unwrap();
    assert_eq!(valid.len(), 5);
    for scenario in valid {
        let id = scenario["id"].as_str().unwrap();
        assert!(message.contains(id), "{message} names {id}");
        app.sandbox_token(&[id]).await;
    }
}

async fn a_sandbox_token_cannot_mint(server: TestServer) {
    let scopes: Vec<Scope> = Scope::catalogue().collect();
    let app = server.app(&scopes).await;
    let tenancy = &app.tenancy;
    tenancy.govern(&app.client_id, &json!({"allow_service_tokens": true})).await.expect(200);
    let token = app.sandbox_token(&[]).await;
    let path = app.path("");
    for (path, body) in [
        (format!("{path}/sandbox-token"), json!({})),
        (format!("{path}/service-token"), json!({"scopes": ["webhooks:read"]})),
        (format!("{path}/rotate-secret"), json!({})),
        ("/v1/platform/apps".to_owned(), json!({})),
    ] {
        let live = server.post(Host::Auth, &path, &token, &body).await;
        live.expect_error(403, "sandbox_token_on_live_host");
        assert_eq!(server.post(Host::Sandbox, &path, &token, &body).await.status, 404);
    }
}

/// Rotates with the command, and says which key is new.
fn rotate(server: &TestServer, arguments: &[&str]) -> (String, String) {
    let rotated = server.command(binary(), &[&["keys", "rotate"], arguments].concat());
    assert!(rotated.status.success(), "{rotated:?}");
    let said = String::from_utf8(rotated.stdout).unwrap();
    (said.split(' ').nth(1).unwrap().to_owned(), said)
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn keys_rotate_while_the_server_runs(installation: Installation) {
    let clock = Clock::standing(Utc::now());
    let server = TestServer::start_on(installation, clock.clone());
    let app = server.app(&[Scope::PlatformRead]).await;
    let old = app.live_token(&[]).await;
    let (new_kid, said) = rotate(&server, &[]);
    assert!(said.contains(&format!("\n{}  signing ", kid(&old))), "{said}");
    assert!(said.contains(&format!("\n{new_kid}  published  signs from 2")), "{said}");

    // The server looks at the keys once a second.
    let published = async || {
        let keys = server.get(Host::Auth, "/.well-known/jwks.json", None).await.expect(200).json();
        let keys = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        keys.collect::<Vec<String>>()
    };
    let give_up = Instant::now() + Duration::from_secs(20);
    while published().await != [kid(&old), new_kid.clone()] {
        assert!(Instant::now() < give_up, "{:?}", published().await);
    }
    assert_eq!(kid(&app.live_token(&[]).await), kid(&old), "the new key waits until everybody knows it");
    clock.advance(TimeDelta::seconds(i64::from(KEY_SET_MAX_AGE) + 90));
    let new = app.live_token(&[]).await;
    assert_eq!(kid(&new), new_kid);
    assert_eq!(published().await, [new_kid, kid(&old)], "the retired key stays published");
    for token in [&old, &new] {
        server.get(Host::Auth, "/v1/platform/scopes", Some(token)).await.expect(200);
        verified(&server, token, "api").await;
    }
}

async fn an_emergency_rotation_signs_at_once_and_says_what_it_costs(server: TestServer) {
    let app = server.app(&[Scope::PlatformRead]).await;
    let old = app.live_token(&[]).await;
    let (new_kid, said) = rotate(&server, &["--now"]);
    let max_age = server.get(Host::Auth, "/.well-known/jwks.json", None).await.expect(200);
    let max_age = max_age
        .header("cache-control")
        .split("max-age=")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    assert!(said.contains(&format!("for up to {max_age} seconds")), "{said}");
    assert!(said.contains(&format!("\n{new_kid}  signing ")), "{said}");
    assert!(said.contains(&format!("\n{}  retired    published until 2", kid(&old))), "{said}");

    // A token of a key that the server has not seen makes it look at once.
    let ring = KeyRing::open(&server.data_dir(), Clock::system()).unwrap();
    let scopes = [Scope::PlatformRead];
    let foreign = ring.sign(&argus_tests::claims("api", &app.tenancy.tenant_id, &scopes)).unwrap();
    assert_eq!(kid(&foreign), new_kid);
    for token in [&foreign, &old] {
        server.get(Host::Auth, "/v1/platform/scopes", Some(token)).await.expect(200);
    }
    let new = app.live_token(&[]).await;
    assert_eq!(kid(&new), new_kid);
    verified(&server, &old, "api").await;
    verified(&server, &new, "api").await;
}

async fn a_token_is_taken_until_the_second_of_its_expiry(installation: Installation) {
    let clock = Clock::standing("2026-11-25T12:00:00.5Z".parse().unwrap());
    let server = TestServer::start_on(installation, clock.clone());
    let app = server.app(&[Scope::PlatformRead]).await;
    let (live, sandbox) = (app.live_token(&[]).await, app.sandbox_token(&[]).await);
    let ask = async || {
        let live = server.get(Host::Auth, "/v1/platform/scopes", Some(&live)).await;
        [live, server.get(Host::Sandbox, "/v1/profiles/p1", Some(&sandbox)).await]
    };
    clock.advance(TimeDelta::milliseconds(3_599_499));
    for answer in ask().await {
        answer.expect(200);
    }
    clock.advance(TimeDelta::milliseconds(1));
    for answer in ask().await {
        answer.expect_error(401, "invalid_token");
    }
    server.get(Host::Auth, "/v1/platform/scopes", Some(&app.live_token(&[]).await)).await.expect(200);
}

async fn a_token_is_taken_from_a_minute_before_its_nbf_on(installation: Installation) {
    let clock = Clock::standing("2026-11-25T12:00:00Z".parse().unwrap());
    let server = TestServer::start_on(installation, clock.clone());
    let tenant = server.tenant().await;
    let token = |host, scope, nbf| {
        let mut claims = server.claims(host, tenant.tenant_id.as_str(), &[scope]);
        claims.nbf = Some(claims.iat + nbf);
        server.sign(&claims)
    };
    let live = token(Host::Auth, Scope::PlatformRead, 61);
    let sandbox = token(Host::Sandbox, Scope::ProfilesRead, 61);
    let ask = async || {
        let live = server.get(Host::Auth, "/v1/platform/scopes", Some(&live)).await;
        [live, server.get(Host::Sandbox, "/v1/profiles/p1", Some(&sandbox)).await]
    };
    for answer in ask().await {
        answer.expect_error(401, "invalid_token");
    }
    clock.advance(TimeDelta::seconds(1));
    for answer in ask().await {
        answer.expect(200);
    }
    let past = token(Host::Auth, Scope::PlatformRead, -3000);
    server.get(Host::Auth, "/v1/platform/scopes", Some(&past)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_taken_before_is_refused_once_its_key_is_withdrawn() {
    let server = TestServer::start();
    let tenancy = server.tenant().await;
    let [old, path] = [tenancy.admin_token.as_str(), "/v1/platform/scopes"];
    server.get(Host::Auth, path, Some(old)).await.expect(200);
    let keys = server.state().identity.keys();
    server.state().identity.rotate_keys(Begin::Now).unwrap();
    server.get(Host::Auth, path, Some(old)).await.expect(200);

    // What an operator does who must withdraw a key before its time.
    let manifest = server.data_dir().join("keys/manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let end = serde_json::to_value(keys.list()[1].published_until.unwrap()).unwrap();
    let past = text.replace(end.as_str().unwrap(), "2020-01-01T00:00:00Z");
    assert_ne!(past, text);
    std::fs::write(&manifest, past).unwrap();
    keys.refresh().unwrap();
    server.get(Host::Auth, path, Some(old)).await.expect_error(401, "invalid_token");
    server.tenant().await.get(path).await.expect(200);
}
