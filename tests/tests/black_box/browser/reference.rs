//! The reference in a browser: in either language and colour scheme, by keyboard, on a small screen, searched, and with
//! requests that are copied and work.

use super::{Browser, Window};
use crate::black_box::support::binary;
use argus_tests::TestProcess;
use fantoccini::key::Key;
use serde_json::json;
use std::process::Command;

in_each_browser! {
    the_reference_is_accessible_in_either_language_colour_scheme_and_width
    a_search_leaves_what_fits_and_a_link_shows_what_it_leads_to
    a_copied_request_carries_the_reader_s_sandbox_token_and_works
    the_reference_of_serve_asks_for_no_token
}

/// Notes what the policy of the page keeps out.
const WATCH: &str = "window.refused = []; \
    document.addEventListener('securitypolicyviolation', event => window.refused.push(event.blockedURI));";

/// Puts a clipboard into the page that tells what it was given. That of the system needs a permission.
const CLIPBOARD: &str = "Object.defineProperty(navigator, 'clipboard', \
    { configurable: true, value: { writeText: async text => { window.copied = text; } } });";

async fn the_reference_is_accessible_in_either_language_colour_scheme_and_width(browser: Browser) {
    let dev = TestProcess::dev(binary());
    let api = dev.ready_text("api");
    for (language, is_dark, heading) in
        [("en", false, "External Integration API"), ("fr", true, "API d’Intégration Externe")]
    {
        let window = browser.open(language, is_dark).await;
        window.client.set_window_size(1280, 900).await.unwrap();
        window.go(&format!("{api}/{language}/docs/api-reference")).await;
        window.wait_for_heading(heading).await;
        window.wait_for_element("#search:not([hidden])").await;
        // Its own style counts.
        let script = "return getComputedStyle(document.querySelector('.columns')).display";
        assert_eq!(window.client.execute(script, Vec::new()).await.unwrap(), json!("grid"));
        window.assert_accessible().await;
        // All that is folded, too.
        let unfold = "for (const folded of document.querySelectorAll('#job_create details, .types details')) folded.open = true";
        window.client.execute(unfold, Vec::new()).await.unwrap();
        window.assert_accessible().await;
        window.client.set_window_size(480, 800).await.unwrap();
        let overflow = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(window.client.execute(overflow, Vec::new()).await.unwrap(), json!(true), "{language}");
        window.assert_accessible().await;
        window.close().await;
    }
}

/// How many entries are shown.
async fn shown(window: &Window) -> u64 {
    let script = "return document.querySelectorAll('[data-entry]:not([hidden])').length";
    window.client.execute(script, Vec::new()).await.unwrap().as_u64().unwrap()
}

async fn a_search_leaves_what_fits_and_a_link_shows_what_it_leads_to(browser: Browser) {
    let dev = TestProcess::dev(binary());
    let window = browser.open("en", false).await;
    let page = format!("{}/en/docs/api-reference", dev.ready_text("api"));
    window.go(&page).await;
    window.wait_for_element("#search:not([hidden])").await;
    let all = shown(&window).await;
    assert!(all > 100, "{all}");
    // The way past the navigation is the first stop.
    window.press(&char::from(Key::Tab).to_string()).await;
    assert_eq!(window.focused().await.attr("href").await.unwrap().as_deref(), Some("#content"));
    window.tab_to("#query").await;
    window.press("job_create idempotency").await;
    window.wait_for_element("#job_create:not([hidden])").await;
    let fitting = shown(&window).await;
    assert!((1..10).contains(&fitting), "{fitting}");
    assert!(window.text_of("#found").await.starts_with(&format!("{fitting} ")));
    window.wait_for_element("[data-of=job_view][hidden]").await;
    window.assert_accessible().await;
    window.press(" nothing-has-this").await;
    window.wait_for_element("body:not(:has([data-entry]:not([hidden])))").await;
    assert!(window.text_of("#found").await.starts_with("Nothing matches"));
    window.assert_accessible().await;
    window.press(&char::from(Key::Escape).to_string()).await;
    window.wait_for_element("#job_view:not([hidden])").await;
    assert_eq!(shown(&window).await, all);
    // A permalink of something that is folded.
    window.go(&format!("{page}#type-JobStatus")).await;
    window.wait_for_element("details[open] > #type-JobStatus").await;
    window.close().await;
}

/// Presses the copy button of an operation's request, and returns what was copied and what was said.
async fn copy(window: &Window, operation: &str) -> (String, String) {
    let press = format!("document.querySelector('#{operation} .code:has([data-base]) .copy').click()");
    window.client.execute(&press, Vec::new()).await.unwrap();
    let said = loop {
        let said = window.text_of("#status:not(:empty)").await;
        if !said.is_empty() {
            break said;
        }
    };
    let copied = window.client.execute("return window.copied", Vec::new()).await.unwrap();
    window.client.execute("document.getElementById('status').textContent = ''", Vec::new()).await.unwrap();
    (copied.as_str().unwrap().to_owned(), said)
}

async fn a_copied_request_carries_the_reader_s_sandbox_token_and_works(browser: Browser) {
    let dev = TestProcess::dev(binary());
    let (api, sandbox, token) =
        (dev.ready_text("api"), dev.ready_text("sandbox"), dev.ready_text("sandbox_token"));
    let window = browser.open("en", false).await;
    window.go(&format!("{api}/en/docs/api-reference")).await;
    window.client.execute(WATCH, Vec::new()).await.unwrap();
    window.client.execute(CLIPBOARD, Vec::new()).await.unwrap();
    window.wait_for_element("#job_create .copy:not([hidden])").await;
    let (command, said) = copy(&window, "job_create").await;
    assert!(said.contains("sandbox token"), "{said}");
    assert!(command.contains(token) && command.contains(sandbox) && !command.contains("$TOKEN"), "{command}");
    let output = Command::new("sh")
        .args(["-c", &format!("{command} -s -o /dev/null -w '%{{http_code}}'")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "201", "{command}");
    // What no sandbox serves gets the address of this machine, and no token.
    let (command, said) = copy(&window, "app_create").await;
    assert!(command.contains(dev.ready_text("auth")) && command.contains("$TOKEN"), "{command}");
    assert!(!command.contains(token) && !said.contains("token"), "{command}");
    // The token is in no part of the page, and the policy kept nothing out.
    let page = window.client.source().await.unwrap();
    assert!(!page.contains(token));
    assert_eq!(window.client.execute("return window.refused", Vec::new()).await.unwrap(), json!([]));
    window.close().await;
}

async fn the_reference_of_serve_asks_for_no_token(browser: Browser) {
    let serve = TestProcess::start(binary(), &["serve"], tempfile::TempDir::new().unwrap());
    let window = browser.open("fr", false).await;
    window.go(&format!("{}/fr/docs/api-reference", serve.ready_text("api"))).await;
    window.client.execute(CLIPBOARD, Vec::new()).await.unwrap();
    window.wait_for_element("#job_create .copy:not([hidden])").await;
    let (command, said) = copy(&window, "job_create").await;
    assert_eq!(said, "Copié.");
    assert!(command.starts_with("curl -X POST https://api.knogin.com/v1/jobs "), "{command}");
    assert!(command.contains("Bearer $TOKEN"), "{command}");
    let asked = "return performance.getEntriesByType('resource').map(entry => entry.name)";
    let asked = window.client.execute(asked, Vec::new()).await.unwrap();
    assert!(!asked.to_string().contains("demo-token"), "{asked}");
    window.close().await;
}
