//! Consent in a browser: from an app's request to the app's own page, wherever that is, with what it was brought.

use super::{Browser, Window};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, Brought, Callback, Tenancy, TestProcess, sql};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fantoccini::Locator;
use serde_json::json;

in_each_browser! {
    who_allows_gets_back_to_the_app_wherever_its_page_is_and_the_code_is_good
    the_apps_page_may_lead_on_to_another_site_also_from_the_page_to_sign_in
    who_has_allowed_sees_the_app_and_takes_it_back_by_keyboard
    who_refuses_gets_back_to_the_app_without_a_code
    a_french_browser_is_asked_in_french_and_a_wrong_password_leads_nowhere
    a_code_that_comes_too_late_is_worth_nothing
    another_site_can_neither_frame_nor_send_the_form_of_consent
}

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0";
/// What the page of consent is headed with.
const ASKED: &str = "Allow this app to act for you?";
const STATE: &str = "a state & more";

/// An app of `argus dev`, and its user.
struct Scene {
    dev: TestProcess,
    tenancy: Tenancy,
    client_id: String,
    redirect_uri: String,
}

impl Scene {
    /// A native app, whose users are led to this URI.
    async fn set(redirect_uri: &str) -> Self {
        let dev = TestProcess::dev(binary());
        let tenancy = dev.tenancy();
        let registration = json!({
            "name": "An app", "grant_types": ["authorization_code"], "redirect_uris": [redirect_uri],
            "requested_scopes": [Scope::JobsRead], "token_endpoint_auth_method": "none",
        });
        let app = tenancy.post("/v1/platform/apps", &registration).await.expect(201);
        let (client_id, redirect_uri) = (app.text("client_id"), redirect_uri.to_owned());
        Self { dev, tenancy, client_id, redirect_uri }
    }

    fn auth(&self) -> &str {
        self.dev.ready_text("auth")
    }

    /// Where the app sends its users.
    fn authorization_url(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let request = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "argus:jobs:read"),
            ("state", STATE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        format!("{}/v1/oauth/authorize?{}", self.auth(), serde_urlencoded::to_string(request).unwrap())
    }

    /// Goes to the app's request and signs in.
    async fn sign_in(&self, window: &Window) {
        window.go(&self.authorization_url()).await;
        window.sign_in(self.dev.ready_text("user_email"), self.dev.ready_text("user_password")).await;
    }

    /// The same, and allows what the app asks for.
    async fn allow(&self, window: &Window) {
        self.sign_in(window).await;
        window.push("button[value=allow]").await;
    }

    /// Changes what a browser brought for tokens.
    async fn exchange(&self, brought: &Brought) -> Answer {
        assert_eq!((brought["state"].as_str(), brought["iss"].as_str()), (STATE, self.auth()));
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("code", &brought["code"]),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.tenancy.reach().token_request(&form, None).await
    }
}

async fn who_allows_gets_back_to_the_app_wherever_its_page_is_and_the_code_is_good(browser: Browser) {
    for callback in [
        Callback::on_loopback().await,
        Callback::behind_tls().await,
        Callback::leading_to("com.example.app:/signed-in").await,
    ] {
        let scene = Scene::set(callback.uri()).await;
        let window = browser.open("en", false).await;
        scene.sign_in(&window).await;
        window.wait_for_heading(ASKED).await;
        window.assert_accessible().await;
        window.push("button[value=allow]").await;
        let brought = callback.brought().await;
        let token = scene.exchange(&brought).await.expect(200).text("access_token");
        let jobs = scene.tenancy.reach().get(Host::Api, "/v1/jobs", Some(&token)).await;
        jobs.expect(200);
        window.close().await;
    }
}

async fn the_apps_page_may_lead_on_to_another_site_also_from_the_page_to_sign_in(browser: Browser) {
    let last = Callback::on_loopback().await;
    let callback = Callback::leading_to(last.uri()).await;
    let scene = Scene::set(callback.uri()).await;
    let window = browser.open("en", false).await;
    scene.allow(&window).await;
    window.wait_for_heading(Callback::HEADING).await;
    window.close().await;
    let window = browser.open("en", false).await;
    scene.sign_in(&window).await;
    window.wait_for_heading(Callback::HEADING).await;
    window.close().await;
}

