//! A browser as far as pages without scripts need one: it keeps cookies and sends forms back with their hidden members.

use crate::{Answer, Reach};
use argus_openapi::Host;
use http::Method;
use std::collections::BTreeMap;

/// One tab of a browser on the auth host.
#[derive(Clone, Debug)]
pub struct Tab {
    reach: Reach,
    /// The cookies, by their names.
    pub cookies: BTreeMap<String, String>,
    /// The token that the forms of the last page had.
    pub form_token: String,
    /// What its user reads.
    pub language: &'static str,
}

impl Tab {
    /// A new browser without cookies.
    pub fn new(reach: &Reach) -> Self {
        let (cookies, form_token) = (BTreeMap::new(), String::new());
        Self { reach: reach.clone(), cookies, form_token, language: "en" }
    }

    /// The `Cookie` header.
    pub fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// The cookie whose name ends so.
    pub fn cookie(&self, end: &str) -> Option<&str> {
        self.cookies.iter().find(|(name, _)| name.ends_with(end)).map(|(_, value)| value.as_str())
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form with the token of the last page.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form_token = self.form_token.clone();
        let fields: Vec<(&str, &str)> =
            fields.iter().copied().chain([("form_token", form_token.as_str())]).collect();
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("origin", "null")
            .body(serde_urlencoded::to_string(fields).unwrap());
        self.send(request).await
    }

    /// Signs in from the page to do so.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.get("/sign-in").await.expect(200);
        self.post("/sign-in", &[("email", email), ("password", password)]).await
    }

    /// A request with the cookies, to build upon.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.reach.request(Host::Auth, method, path).header("accept-language", self.language);
        if self.cookies.is_empty() { request } else { request.header("cookie", self.cookie_header()) }
    }

    /// Sends a request and keeps what the answer says.
    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let answer = self.reach.send(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(form_token) = hidden(&answer.page()) {
            self.form_token = form_token;
        }
        answer
    }
}

/// The token in the first form of a page.
fn hidden(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("name=\"form_token\" value=\"")?;
    rest.split('"').next().map(str::to_owned)
}
