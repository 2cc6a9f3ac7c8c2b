//! How an administrator stops an app, ends its tokens, and says what it may be used with.

use super::ending::{until_accepted, until_refused};
use super::{EMAIL, PASSWORD, REDIRECT, Scene, assert_invalid_grant, sent_back, tokens};
use argus_openapi::Host;
use argus_tests::{Tab, TestServer, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_suspended_app_gets_nothing_and_what_it_had_is_over
    tokens_from_before_a_moment_end_and_later_ones_are_good
    redirect_uris_are_replaced_as_a_whole
    without_the_grant_of_codes_what_users_have_allowed_is_over
    what_contradicts_itself_changes_nothing
}

impl Scene {
    async fn govern(&self, change: &serde_json::Value) {
        self.tenancy.govern(&self.client_id, change).await.expect(200);
    }
}

async fn a_suspended_app_gets_nothing_and_what_it_had_is_over(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let (got, code) = (scene.tokens().await, scene.code().await);
    scene.govern(&json!({"suspended": true})).await;
    for answer in [
        scene.exchange(&code).await,
        scene.refresh(&got.refresh).await,
        scene.post("/v1/oauth/introspect", &[("token", &got.access)]).await,
        scene.post("/v1/oauth/par", &[("response_type", "code")]).await,
    ] {
        assert_eq!(answer.expect(400).text("error"), "unauthorized_client");
    }
    // Nobody is led to it either.
    scene.authorize(&[]).await.expect(400);
    until_refused(&scene, Host::Api, "/v1/jobs", &got.access).await;
    scene.govern(&json!({"suspended": false})).await;
    assert_invalid_grant(&scene.exchange(&code).await);
    assert_invalid_grant(&scene.refresh(&got.refresh).await);
    until_refused(&scene, Host::Api, "/v1/jobs", &got.access).await;
    let next = scene.tokens().await;
    until_accepted(&scene, &next.access).await;
}

async fn tokens_from_before_a_moment_end_and_later_ones_are_good(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    scene.govern(&json!({"allow_service_tokens": true})).await;
    let service_token = async |scene: &Scene| {
        let path = format!("/v1/platform/apps/{}/service-token", scene.client_id);
        scene.tenancy.post(&path, &json!({"scopes": ["argus:jobs:read"]})).await.expect(200).text("token")
    };
    let (got, code, leaked) = (scene.tokens().await, scene.code().await, service_token(&scene).await);
    scene.server.get(Host::Api, "/v1/jobs", Some(&leaked)).await.expect(200);
    let now = scene.server.state().clock.now();
    scene.govern(&json!({"tokens_not_before": now.to_rfc3339()})).await;
    until_refused(&scene, Host::Api, "/v1/jobs", &leaked).await;
    until_refused(&scene, Host::Api, "/v1/jobs", &got.access).await;
    assert_invalid_grant(&scene.exchange(&code).await);
    assert_invalid_grant(&scene.refresh(&got.refresh).await);
    // What was said before is not taken back.
    scene.govern(&json!({"tokens_not_before": "2001-01-01T00:00:00Z"})).await;
    for token in [service_token(&scene).await, scene.tokens().await.access] {
        scene.server.get(Host::Api, "/v1/jobs", Some(&token)).await.expect(200);
    }
    until_refused(&scene, Host::Api, "/v1/jobs", &leaked).await;
}

async fn redirect_uris_are_replaced_as_a_whole(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let code = scene.code().await;
    let other = "https://other.example/callback";
    scene.govern(&json!({"redirect_uris": [other]})).await;
    let answer = scene.authorize(&[]).await.expect(400);
    assert!(!answer.headers.contains_key("location"), "{answer:?}");
    // A code stays bound to the URI that it was brought to.
    tokens(&scene.exchange(&code).await);
    let answer = scene.authorize(&[("redirect_uri", other)]).await;
    assert!(sent_back(&answer, other).contains_key("code"));
}

async fn without_the_grant_of_codes_what_users_have_allowed_is_over(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let (got, code) = (scene.tokens().await, scene.code().await);
    scene.govern(&json!({"allowed_grant_types": ["client_credentials"]})).await;
    let refused = scene.authorize(&[]).await;
    assert_eq!(sent_back(&refused, REDIRECT)["error"], "unauthorized_client");
    for answer in [scene.exchange(&code).await, scene.refresh(&got.refresh).await] {
        assert_eq!(answer.expect(400).text("error"), "unauthorized_client");
    }
    until_refused(&scene, Host::Api, "/v1/jobs", &got.access).await;
    scene.token(&[("grant_type", "client_credentials")]).await.expect(200);
    // It does not come back with the grant.
    scene.govern(&json!({"allowed_grant_types": ["authorization_code"]})).await;
    assert_invalid_grant(&scene.exchange(&code).await);
    assert_invalid_grant(&scene.refresh(&got.refresh).await);
    scene.tab = Tab::new(&scene.server);
    scene.tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    scene.tokens().await;
}

async fn what_contradicts_itself_changes_nothing(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    for (change, status, named) in [
        (json!({"redirect_uris": [], "suspended": true}), 409, "redirect_uris"),
        (json!({"allowed_grant_types": [], "suspended": true}), 400, "allowed_grant_types"),
        (json!({"allowed_grant_types": ["password"], "suspended": true}), 400, "password"),
        (json!({"redirect_uris": ["http://partner.example/"], "suspended": true}), 400, "redirect_uris[0]"),
        (json!({"tokens_not_before": "yesterday", "suspended": true}), 400, "tokens_not_before"),
    ] {
        let answer = scene.tenancy.govern(&scene.client_id, &change).await.expect(status);
        let message = answer.text("message");
        assert!(message.contains(named), "{change}: {message}");
    }
    scene.tokens().await;
}
