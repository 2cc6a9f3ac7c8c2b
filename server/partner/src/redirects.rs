//! Which redirect URIs an app may register (RFC 6749, section 3.1.2; RFC 8252, section 7.3).

use argus_openapi::types::apps::GrantType;
use url::{Host, Url};

const MAX_LENGTH: usize = 2_000;

/// Checks the redirect URIs of an app and drops repetitions; the error says what to change. Each URI
/// is kept letter for letter, because it is matched so later.
pub(super) fn check(uris: &[String], grant_types: &[GrantType]) -> Result<Vec<String>, String> {
    if uris.is_empty() && grant_types.contains(&GrantType::AuthorizationCode) {
        return Err("`redirect_uris` needs at least one entry for the grant `authorization_code`".to_owned());
    }
    let mut accepted: Vec<String> = Vec::with_capacity(uris.len());
    for (index, uri) in uris.iter().enumerate() {
        check_one(uri).map_err(|reason| format!("`redirect_uris[{index}]` {reason}"))?;
        if !accepted.contains(uri) {
            accepted.push(uri.clone());
        }
    }
    Ok(accepted)
}

fn check_one(uri: &str) -> Result<(), &'static str> {
    if uri.len() > MAX_LENGTH {
        return Err("is longer than 2000 characters");
    }
    // The parser would quietly mend these, and a mended URI no longer matches letter for letter.
    if uri.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\') {
        return Err("holds a space, a control character or a backslash");
    }
    let url = Url::parse(uri).map_err(|_| "is not an absolute URI")?;
    if !uri.contains("://") {
        return Err("is not an absolute URI");
    }
    if uri.contains('#') {
        return Err("must not have a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not carry a user name or password");
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(()),
        ("http", Some(host)) if is_loopback(&host) => Ok(()),
        _ => Err("must begin with https:// (http:// is for the loopback addresses of native apps only)"),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => *address == std::net::Ipv4Addr::LOCALHOST,
        Host::Ipv6(address) => *address == std::net::Ipv6Addr::LOCALHOST,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check_uri(uri: &str) -> Result<Vec<String>, String> {
        check(&[uri.to_owned()], &[GrantType::AuthorizationCode])
    }

    #[test]
    fn https_and_loopback_uris_are_accepted_letter_for_letter() {
        for uri in [
            "https://integrator.example/callback",
            "https://integrator.example",
            "https://INTEGRATOR.example:8443/a?b=c",
            "http://127.0.0.1:51004/callback",
            "http://[::1]/callback",
            "http://localhost:3000/",
        ] {
            assert_eq!(check_uri(uri).unwrap(), [uri]);
        }
    }

    #[test]
    fn unsafe_uris_are_refused_with_their_place() {
        for uri in [
            "",
            "/callback",
            "integrator.example/callback",
            "https:integrator.example",
            "http://integrator.example/callback",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "https://integrator.example/#fragment",
            "https://integrator.example/#",
            "https://user:password@integrator.example/",
            "https://integrator.example/a b",
            "https://integrator.example\\@evil.example/",
            "javascript://x/%0aalert(1)",
            "custom.app://callback",
        ] {
            assert!(check_uri(uri).unwrap_err().starts_with("`redirect_uris[0]` "), "{uri}");
        }
    }

    #[test]
    fn the_authorization_code_grant_needs_a_redirect_uri_and_repetitions_are_dropped() {
        assert!(check(&[], &[GrantType::AuthorizationCode]).is_err());
        assert!(check(&[], &[GrantType::ClientCredentials]).unwrap().is_empty());
        let twice = vec!["https://a.example/".to_owned(); 2];
        assert_eq!(check(&twice, &[GrantType::AuthorizationCode]).unwrap().len(), 1);
    }
}
