//! What RFC 9700 warns of: none of it leads anywhere.

use super::{
    PASSWORD, REDIRECT, STATE, Scene, VERIFIER, assert_invalid_grant, challenge, register, sent_back, text,
    tokens,
};
use argus_openapi::Host;
use argus_tests::{Tab, TestServer, on_both_engines, sql};
use serde_json::json;

on_both_engines! {
    nobody_is_sent_to_a_redirect_uri_that_is_not_the_apps
    what_is_wrong_with_a_request_is_told_to_the_app_once_its_uri_is_proven
    nobody_is_talked_out_of_pkce
    a_code_is_good_once_and_a_second_use_ends_what_the_first_one_got
    a_code_is_worth_nothing_to_another_client_at_another_uri_or_after_a_minute
    a_form_of_another_page_allows_nothing
    a_user_token_of_one_app_is_no_credential_of_another
}

async fn nobody_is_sent_to_a_redirect_uri_that_is_not_the_apps(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    for uri in [
        "https://evil.example/callback",
        "https://partner.example/callback/",
        "https://partner.example/callback?next=https://evil.example",
        "https://partner.example/callback#fragment",
        "https://partner.example:443/callback",
        "https://partner.example@evil.example/callback",
        "https://partner.example.evil.example/callback",
        "https://PARTNER.example/callback",
        "http://partner.example/callback",
        "https://partner.example/../callback",
        "https://partner.example/%63allback",
        "//partner.example/callback",
        "javascript:alert(1)",
        "https://partner.example/callback\r\nSet-Cookie: a=b",
    ] {
        // Whatever else is wrong.
        for changes in [&[("redirect_uri", uri)][..], &[("redirect_uri", uri), ("response_type", "token")]] {
            let answer = scene.authorize(changes).await.expect(400);
            assert_eq!(answer.header("location"), "", "{uri} {answer:?}");
            assert!(!answer.page().contains("evil.example"), "{answer:?}");
        }
    }
    for client_id in ["app_01hzzzzzzzzzzzzzzzzzzzzzzz", "", "x\0y"] {
        let answer = scene.authorize(&[("client_id", client_id)]).await.expect(400);
        assert_eq!(answer.header("location"), "", "{answer:?}");
    }
    // Of several, one must be named.
    let two = json!({"redirect_uris": [REDIRECT, "https://partner.example/other"]});
    let app = register(&scene.tenancy, &two).await;
    scene.authorize(&[("client_id", &text(&app, "client_id")), ("redirect_uri", "")]).await.expect(400);
    // A parameter that stands twice is nobody's.
    let twice = format!("/v1/oauth/authorize?{}&redirect_uri=https%3A%2F%2Fevil.example", scene.query(&[]));
    assert_eq!(scene.tab.get(&twice).await.expect(400).header("location"), "");
}

async fn what_is_wrong_with_a_request_is_told_to_the_app_once_its_uri_is_proven(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let long = "s".repeat(2049);
    for (changes, error) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("scope", "argus:unknown")], "invalid_scope"),
        (&[("scope", " ")], "invalid_scope"),
    ] {
        let brought = sent_back(&scene.authorize(changes).await, REDIRECT);
        assert_eq!((brought["error"].as_str(), brought["state"].as_str()), (error, STATE), "{changes:?}");
        assert_eq!(brought["iss"], scene.server.state().identity.issuer());
        assert!(!brought.contains_key("code"));
    }
    let brought = sent_back(&scene.authorize(&[("state", &long)]).await, REDIRECT);
    assert_eq!((brought["error"].as_str(), brought.get("state")), ("invalid_request", None));
    let other = register(&scene.tenancy, &json!({"grant_types": ["client_credentials"]})).await;
    let brought = sent_back(&scene.authorize(&[("client_id", &text(&other, "client_id"))]).await, REDIRECT);
    assert_eq!(brought["error"], "unauthorized_client");
}

async fn nobody_is_talked_out_of_pkce(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    for verifier in ["", "another-verifier-of-at-least-forty-three-characters", &challenge(VERIFIER)] {
        let code = scene.code().await;
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)];
        if !verifier.is_empty() {
            form.push(("code_verifier", verifier));
        }
        assert_invalid_grant(&scene.token(&form).await);
        // It was used up by that.
        assert_invalid_grant(&scene.exchange(&code).await);
    }
    // Where PKCE is not required, a verifier without a challenge is one that somebody has taken the challenge from.
    scene.tenancy.govern(&scene.client_id, &json!({"enforce_pkce": false})).await.expect(200);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = scene.allow(&without).await["code"].clone();
    assert_invalid_grant(&scene.exchange(&code).await);
    let code = scene.allow(&without).await["code"].clone();
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
    tokens(&scene.token(&form).await);
}