async fn who_has_allowed_sees_the_app_and_takes_it_back_by_keyboard(browser: Browser) {
    let callback = Callback::on_loopback().await;
    let scene = Scene::set(callback.uri()).await;
    let window = browser.open("en", false).await;
    scene.allow(&window).await;
    let token = scene.exchange(&callback.brought().await).await.expect(200).text("refresh_token");
    window.go(&format!("{}/account", scene.auth())).await;
    window.assert_accessible().await;
    let revoke = "form[action^='/account/apps/'] button";
    window.push(revoke).await;
    window.wait_for_element(&format!("body:not(:has({revoke}))")).await;
    window.assert_accessible().await;
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", &scene.client_id), ("refresh_token", &token)];
    let refused = scene.tenancy.reach().token_request(&refresh, None).await.expect(400);
    assert_eq!(refused.text("error"), "invalid_grant");
    window.close().await;
}

async fn who_refuses_gets_back_to_the_app_without_a_code(browser: Browser) {
    let callback = Callback::on_loopback().await;
    let scene = Scene::set(callback.uri()).await;
    let window = browser.open("en", false).await;
    scene.sign_in(&window).await;
    window.push("button[value=refuse]").await;
    window.wait_for_heading(Callback::HEADING).await;
    let brought = callback.brought().await;
    assert_eq!((brought["error"].as_str(), brought["state"].as_str()), ("access_denied", STATE));
    assert!(!brought.contains_key("code"), "{brought:?}");
    window.close().await;
}

async fn a_french_browser_is_asked_in_french_and_a_wrong_password_leads_nowhere(browser: Browser) {
    let callback = Callback::on_loopback().await;
    let scene = Scene::set(callback.uri()).await;
    let window = browser.open("fr", true).await;
    window.go(&scene.authorization_url()).await;
    window.wait_for_heading("Connexion").await;
    window.sign_in(scene.dev.ready_text("user_email"), "a wrong password").await;
    assert!(!window.text_of("[role=alert]").await.is_empty());
    window.assert_accessible().await;
    window.sign_in(scene.dev.ready_text("user_email"), scene.dev.ready_text("user_password")).await;
    window.wait_for_heading("Autoriser cette application à agir en votre nom ?").await;
    assert_eq!(window.text_of("button[value=allow]").await, "Autoriser");
    window.assert_accessible().await;
    window.push("button[value=allow]").await;
    window.wait_for_heading(Callback::HEADING).await;
    assert!(callback.brought().await.contains_key("code"));
    window.close().await;
}

async fn a_code_that_comes_too_late_is_worth_nothing(browser: Browser) {
    let callback = Callback::on_loopback().await;
    let scene = Scene::set(callback.uri()).await;
    let window = browser.open("en", false).await;
    scene.allow(&window).await;
    let brought = callback.brought().await;
    let database = format!("sqlite://{}", scene.dev.data_dir().join("argus.db").display());
    let expire = "UPDATE authorization_codes SET expires_at = 1 RETURNING code_hash AS line";
    assert_eq!(sql::lines(&mut sql::connect(&database), expire).unwrap().len(), 1);
    assert_eq!(scene.exchange(&brought).await.expect(400).text("error"), "invalid_grant");
    window.close().await;
}

async fn another_site_can_neither_frame_nor_send_the_form_of_consent(browser: Browser) {
    let callback = Callback::on_loopback().await;
    let scene = Scene::set(callback.uri()).await;
    let window = browser.open("en", false).await;
    scene.sign_in(&window).await;
    window.wait_for_heading(ASKED).await;
    let consent = window.client.current_url().await.unwrap();
    window.go(&format!("data:text/html,<iframe src='{consent}'></iframe>")).await;
    window.client.find(Locator::Css("iframe")).await.unwrap().enter_frame().await.unwrap();
    assert!(window.client.find(Locator::Css("form")).await.is_err(), "the page is shown in a frame");
    window.client.enter_parent_frame().await.unwrap();
    let form = format!(
        "data:text/html,<form method=post action='{consent}'><input name=decision value=allow>\
         <input name=form_token value=x><button>"
    );
    window.go(&form).await;
    window.client.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    window.wait_for_heading("This form has expired").await;
    window.close().await;
}
