//! Accounts in a browser: signing in and out, other devices, invitations, and what other sites can do about all that.

use super::Browser;
use crate::black_box::support::binary;
use argus_tests::TestProcess;
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;

in_each_browser! {
    people_sign_in_and_out_by_keyboard_and_axe_finds_nothing
    an_invitation_is_accepted_by_keyboard_and_a_used_one_says_so
    the_browser_keeps_other_sites_from_framing_a_page_and_the_gate_from_sending_its_forms
}

async fn people_sign_in_and_out_by_keyboard_and_axe_finds_nothing(browser: Browser) {
    let dev = TestProcess::dev(binary());
    let (auth, email) = (dev.ready_text("auth"), dev.ready_text("user_email"));
    let password = dev.ready_text("user_password");
    for (language, is_dark, heading, account) in
        [("en", false, "Sign in", "Your account"), ("fr", true, "Connexion", "Votre compte")]
    {
        let window = browser.open(language, is_dark).await;
        window.go(&format!("{auth}/account")).await;
        window.wait_for(&format!("{auth}/sign-in")).await;
        assert_eq!(window.text_of("h1").await, heading);
        window.assert_accessible().await;
        window.sign_in(email, "a wrong password").await;
        assert!(!window.text_of("[role=alert]").await.is_empty());
        window.assert_accessible().await;
        window.sign_in(email, password).await;
        window.wait_for(&format!("{auth}/account")).await;
        assert_eq!(window.text_of("h1").await, account);
        // Another device, which is ended from here.
        let other = browser.open(language, is_dark).await;
        other.go(&format!("{auth}/sign-in")).await;
        other.sign_in(email, password).await;
        other.wait_for(&format!("{auth}/account")).await;
        other.close().await;
        window.client.refresh().await.unwrap();
        window.assert_accessible().await;
        let end = "form[action^='/account/sessions/'] button";
        window.push(end).await;
        window.wait_for_element(&format!("body:not(:has({end}))")).await;
        // Scripts see no cookie.
        let cookies = window.client.execute("return document.cookie", Vec::new()).await.unwrap();
        assert_eq!(cookies, json!(""));
        window.push("form[action='/sign-out'] button").await;
        window.wait_for(&format!("{auth}/sign-in")).await;
        window.go(&format!("{auth}/account")).await;
        window.wait_for(&format!("{auth}/sign-in")).await;
        window.close().await;
    }
}

async fn an_invitation_is_accepted_by_keyboard_and_a_used_one_says_so(browser: Browser) {
    let dev = TestProcess::dev(binary());
    let (auth, tenant_id) = (dev.ready_text("auth"), dev.ready_text("tenant_id"));
    let arguments =
        ["user", "add", "--tenant", tenant_id, "--email", "eve@example.com", "--name", "Eve", "--invite"];
    let output = argus_tests::argus(binary(), &dev.data_dir(), &arguments);
    let printed = String::from_utf8(output.stdout).unwrap();
    let (_, path) = printed.lines().last().unwrap().split_once("/invitation/").unwrap();
    let window = browser.open("en", false).await;
    let link = format!("{auth}/invitation/{path}");
    window.go(&link).await;
    window.assert_accessible().await;
    let choose = async |password: &str, repeated: &str| {
        window.tab_to("#password").await;
        window.press(password).await;
        window.tab_to("#repeated").await;
        window.press(repeated).await;
        window.press(&char::from(Key::Enter).to_string()).await;
    };
    choose("correct horse battery", "correct horse batterz").await;
    assert!(window.text_of("[role=alert]").await.contains("not the same"));
    window.assert_accessible().await;
    choose("correct horse battery", "correct horse battery").await;
    window.wait_for(&format!("{auth}/sign-in")).await;
    window.sign_in("eve@example.com", "correct horse battery").await;
    window.wait_for(&format!("{auth}/account")).await;
    window.go(&link).await;
    assert_eq!(window.text_of("h1").await, "There is nothing here");
    window.assert_accessible().await;
    window.close().await;
}

async fn the_browser_keeps_other_sites_from_framing_a_page_and_the_gate_from_sending_its_forms(
    browser: Browser,
) {
    let dev = TestProcess::dev(binary());
    let (auth, email) = (dev.ready_text("auth"), dev.ready_text("user_email"));
    let window = browser.open("en", false).await;
    window.go(&format!("{auth}/sign-in")).await;
    window.sign_in(email, dev.ready_text("user_password")).await;
    window.wait_for(&format!("{auth}/account")).await;
    window.go(&format!("data:text/html,<iframe src='{auth}/sign-in'></iframe>")).await;
    let frame = window.client.find(Locator::Css("iframe")).await.unwrap();
    frame.enter_frame().await.unwrap();
    assert!(window.client.find(Locator::Css("#email")).await.is_err(), "the page is shown in a frame");
    window.client.enter_parent_frame().await.unwrap();
    let form = format!(
        "data:text/html,<form method=post action='{auth}/sign-out'><input name=form_token value=x><button>"
    );
    window.go(&form).await;
    window.client.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    assert_eq!(window.text_of("h1").await, "This form has expired");
    window.assert_accessible().await;
    window.go(&format!("{auth}/account")).await;
    assert_eq!(window.text_of("h1").await, "Your account");
    // An authorization request goes on where it was, through a form.
    let query = "client_id=app_1&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback";
    let escaped = query.replace('%', "%25").replace('&', "%26").replace('=', "%3D");
    window.go(&format!("{auth}/sign-in?continue={escaped}")).await;
    window.sign_in(email, dev.ready_text("user_password")).await;
    window.wait_for(&format!("{auth}/v1/oauth/authorize?{query}")).await;
    window.close().await;
}