async fn a_code_is_good_once_and_a_second_use_ends_what_the_first_one_got(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let code = scene.code().await;
    let got = tokens(&scene.exchange(&code).await);
    assert_invalid_grant(&scene.exchange(&code).await);
    assert_invalid_grant(&scene.refresh(&got.refresh).await);
    assert_eq!(scene.introspect(&got.access).await, json!({"active": false}));
    // At the same time, too: one gets it at most.
    let code = scene.code().await;
    let answers = futures::future::join_all((0..10).map(|_| scene.exchange(&code))).await;
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 400)), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
}

async fn a_code_is_worth_nothing_to_another_client_at_another_uri_or_after_a_minute(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let code = scene.code().await;
    let other = register(&scene.tenancy, &json!({})).await;
    let (id, secret) = (text(&other, "client_id"), text(&other, "client_secret"));
    let form = |code: &str, uri: &str| {
        let pairs = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri)];
        let pairs = pairs.into_iter().chain([("code_verifier", VERIFIER)]);
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let send = async |form: Vec<(String, String)>, basic: (&str, &str)| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        scene.server.token_request(&form, Some(basic)).await
    };
    assert_invalid_grant(&send(form(&code, REDIRECT), (&id, &secret)).await);
    // It is still there for its own.
    tokens(&scene.exchange(&code).await);
    for uri in ["https://partner.example/other", ""] {
        let code = scene.code().await;
        let own = (scene.client_id.clone(), scene.client_secret.clone());
        let form = form(&code, uri);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_invalid_grant(&scene.server.token_request(&form, Some((&own.0, &own.1))).await);
    }
    let code = scene.code().await;
    let late = "UPDATE authorization_codes SET expires_at = expires_at - 60000000";
    sql::execute(&mut scene.server.connect(), late).unwrap();
    assert_invalid_grant(&scene.exchange(&code).await);
    for code in ["", "unknown", "\u{e9}"] {
        let answer = scene.exchange(code).await;
        assert_eq!(answer.status.as_u16(), 400, "{answer:?}");
    }
}

async fn a_form_of_another_page_allows_nothing(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let consent = scene.authorize(&[]).await.expect(302).header("location").to_owned();
    scene.tab.get(&consent).await.expect(200);
    let mut evil = Tab::new(&scene.server);
    evil.get("/sign-in").await.expect(200);
    let form_token = std::mem::replace(&mut scene.tab.form_token, evil.form_token.clone());
    let refused = scene.tab.post(&consent, &[("decision", "allow")]).await.expect(403);
    assert_eq!(refused.header("location"), "");
    scene.tab.form_token = form_token;
    let request = scene
        .tab
        .request(http::Method::POST, &consent)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(format!("decision=allow&form_token={}", scene.tab.form_token));
    scene.tab.send(request).await.expect(403);
    let allowed = scene.tab.post(&consent, &[("decision", "allow")]).await;
    assert!(sent_back(&allowed, REDIRECT).contains_key("code"));
}

async fn a_user_token_of_one_app_is_no_credential_of_another(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let got = scene.tokens().await;
    let other = register(&scene.tenancy, &json!({})).await;
    let basic = (text(&other, "client_id"), text(&other, "client_secret"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", got.refresh.as_str())];
    assert_invalid_grant(&scene.server.token_request(&form, Some((&basic.0, &basic.1))).await);
    let own = std::mem::replace(&mut scene.client_id, basic.0);
    let own_secret = std::mem::replace(&mut scene.client_secret, basic.1);
    for token in [&got.access, &got.refresh] {
        assert_eq!(scene.introspect(token).await, json!({"active": false}));
        scene.post("/v1/oauth/revoke", &[("token", token)]).await.expect(200);
    }
    (scene.client_id, scene.client_secret) = (own, own_secret);
    assert_eq!(scene.introspect(&got.refresh).await["active"], true);
    scene.server.get(Host::Api, "/v1/jobs", Some(&got.access)).await.expect(200);
    // Nor does a password sign anybody in over the token endpoint.
    let form = [("grant_type", "password"), ("username", super::EMAIL), ("password", PASSWORD)];
    assert_eq!(scene.token(&form).await.expect(400).text("error"), "unsupported_grant_type");
}
