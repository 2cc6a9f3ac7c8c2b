//! The sandbox token that `argus dev` gives to the script of its own reference page, and to nobody else: there is none
//! unless `dev` has put one there, and whoever asks must be a page of this very host, on this very machine.

use crate::gate::{Call, Outcome, Problem, SEC_FETCH_SITE};
use argus_openapi::Host;
use argus_openapi::types::internal::DemoToken;
use http::HeaderMap;
use http::header::HOST;
use http::uri::Authority;
use std::net::IpAddr;

/// The token, with the addresses of the hosts that go with it. What may not be told is not there.
pub(super) fn view<C, B>(call: &Call<'_, C, B>) -> Outcome<DemoToken> {
    let (app, unknown) = (call.app(), || Problem::not_found("demo token"));
    let may_ask = call.peer().to_canonical().is_loopback() && is_own_page(call.headers());
    let token = app.demo_token.get().filter(|_| may_ask).ok_or_else(unknown)?;
    let hosts = Host::ALL.map(|host| (host.name().to_owned(), app.base_urls.of(host).to_owned()));
    Ok(DemoToken { token: token.clone(), hosts: hosts.into() })
}

/// Whether a page of this host asks. A name that somebody else gives to this machine makes their pages pages of this
/// host, too (DNS rebinding); a literal address of loopback is nobody's.
fn is_own_page(headers: &HeaderMap) -> bool {
    let said = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let host = said(HOST).and_then(|host| host.parse::<Authority>().ok());
    let is_loopback = host.is_some_and(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    is_loopback && said(SEC_FETCH_SITE) == Some("same-origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(host: &str, site: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a value"));
        headers.extend(site.map(|site| (SEC_FETCH_SITE, site.parse().expect("a value"))));
        is_own_page(&headers)
    }

    #[test]
    fn only_a_page_of_this_host_on_this_machine_may_ask() {
        for host in ["127.0.0.1:8081", "[::1]:8081", "localhost:8081", "127.0.0.1"] {
            assert!(asks(host, Some("same-origin")), "{host}");
            for site in [None, Some("cross-site"), Some("same-site"), Some("none"), Some("")] {
                assert!(!asks(host, site), "{host} {site:?}");
            }
        }
        for host in
            ["evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0"]
        {
            assert!(!asks(host, Some("same-origin")), "{host}");
        }
    }
}
