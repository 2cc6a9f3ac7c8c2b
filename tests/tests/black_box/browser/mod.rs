//! The pages in headless browsers, Chromium and Firefox, as people use them: by keyboard alone, in either language and
//! colour scheme, with axe-core looking at each page. Browsers are driven through WebDriver, and need the machine for
//! themselves: `cargo xtask pages` runs these tests, and the rest of the suite says aloud that it leaves them out.
//!
//! - [`account`]: sign-in, other devices, invitations
//! - [`consent`]: the authorization code flow up to the app's own page
//! - [`reference`]: the reference of the contract

/// Makes a test of each function in either browser: `chromium::name` and `firefox::name`.
macro_rules! in_each_browser {
    ($($test:ident)+) => {
        mod chromium {
            $(#[test] fn $test() { $crate::black_box::browser::Browser::Chromium.run(super::$test); })+
        }
        mod firefox {
            $(#[test] fn $test() { $crate::black_box::browser::Browser::Firefox.run(super::$test); })+
        }
    };
}

mod account;
mod consent;
mod reference;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::Duration;
use url::Url;

/// Set where browsers are to be tried; without one of them, its driver or axe-core these tests fail then.
const REQUIRED: &str = "ARGUS_REQUIRE_BROWSER";
/// Path of the script of axe-core.
const AXE: &str = "ARGUS_TEST_AXE";
/// How often a driver is started until it has a port.
const STARTS: usize = 5;
/// Only a broken page needs so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser that people have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Browser {
    Chromium,
    Firefox,
}

impl Browser {
    /// Runs a test in it, where that is asked for.
    pub(crate) fn run<F: Future<Output = ()>>(self, test: impl FnOnce(Self) -> F) {
        if std::env::var_os(REQUIRED).is_some() {
            argus_tests::run(test(self));
        } else {
            say_once();
        }
    }

    /// The program that drives it.
    fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
        }
    }

    /// What the driver says before the port that it listens on.
    fn announcement(self) -> &'static str {
        match self {
            Self::Chromium => "started successfully on port ",
            Self::Firefox => "Listening on 127.0.0.1:",
        }
    }

    /// What it is to be like: nobody sees it, and its user reads this language.
    fn capabilities(self, language: &str, is_dark: bool) -> Value {
        match self {
            Self::Chromium => {
                let arguments = [
                    "--headless=new".to_owned(),
                    // Tests may run as root, and look at nothing but their own pages.
                    "--no-sandbox".to_owned(),
                    "--disable-dev-shm-usage".to_owned(),
                    "--disable-gpu".to_owned(),
                    format!("--accept-lang={language}"),
                    format!("--blink-settings=preferredColorScheme={}", u8::from(!is_dark)),
                ];
                json!({"acceptInsecureCerts": true, "goog:chromeOptions": {"args": arguments}})
            }
            Self::Firefox => {
                let preferences = json!({
                    "intl.accept_languages": language,
                    "layout.css.prefers-color-scheme.content-override": u8::from(!is_dark),
                    // Tab stops at buttons, too.
                    "accessibility.tabfocus": 7,
                });
                json!({
                    "acceptInsecureCerts": true,
                    "moz:firefoxOptions": {"args": ["-headless"], "prefs": preferences},
                })
            }
        }
    }

    /// A window of a browser of its own.
    async fn open(self, language: &str, is_dark: bool) -> Window {
        let axe = std::fs::read_to_string(std::env::var_os(AXE).expect(AXE)).unwrap();
        let driver = Driver::start(self);
        let Value::Object(capabilities) = self.capabilities(language, is_dark) else { unreachable!() };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .unwrap();
        Window { client, axe, _driver: driver }
    }
}

/// Says what is left out, past the test harness, which keeps what `eprintln!` prints to itself.
fn say_once() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let text = "\nSKIPPED: the pages in browsers; `cargo xtask pages` tries them\n\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    });
}

