//! A user allows, an app gets tokens.

use super::{EMAIL, PASSWORD, REDIRECT, STATE, Scene, claims, register, sent_back, text, tokens};
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Tab, TestServer, on_both_engines, sql};
use serde_json::json;

on_both_engines! {
    who_is_not_signed_in_signs_in_decides_and_the_app_gets_tokens_of_both
    consent_is_remembered_and_asked_for_again_when_it_grows
    who_refuses_sends_the_app_a_refusal_and_no_code
    the_scopes_are_the_meet_of_what_the_app_the_user_and_the_consent_allow
    a_public_client_has_no_secret_and_must_use_pkce
    somebody_of_another_tenant_gives_an_app_nothing
    a_native_app_may_listen_on_any_port_of_the_loopback_address
    a_page_of_consent_speaks_french_and_names_app_and_scopes
}

async fn who_is_not_signed_in_signs_in_decides_and_the_app_gets_tokens_of_both(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let answer = scene.authorize(&[]).await.expect(302);
    let sign_in = answer.header("location").to_owned();
    assert!(sign_in.starts_with("/sign-in?continue="), "{sign_in}");
    scene.tab.get(&sign_in).await.expect(200);
    let signed_in = scene.tab.post(&sign_in, &[("email", EMAIL), ("password", PASSWORD)]).await.expect(303);
    let on = signed_in.header("location").to_owned();
    let consent = scene.tab.get(&on).await.expect(302).header("location").to_owned();
    let page = scene.tab.get(&consent).await.expect(200);
    assert!(page.page().contains("An app") && page.page().contains("argus:jobs:read"), "{page:?}");
    assert!(!page.page().contains("argus:jobs:write"), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("form-action"), "{policy}");
    let allowed = scene.tab.post(&consent, &[("decision", "allow")]).await;
    let brought = sent_back(&allowed, REDIRECT);
    assert_eq!(brought["state"], STATE);
    assert_eq!(brought["iss"], scene.server.state().identity.issuer());

    let answer = scene.exchange(&brought["code"]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = tokens(&answer);
    assert_eq!(tokens.scope, "argus:jobs:read");
    let said = claims(&tokens.access);
    let user = scene.server.person(&scene.tenancy.tenant_id, EMAIL).await;
    assert_eq!((text(&said, "sub"), text(&said, "client_id")), (user.id.into(), scene.client_id.clone()));
    assert_eq!(text(&said, "tenant_id"), scene.tenancy.tenant_id);
    scene.server.get(Host::Api, "/v1/jobs", Some(&tokens.access)).await.expect(200);
    scene
        .server
        .get(Host::Api, "/v1/profiles/p1", Some(&tokens.access))
        .await
        .expect_error(403, "insufficient_scope");
    let refreshed = super::tokens(&scene.refresh(&tokens.refresh).await);
    scene.server.get(Host::Api, "/v1/jobs", Some(&refreshed.access)).await.expect(200);

    let lines = "SELECT action AS line FROM audit_events WHERE action LIKE 'oauth.%' ORDER BY action";
    assert_eq!(
        sql::lines(&mut scene.server.connect(), lines).unwrap(),
        ["oauth.code.issue", "oauth.consent"]
    );
}

async fn consent_is_remembered_and_asked_for_again_when_it_grows(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    scene.allow(&[]).await;
    // At once: the same, and less than that.
    sent_back(&scene.authorize(&[]).await, REDIRECT);
    let more = [("scope", "argus:jobs:read argus:jobs:write")];
    let asked = scene.authorize(&more).await.expect(302);
    assert!(asked.header("location").starts_with("/consent?"), "{asked:?}");
    scene.allow(&more).await;
    for scope in ["argus:jobs:read", "argus:jobs:write", "argus:jobs:read argus:jobs:write"] {
        sent_back(&scene.authorize(&[("scope", scope)]).await, REDIRECT);
    }
    // Another app is asked for by itself.
    let other = register(&scene.tenancy, &json!({})).await;
    let asked = scene.authorize(&[("client_id", &text(&other, "client_id"))]).await;
    assert!(asked.header("location").starts_with("/consent?"), "{asked:?}");
}

async fn who_refuses_sends_the_app_a_refusal_and_no_code(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let consent = scene.authorize(&[]).await.expect(302).header("location").to_owned();
    scene.tab.get(&consent).await.expect(200);
    let refused = scene.tab.post(&consent, &[("decision", "refuse")]).await;
    let brought = sent_back(&refused, REDIRECT);
    assert_eq!((brought["error"].as_str(), brought["state"].as_str()), ("access_denied", STATE));
    assert!(brought.contains_key("iss") && !brought.contains_key("code"), "{brought:?}");
    let asked = scene.authorize(&[]).await.expect(302);
    assert!(asked.header("location").starts_with("/consent?"), "{asked:?}");
}

async fn the_scopes_are_the_meet_of_what_the_app_the_user_and_the_consent_allow(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let binary = super::super::support::binary();
    let said = scene.server.command(binary, &["user", "list", "--tenant", &scene.tenancy.tenant_id]);
    assert!(said.status.success(), "{said:?}");
    // The user may read jobs alone; the app asks for all that it is approved for.
    let update = "UPDATE users SET scopes = '[\"argus:jobs:read\"]'";
    sql::execute(&mut scene.server.connect(), update).unwrap();
    scene.tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    let code = scene.allow(&[("scope", "")]).await["code"].clone();
    assert_eq!(tokens(&scene.exchange(&code).await).scope, "argus:jobs:read");
    let nothing = scene.authorize(&[("scope", "argus:jobs:write")]).await;
    assert_eq!(sent_back(&nothing, REDIRECT)["error"], "access_denied");
    // What is asked for beyond the approval is refused before anybody is asked.
    let beyond = scene.authorize(&[("scope", Scope::WebhooksRead.as_str())]).await;
    assert_eq!(sent_back(&beyond, REDIRECT)["error"], "invalid_scope");
}

async fn a_public_client_has_no_secret_and_must_use_pkce(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let app = register(&scene.tenancy, &json!({"token_endpoint_auth_method": "none"})).await;
    assert_eq!(app["client_secret"], json!(null));
    scene.client_id = text(&app, "client_id");
    let path = format!("/v1/platform/apps/{}/rotate-secret", scene.client_id);
    scene.tenancy.post(&path, &json!({})).await.expect_error(409, "conflict");
    scene.tenancy.govern(&scene.client_id, &json!({"enforce_pkce": false})).await.expect(200);
    let without = scene.authorize(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(sent_back(&without, REDIRECT)["error"], "invalid_request");
    let code = scene.code().await;
    let client_id = scene.client_id.clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id.as_str()),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", super::VERIFIER),
    ];
    // It has no secret, and whoever shows one is somebody else.
    let shown = scene.server.token_request(&form, Some((&client_id, "argus_secret"))).await.expect(401);
    assert_eq!(shown.text("error"), "invalid_client");
    let refresh = tokens(&scene.server.token_request(&form, None).await).refresh;
    let form =
        [("grant_type", "refresh_token"), ("client_id", client_id.as_str()), ("refresh_token", &refresh)];
    let refresh = tokens(&scene.server.token_request(&form, None).await).refresh;
    // Libraries show an empty secret by HTTP Basic; that is none, and helps nobody who has one.
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
    tokens(&scene.server.token_request(&form, Some((&client_id, ""))).await);
    let confidential = text(&register(&scene.tenancy, &json!({})).await, "client_id");
    let form = [("grant_type", "client_credentials")];
    let shown = scene.server.token_request(&form, Some((&confidential, ""))).await.expect(401);
    assert_eq!(shown.text("error"), "invalid_client");
    let with_credentials = json!({
        "name": "An app", "grant_types": ["client_credentials"], "requested_scopes": ["argus:jobs:read"],
        "token_endpoint_auth_method": "none",
    });
    scene.tenancy.post("/v1/platform/apps", &with_credentials).await.expect_error(400, "invalid_request");
}

