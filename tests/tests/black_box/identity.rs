//! Identity over HTTP on both engines: apps, secrets, governance and the tokens of an app.

use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{TestServer, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    the_scope_catalogue_lists_every_grantable_scope
    a_registered_app_can_be_viewed_and_shows_its_secret_once
    a_registration_that_breaks_a_rule_is_refused
    apps_are_listed_newest_first_in_pages_without_gap_or_repetition
    governance_changes_what_is_named_and_nothing_else
    an_app_of_another_tenant_does_not_exist
    a_bootstrapped_tenant_is_empty_and_its_token_administers_it
}

async fn the_scope_catalogue_lists_every_grantable_scope(server: TestServer) {
    let tenancy = server.tenant().await;
    let list = tenancy.get("/v1/platform/scopes").await.expect(200).json();
    let names: Vec<&str> =
        list["scopes"].as_array().unwrap().iter().map(|scope| scope["name"].as_str().unwrap()).collect();
    let catalogue: Vec<&str> = Scope::catalogue().map(Scope::as_str).collect();
    assert_eq!(names, catalogue);
    assert!(
        list["scopes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|scope| !scope["description"].as_str().unwrap().is_empty())
    );
}

async fn a_registered_app_can_be_viewed_and_shows_its_secret_once(server: TestServer) {
    let tenancy = server.tenant().await;
    let registration = json!({
        "name": "Case sync connector",
        "grant_types": ["client_credentials", "authorization_code"],
        "redirect_uris": ["https://partner.example.com/callback?x=1"],
        "requested_scopes": ["webhooks:write", "argus:jobs:read", "webhooks:write"],
    });
    let created = tenancy.post("/v1/platform/apps", &registration).await.expect(201);
    assert_eq!(created.header("cache-control"), "no-store");
    let mut created = created.json();
    let secret = created.as_object_mut().unwrap().remove("client_secret").unwrap();
    let callback_secret = created.as_object_mut().unwrap().remove("callback_secret").unwrap();
    assert!(callback_secret.as_str().unwrap().starts_with("whsec_"), "{callback_secret}");
    let client_id = created["client_id"].as_str().unwrap().to_owned();
    assert!(secret.as_str().unwrap().len() >= 43, "256 bits of base64url");
    assert_eq!(created["tenant_id"], tenancy.tenant_id.as_str());
    assert_eq!(created["organization_id"], tenancy.organization_id.as_str());
    assert_eq!(created["requested_scopes"], json!(["webhooks:write", "argus:jobs:read"]), "each once");
    assert_eq!(created["redirect_uris"], registration["redirect_uris"]);
    assert_eq!(created["governance"], governance(false, true));

    let viewed = tenancy.get(&format!("/v1/platform/apps/{client_id}")).await.expect(200);
    assert_eq!(viewed.json(), created, "as it was created, but without the secret");
    let listed = tenancy.get("/v1/platform/apps").await.expect(200);
    assert_eq!(listed.json(), json!({"apps": [created], "next_cursor": null}));
}

async fn a_registration_that_breaks_a_rule_is_refused(server: TestServer) {
    let tenancy = server.tenant().await;
    let good =
        json!({"name": "App", "grant_types": ["client_credentials"], "requested_scopes": ["webhooks:read"]});
    let cases: [(&str, Value, &str); 17] = [
        ("name", json!(""), "name"),
        ("name", json!(" \t "), "name"),
        ("name", json!("x".repeat(129)), "name"),
        ("grant_types", json!([]), "grant_types"),
        ("grant_types", json!(["password"]), "password"),
        ("requested_scopes", json!([]), "requested_scopes"),
        ("requested_scopes", json!(["argus:everything"]), "argus:everything"),
        ("requested_scopes", json!(["argus:internal:operate"]), "argus:internal:operate"),
        ("redirect_uris", json!(["http://partner.example.com/callback"]), "redirect"),
        ("redirect_uris", json!(["https://partner.example.com/callback#fragment"]), "redirect"),
        ("redirect_uris", json!(["callback"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["https://partner.example.com/a", "https:///x"]), "redirect_uris[1]"),
        ("redirect_uris", json!(["https://partner.example.com/%zz"]), "redirect"),
        ("redirect_uris", json!(["https://*/"]), "DNS"),
        ("redirect_uris", json!(["http://0177.0.0.1/"]), "DNS"),
        ("redirect_uris", json!(["http://localhost:3000/"]), "127.0.0.1"),
        ("grant_types", json!(["authorization_code"]), "redirect"),
    ];
    for (member, value, named) in cases {
        let mut registration = good.clone();
        registration[member] = value;
        let answer = tenancy.post("/v1/platform/apps", &registration).await;
        let message = answer.expect_error(400, "invalid_request");
        assert!(message.contains(named), "{registration}: {message}");
    }
    let listed = tenancy.get("/v1/platform/apps").await.expect(200);
    assert_eq!(listed.json()["apps"], json!([]), "nothing was kept");
}

async fn apps_are_listed_newest_first_in_pages_without_gap_or_repetition(server: TestServer) {
    let tenancy = server.tenant().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.insert(0, tenancy.app(&[Scope::WebhooksRead]).await.client_id);
    }
    for limit in [1, 2, 3, 7, 200] {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let query = match &cursor {
                None => serde_urlencoded::to_string([("limit", limit.to_string())]),
                Some(cursor) => {
                    serde_urlencoded::to_string([("limit", limit.to_string()), ("cursor", cursor.clone())])
                }
            };
            let page = tenancy.get(&format!("/v1/platform/apps?{}", query.unwrap())).await.expect(200).json();
            let apps = page["apps"].as_array().unwrap();
            assert!(apps.len() <= limit);
            found.extend(apps.iter().map(|app| app["client_id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(found, expected, "limit {limit}");
    }
    let page = tenancy.get("/v1/platform/apps?limit=2").await.expect(200).text("next_cursor");
    let stranger = server.tenant().await;
    let query = serde_urlencoded::to_string([("cursor", &page)]).unwrap();
    stranger.get(&format!("/v1/platform/apps?{query}")).await.expect_error(400, "invalid_request");
}

/// The governance of an app of which nothing but these was changed.
fn governance(allow_service_tokens: bool, enforce_pkce: bool) -> Value {
    json!({
        "allow_service_tokens": allow_service_tokens, "enforce_pkce": enforce_pkce,
        "approved_bundles": [], "suspended": false, "tokens_not_before": null,
    })
}

async fn governance_changes_what_is_named_and_nothing_else(server: TestServer) {
    let app = server.app(&[Scope::WebhooksRead]).await;
    let tenancy = &app.tenancy;
    for (change, tokens, pkce) in [
        (json!({"allow_service_tokens": true}), true, true),
        (json!({"enforce_pkce": false}), true, false),
        (json!({}), true, false),
        (json!({"allow_service_tokens": false, "enforce_pkce": true}), false, true),
    ] {
        let expected = governance(tokens, pkce);
        let answer = tenancy.govern(&app.client_id, &change).await.expect(200);
        let governed = json!({"client_id": app.client_id, "governance": expected, "pending_scopes": []});
        assert_eq!(answer.json(), governed);
        let viewed = tenancy.get(&format!("/v1/platform/apps/{}", app.client_id)).await.expect(200);
        assert_eq!(viewed.json()["governance"], expected);
    }
    let message = tenancy.govern(&app.client_id, &json!({"allow_everything": true})).await;
    assert!(message.expect_error(400, "invalid_request").contains("allow_everything"));
}

async fn an_app_of_another_tenant_does_not_exist(server: TestServer) {
    let [owner, stranger] = [server.tenant().await, server.tenant().await];
    let app = owner.app(&[Scope::WebhooksRead]).await;
    owner.govern(&app.client_id, &json!({"allow_service_tokens": true})).await.expect(200);
    for client_id in [app.client_id.as_str(), "app_that_nobody_has"] {
        let path = format!("/v1/platform/apps/{client_id}");
        let messages = [
            stranger.get(&path).await,
            stranger.govern(client_id, &json!({"enforce_pkce": false})).await,
            stranger.post(&format!("{path}/service-token"), &json!({"scopes": ["webhooks:read"]})).await,
            stranger.post(&format!("{path}/sandbox-token"), &json!({})).await,
            stranger.post_nothing(&format!("{path}/rotate-secret")).await,
        ]
        .map(|answer| answer.expect_error(404, "not_found"));
        assert!(messages.iter().all(|message| message == "no such app"), "{messages:?}");
    }
    assert_eq!(stranger.get("/v1/platform/apps").await.expect(200).json()["apps"], json!([]));
    app.live_token(&[]).await;
}

async fn a_bootstrapped_tenant_is_empty_and_its_token_administers_it(server: TestServer) {
    let [first, second] = [server.tenant().await, server.tenant().await];
    assert_ne!(first.tenant_id, second.tenant_id);
    assert_eq!(first.get("/v1/platform/apps").await.expect(200).json()["apps"], json!([]));
    let answer = first.post("/internal/tenants", &json!({"name": "Own tenant"})).await;
    answer.expect_error(403, "insufficient_scope");
    let operator = server.operator_token();
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x".repeat(129)}),
        json!({"name": 1}),
        json!({"name": "a\u{202e}b"}),
        json!({"name": "a\u{0}b"}),
    ] {
        let answer = server.json(Host::Auth, Method::POST, "/internal/tenants", &operator, &body).await;
        answer.expect_error(400, "invalid_request");
    }
}
