//! Requests that are pushed first (RFC 9126).

use super::{EMAIL, PASSWORD, REDIRECT, Scene, register, sent_back, text, tokens};
use argus_tests::{Tab, TestServer, on_both_engines, sql};
use serde_json::json;

on_both_engines! {
    a_pushed_request_leads_to_one_code_however_long_the_user_takes_to_sign_in
    somebody_who_is_signed_in_may_take_longer_than_a_reference_lives_and_a_made_up_cookie_may_not
    the_page_to_sign_in_may_lead_to_the_app_of_a_pushed_request_that_was_allowed_before
    a_reference_opens_nothing_after_its_life_for_another_client_or_a_second_time
    what_would_be_refused_is_refused_when_it_is_pushed
}

async fn push(scene: &Scene, changes: &[(&str, &str)]) -> String {
    let request = scene.request(changes);
    let form: Vec<(&str, &str)> = request.iter().map(|(name, value)| (&**name, &**value)).collect();
    let pushed = scene.post("/v1/oauth/par", &form).await.expect(201);
    assert_eq!(pushed.json()["expires_in"], 90);
    pushed.text("request_uri")
}

fn path(client_id: &str, request_uri: &str) -> String {
    let query =
        serde_urlencoded::to_string([("client_id", client_id), ("request_uri", request_uri)]).unwrap();
    format!("/v1/oauth/authorize?{query}")
}

/// Its life is over.
fn expire(scene: &Scene) {
    let late = "UPDATE pushed_requests SET expires_at = expires_at - 91000000";
    sql::execute(&mut scene.server.connect(), late).unwrap();
}

async fn a_pushed_request_leads_to_one_code_however_long_the_user_takes_to_sign_in(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let request_uri = push(&scene, &[]).await;
    let path = path(&scene.client_id, &request_uri);
    let sign_in = scene.tab.get(&path).await.expect(302).header("location").to_owned();
    // Loaded again, and looked at for longer than it lives.
    assert_eq!(scene.tab.get(&path).await.expect(302).header("location"), sign_in);
    expire(&scene);
    scene.tab.get(&sign_in).await.expect(200);
    let on = scene.tab.post(&sign_in, &[("email", EMAIL), ("password", PASSWORD)]).await.expect(303);
    let on = on.header("location").to_owned();
    let consent = scene.tab.get(&on).await.expect(302).header("location").to_owned();
    scene.tab.get(&consent).await.expect(200);
    let allowed = scene.tab.post(&consent, &[("decision", "allow")]).await;
    let code = sent_back(&allowed, REDIRECT)["code"].clone();
    // The same form again, and the same reference, lead nowhere.
    assert_eq!(scene.tab.post(&consent, &[("decision", "allow")]).await.expect(400).header("location"), "");
    assert_eq!(scene.tab.get(&path).await.expect(400).header("location"), "");
    tokens(&scene.exchange(&code).await);
}

async fn a_reference_opens_nothing_after_its_life_for_another_client_or_a_second_time(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let other = text(&register(&scene.tenancy, &json!({})).await, "client_id");
    let request_uri = push(&scene, &[]).await;
    let own = scene.client_id.clone();
    for path in
        [path(&other, &request_uri), path(&own, "urn:ietf:params:oauth:request_uri:unknown"), path(&own, "x")]
    {
        assert_eq!(scene.tab.get(&path).await.expect(400).header("location"), "", "{path}");
    }
    let path = path(&own, &request_uri);
    expire(&scene);
    for tab in [&mut scene.tab, &mut Tab::new(&scene.server)] {
        assert_eq!(tab.get(&path).await.expect(400).header("location"), "");
    }
    // Who has refused is not asked again.
    let request_uri = push(&scene, &[]).await;
    let path = super::pushing::path(&own, &request_uri);
    let consent = scene.tab.get(&path).await.expect(302).header("location").to_owned();
    scene.tab.get(&consent).await.expect(200);
    let refused = scene.tab.post(&consent, &[("decision", "refuse")]).await;
    assert_eq!(sent_back(&refused, REDIRECT)["error"], "access_denied");
    scene.tab.get(&path).await.expect(400);
}

async fn what_would_be_refused_is_refused_when_it_is_pushed(server: TestServer) {
    let scene = Scene::new(server).await;
    for (changes, error) in [
        (&[("redirect_uri", "https://evil.example/")][..], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("scope", "argus:unknown")], "invalid_scope"),
        (&[("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
    ] {
        let request = scene.request(changes);
        let form: Vec<(&str, &str)> = request.iter().map(|(name, value)| (&**name, &**value)).collect();
        let refused = scene.post("/v1/oauth/par", &form).await.expect(400);
        assert_eq!(refused.text("error"), error, "{changes:?}");
    }
}

async fn somebody_who_is_signed_in_may_take_longer_than_a_reference_lives_and_a_made_up_cookie_may_not(
    server: TestServer,
) {
    let mut scene = Scene::signed_in(server).await;
    let request_uri = push(&scene, &[]).await;
    let path = path(&scene.client_id, &request_uri);
    let consent = scene.tab.get(&path).await.expect(302).header("location").to_owned();
    scene.tab.get(&consent).await.expect(200);
    expire(&scene);
    let mut other = Tab::new(&scene.server);
    other.sign_in(EMAIL, PASSWORD).await.expect(303);
    let (name, _) = scene.tab.cookies.iter().find(|(name, _)| name.contains("-request-")).unwrap();
    other.cookies.insert(name.clone(), "A".repeat(43));
    other.get(&path).await.expect(400);
    let allowed = scene.tab.post(&consent, &[("decision", "allow")]).await;
    tokens(&scene.exchange(&sent_back(&allowed, REDIRECT)["code"]).await);
}

async fn the_page_to_sign_in_may_lead_to_the_app_of_a_pushed_request_that_was_allowed_before(
    server: TestServer,
) {
    let mut scene = Scene::signed_in(server).await;
    scene.allow(&[]).await;
    scene.tab = Tab::new(&scene.server);
    let path = path(&scene.client_id, &push(&scene, &[]).await);
    let sign_in = scene.tab.get(&path).await.expect(302).header("location").to_owned();
    let page = scene.tab.get(&sign_in).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("form-action"), "{policy}");
    let on = scene.tab.post(&sign_in, &[("email", EMAIL), ("password", PASSWORD)]).await.expect(303);
    let on = on.header("location").to_owned();
    assert!(sent_back(&scene.tab.get(&on).await, REDIRECT).contains_key("code"));
}
