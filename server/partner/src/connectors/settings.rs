//! Where the systems are, and what is asked of the way to them.

use super::System;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::uri::base_url_path;
use chrono::TimeDelta;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// The connectors of an installation.
#[derive(Clone, Debug, Default)]
pub struct ConnectorSettings {
    /// The systems that are there.
    pub providers: BTreeMap<System, Provider>,
    /// What holds for each connector.
    pub limits: Limits,
}

/// How much time, load and answer there may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For one request, with its connection and its whole answer.
    pub attempt: Duration,
    /// For a question, with the wait for its turn and every repetition. Shorter than any proxy in front waits.
    pub question: Duration,
    /// How often a question is sent at most.
    pub attempts: u32,
    /// The longest pause before the second time; it doubles with each further one.
    pub pause: Duration,
    /// The longest `Retry-After` that is waited for.
    pub retry_after: Duration,
    /// How many requests are under way to a system at a time.
    pub concurrency: usize,
    /// Bytes of an answer.
    pub answer_bytes: usize,
    /// After how many failures in a row a system is left alone.
    pub failures: u32,
    /// For how long.
    pub rest: TimeDelta,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(4),
            question: Duration::from_secs(8),
            attempts: 3,
            pause: Duration::from_millis(200),
            retry_after: Duration::from_secs(2),
            concurrency: 16,
            answer_bytes: 64 * 1024,
            failures: 5,
            rest: TimeDelta::seconds(30),
        }
    }
}

/// A system that can be asked over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Where questions go.
    pub(super) endpoint: Url,
    /// What opens it.
    pub(super) token: SecretText,
}

/// Why a system cannot be asked as it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// The URL is none.
    #[error("the URL must be an http or https URL without user, password, query, fragment or closing slash")]
    Url,
    /// The token would go over the network in the clear.
    #[error("the URL must be an https URL, or lead to this machine: the token would go in the clear")]
    InTheClear,
    /// The token is none.
    #[error("the token must be 1 to 4096 visible ASCII characters")]
    Token,
}

/// The longest token, in bytes.
const TOKEN_MAX: usize = 4096;

impl Provider {
    /// The system at this base URL, opened by this bearer token.
    ///
    /// # Errors
    ///
    /// When either cannot be used. No error shows any of them.
    pub fn new(base_url: &str, token: SecretText) -> Result<Self, ProviderFault> {
        base_url_path(base_url).ok_or(ProviderFault::Url)?;
        let endpoint: Url =
            format!("{base_url}{}", super::FINDINGS_PATH).parse().map_err(|_| ProviderFault::Url)?;
        if endpoint.scheme() != "https" && !is_this_machine(&endpoint) {
            return Err(ProviderFault::InTheClear);
        }
        let is_visible = token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible || !(1..=TOKEN_MAX).contains(&token.expose().len()) {
            return Err(ProviderFault::Token);
        }
        Ok(Self { endpoint, token })
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> HeaderValue {
        let value = HeaderValue::try_from(format!("Bearer {}", self.token.expose()));
        // What is no value was refused before.
        let mut value = value.unwrap_or(HeaderValue::from_static("Bearer"));
        value.set_sensitive(true);
        value
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(url: &str, token: &str) -> Result<Provider, ProviderFault> {
        Provider::new(url, SecretText::from(token.to_owned()))
    }

    #[test]
    fn questions_go_below_the_base_url() {
        for (base, endpoint) in [
            ("https://finance.example", "https://finance.example/v1/findings"),
            ("https://finance.example:8443/argus", "https://finance.example:8443/argus/v1/findings"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/v1/findings"),
            ("http://[::1]:9000", "http://[::1]:9000/v1/findings"),
            ("http://localhost:9000", "http://localhost:9000/v1/findings"),
        ] {
            assert_eq!(provider(base, "t").expect(base).endpoint.as_str(), endpoint);
        }
    }

    #[test]
    fn no_token_goes_in_the_clear_beyond_this_machine() {
        for base in ["http://finance.example", "http://10.0.0.1", "http://localhost.example", "http://[::2]"]
        {
            assert_eq!(provider(base, "t"), Err(ProviderFault::InTheClear), "{base}");
        }
        for base in ["", "finance.example", "ftp://a.example", "https://a.example/", "https://u:p@a.example"]
        {
            assert_eq!(provider(base, "t"), Err(ProviderFault::Url), "{base}");
        }
    }

    #[test]
    fn a_token_is_what_a_header_can_hold_and_is_not_shown() {
        for token in ["", "a b", "a\nb", "é", &"a".repeat(TOKEN_MAX + 1)] {
            assert_eq!(provider("https://a.example", token), Err(ProviderFault::Token), "{token:.20}");
        }
        let provider = provider("https://a.example", "hunter2").expect("usable");
        assert!(!format!("{provider:?} {:?}", provider.authorization()).contains("hunter2"));
        assert_eq!(provider.authorization(), "Bearer hunter2");
    }
}