/// The program that drives a browser. It ends when this is dropped.
struct Driver {
    child: Child,
    url: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Driver {
    /// Starts it on a port that is free. chromedriver wants the same one for both families of addresses, and ends where
    /// the other has taken it: then it is started anew.
    fn start(browser: Browser) -> Self {
        let driver = browser.driver();
        (0..STARTS)
            .find_map(|_| Self::try_start(browser))
            .unwrap_or_else(|| panic!("{driver} does not start"))
    }

    fn try_start(browser: Browser) -> Option<Self> {
        let driver = browser.driver();
        let started = Command::new(driver).arg("--port=0").stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{driver}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut driver = Self { child, url: String::new() };
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once(browser.announcement())?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // Whatever else it says is thrown away, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        driver.url = format!("http://127.0.0.1:{}", port?);
        Some(driver)
    }
}

/// A window of a browser.
struct Window {
    client: Client,
    /// The script of axe-core.
    axe: String,
    // Last: it ends the browser.
    _driver: Driver,
}

impl Window {
    async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// Waits until this is shown.
    async fn wait_for(&self, url: &str) {
        let shown = self.client.wait().at_most(PATIENCE).for_url(&Url::parse(url).unwrap()).await;
        if shown.is_err() {
            let now = self.client.current_url().await.unwrap();
            panic!("{now} is shown and not {url}: {}", self.client.source().await.unwrap());
        }
    }

    /// Waits until the page is shown that is headed so.
    async fn wait_for_heading(&self, heading: &str) {
        self.wait_for_what_is_at(Locator::XPath(&format!("//h1[normalize-space()='{heading}']"))).await;
    }

    /// Waits until a page is shown that has this.
    async fn wait_for_element(&self, selector: &str) -> Element {
        self.wait_for_what_is_at(Locator::Css(selector)).await
    }

    async fn wait_for_what_is_at(&self, place: Locator<'_>) -> Element {
        match self.client.wait().at_most(PATIENCE).for_element(place).await {
            Ok(found) => found,
            Err(_) => {
                let now = self.client.current_url().await.unwrap();
                panic!("{now} has no {place:?}: {}", self.client.source().await.unwrap());
            }
        }
    }

    async fn text_of(&self, selector: &str) -> String {
        self.wait_for_element(selector).await.text().await.unwrap()
    }

    /// What has the focus.
    async fn focused(&self) -> Element {
        self.client.active_element().await.unwrap()
    }

    /// Presses keys where the focus is.
    async fn press(&self, keys: &str) {
        self.focused().await.send_keys(keys).await.unwrap();
    }

    /// Goes to this button by keyboard and presses it.
    async fn push(&self, selector: &str) {
        self.tab_to(selector).await;
        self.press(" ").await;
    }

    /// Presses Tab until this has the focus.
    async fn tab_to(&self, selector: &str) {
        self.wait_for_element(selector).await;
        for _ in 0..30 {
            let script = "return document.activeElement.matches(arguments[0])";
            if self.client.execute(script, vec![json!(selector)]).await.unwrap() == json!(true) {
                return;
            }
            self.press(&char::from(Key::Tab).to_string()).await;
        }
        panic!("no way to {selector} by keyboard: {}", self.client.source().await.unwrap());
    }

    /// Signs in by keyboard on the page to do so.
    async fn sign_in(&self, email: &str, password: &str) {
        self.tab_to("#email").await;
        // It is there already after a wrong password.
        let there = self.focused().await.prop("value").await.unwrap().unwrap_or_default();
        let (end, delete) = (char::from(Key::End), char::from(Key::Backspace).to_string());
        self.press(&format!("{end}{}{email}", delete.repeat(there.len()))).await;
        self.tab_to("#password").await;
        self.press(password).await;
        self.press(&char::from(Key::Enter).to_string()).await;
    }

    /// Asserts that axe-core finds nothing on the page that is shown.
    async fn assert_accessible(&self) {
        self.client.execute(&self.axe, Vec::new()).await.unwrap();
        let script = "const done = arguments[arguments.length - 1]; \
            axe.run(document, { preload: false, resultTypes: ['violations', 'incomplete'] }).then(found => done([ \
                found.violations.map(rule => rule.id + ': ' + rule.nodes.map(node => node.html).join(' ')), \
                found.incomplete.map(rule => rule.id), found.passes.length]))";
        let found = self.client.execute_async(script, Vec::new()).await.unwrap();
        let place = self.client.current_url().await.unwrap();
        assert_eq!(found[0], json!([]), "axe-core on {place}");
        assert_eq!(found[1], json!([]), "axe-core is not sure on {place}");
        assert!(found[2].as_u64().unwrap() >= 10, "axe-core on {place}: {found}");
    }
}
