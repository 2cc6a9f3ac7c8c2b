//! The query string of an authorization request.
//!
//! Whatever it says, nobody is led to anywhere but one of the app's redirect URIs, at most with another port of a loopback
//! address. What is put before a user is within what the app is approved for, and has a challenge where the app must have
//! one. A refusal that goes to the app says so once, with the issuer, and brings back the state letter for letter.

use argus_openapi::types::apps::GrantType;
use argus_openapi::types::oauth::{AuthorizationParameters, AuthorizationRequest};
use argus_openapi::types::scopes::Scope;
use argus_partner::oauth::authorize::{App, Refusal, judge, location};
use url::Url;

const ISSUER: &str = "https://auth.example.com";

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let Ok(request) = serde_urlencoded::from_bytes::<AuthorizationRequest>(input) else { return };
    let web = ["https://partner.example/callback?a=b", "https://partner.example/other"];
    let native = ["http://127.0.0.1/callback", "http://[::1]:3000/callback", "com.example.app:/callback"];
    for (redirect_uris, needs_pkce) in [(&web[..1], false), (&web[..], true), (&native[..], true)] {
        let app = App {
            client_id: "app_a".parse().expect("an identifier"),
            name: "An app".to_owned(),
            redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
            grant_types: vec![GrantType::AuthorizationCode],
            approved: vec![Scope::JobsRead, Scope::JobsWrite],
            needs_pkce,
        };
        assert_judged(&app, &request.parameters);
    }
}

fn assert_judged(app: &App, request: &AuthorizationParameters) {
    match judge(app, request) {
        Ok(judged) => {
            assert_led(app, &judged.redirect_uri);
            assert_eq!(request.response_type.as_deref(), Some("code"));
            assert!(!judged.scopes.is_empty());
            assert!(judged.scopes.iter().all(|scope| app.approved.contains(scope)), "{judged:?}");
            assert!(request.code_challenge.is_some() || !app.needs_pkce, "{judged:?}");
        }
        Err(refusal @ Refusal::Here(_)) => assert_eq!(location(ISSUER, &refusal), None),
        Err(refusal) => {
            let Refusal::There { redirect_uri, state, .. } = &refusal else { unreachable!() };
            assert_led(app, redirect_uri);
            let to = location(ISSUER, &refusal).expect("it goes to the app");
            let url = Url::parse(&to).expect("a URL");
            let answered = |name: &str| {
                let values = url.query_pairs().filter(|(key, _)| key == name);
                values.map(|(_, value)| value.into_owned()).collect::<Vec<_>>()
            };
            assert!(to.starts_with(redirect_uri.as_str()), "{to}");
            assert_eq!(answered("error").len(), 1, "{to}");
            assert_eq!(answered("iss"), [ISSUER], "{to}");
            assert_eq!(answered("state"), Vec::from_iter(state.clone()), "{to}");
        }
    }
}

/// Asserts that a URI is one of the app's, but for the port of a loopback address.
fn assert_led(app: &App, uri: &str) {
    let is_loopback = |uri: &str| uri.starts_with("http://127.0.0.1") || uri.starts_with("http://[::1]");
    let is_same = |registered: &String| {
        registered == uri || is_loopback(registered) && without_port(registered) == without_port(uri)
    };
    assert!(app.redirect_uris.iter().any(is_same), "{uri}");
}

/// A loopback URI without its port.
fn without_port(uri: &str) -> String {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| uri.starts_with(host));
    let Some(host) = host else { return uri.to_owned() };
    let rest = &uri[host.len()..];
    let digits = rest
        .strip_prefix(':')
        .map_or(rest, |rest| rest.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    format!("{host}{digits}")
}