async fn somebody_of_another_tenant_gives_an_app_nothing(server: TestServer) {
    let mut scene = Scene::new(server).await;
    let other = scene.server.tenant().await;
    scene.server.person(&other.tenant_id, "bob@example.com").await;
    scene.tab.sign_in("bob@example.com", PASSWORD).await.expect(303);
    let refused = scene.authorize(&[]).await;
    assert_eq!(sent_back(&refused, REDIRECT)["error"], "access_denied");
    let consent = format!("/consent?{}", scene.query(&[]));
    scene.tab.get("/account").await.expect(200);
    let refused = scene.tab.post(&consent, &[("decision", "allow")]).await;
    assert_eq!(sent_back(&refused, REDIRECT)["error"], "access_denied");
}

async fn a_native_app_may_listen_on_any_port_of_the_loopback_address(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let native =
        json!({"redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none"});
    let app = register(&scene.tenancy, &native).await;
    scene.client_id = text(&app, "client_id");
    let uri = "http://127.0.0.1:49152/callback";
    let consent = scene.authorize(&[("redirect_uri", uri)]).await.expect(302).header("location").to_owned();
    scene.tab.get(&consent).await.expect(200);
    let allowed = scene.tab.post(&consent, &[("decision", "allow")]).await;
    assert!(sent_back(&allowed, uri).contains_key("code"), "{allowed:?}");
}

async fn a_page_of_consent_speaks_french_and_names_app_and_scopes(server: TestServer) {
    let scene = Scene::new(server).await;
    let mut tab = Tab::new(&scene.server);
    tab.language = "fr";
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    let page = tab.get(&format!("/consent?{}", scene.query(&[]))).await.expect(200).page();
    assert!(page.contains("lang=\"fr\"") && page.contains("Consulter les tâches"), "{page}");
    assert!(page.contains(">Autoriser<") && page.contains(">Refuser<"), "{page}");
}
