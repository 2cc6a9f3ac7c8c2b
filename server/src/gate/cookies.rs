//! The cookies of browsers: what they are called, how one is read, and how one is set.
//!
//! A cookie belongs to a host name, whatever the port: the names carry the host, so that those of the three hosts on one
//! name do not meet. Where the issuer is https, they have the prefix `__Host-` (RFC 6265bis, section 4.1.3.2), with which
//! no other host can set them. In development on http the names carry the port as well.

use argus_openapi::Host;
use argus_openapi::types::secret::SecretText;
use argus_wire::hex;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Uri};
use sha2::{Digest, Sha256};

/// How long a token in a cookie is: 256 bits in base64url.
const TOKEN_LENGTH: usize = 43;

/// What the cookies of the auth host are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieNames {
    /// Who is signed in.
    pub session: String,
    /// Which browser it is, signed in or not: its forms are bound to it.
    pub browser: String,
    /// What the names of cookies begin with that say which pushed requests were opened here.
    request: String,
    is_secure: bool,
}

impl CookieNames {
    /// The names under this issuer.
    pub fn of(issuer: &str) -> Self {
        let issuer = issuer.parse::<Uri>().unwrap_or_default();
        let host = Host::Auth.name();
        // What is no http is taken for https: a cookie that is not sent is better than one that anybody can read.
        let is_secure = issuer.scheme_str() != Some("http");
        let prefix = match (is_secure, issuer.port_u16()) {
            (true, _) => format!("__Host-argus-{host}"),
            (false, Some(port)) => format!("argus-{host}-{port}"),
            (false, None) => format!("argus-{host}"),
        };
        Self {
            session: format!("{prefix}-session"),
            browser: format!("{prefix}-browser"),
            request: format!("{prefix}-request"),
            is_secure,
        }
    }

    /// The cookie that says that a pushed request was opened here. Each request has its own, so that several may be open
    /// at a time.
    pub fn of_request(&self, request_uri: &str) -> String {
        format!("{}-{}", self.request, hex::encode(&Sha256::digest(request_uri.as_bytes())[..8]))
    }

    /// Sets a cookie until the browser is closed. It goes along when another site leads here, as apps do, and with
    /// nothing else that another site asks for.
    pub(super) fn set(&self, name: &str, token: &SecretText) -> Option<HeaderValue> {
        self.header(name, token.expose(), "")
    }

    /// Takes a cookie away.
    pub(super) fn clear(&self, name: &str) -> Option<HeaderValue> {
        self.header(name, "", "; Max-Age=0")
    }

    fn header(&self, name: &str, value: &str, lifetime: &str) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{lifetime}");
        let mut header = HeaderValue::try_from(cookie).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// The token in the cookie of this name. There is none where the cookie is there twice: somebody has put one beside it,
/// and it cannot be told which. Whatever else is sent does not matter.
pub fn token(headers: &HeaderMap, name: &str) -> Option<SecretText> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    let mut found = pairs.filter_map(|pair| {
        let pair = pair.trim_ascii();
        let end = pair.iter().position(|byte| *byte == b'=')?;
        (&pair[..end] == name.as_bytes()).then(|| &pair[end + 1..])
    });
    let (value, None) = (found.next()?, found.next()) else { return None };
    let is_token = value.len() == TOKEN_LENGTH
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let text = std::str::from_utf8(value).ok().filter(|_| is_token)?;
    Some(SecretText::from(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).expect("a header value"));
        }
        headers
    }

    #[test]
    fn a_token_is_found_among_others_and_not_where_its_cookie_is_there_twice() {
        let token_text = "a".repeat(TOKEN_LENGTH);
        let own = format!("own={token_text}");
        let found = |lines: &[&str]| token(&headers(lines), "own").is_some();
        assert!(found(&[&own]));
        assert!(found(&[&format!("other=1; {own} ;x")]));
        assert!(found(&["other=1", &own]));
        assert!(!found(&[&own, &own]));
        assert!(!found(&[&format!("own=b; {own}")]));
        assert!(!found(&[]));
        assert!(!found(&[&format!("xown={token_text}")]));
        assert!(!found(&[&format!("Own={token_text}")]));
        assert!(!found(&["own=short"]));
        assert!(!found(&[&format!("own=\"{}\"", "a".repeat(TOKEN_LENGTH - 2))]));
    }

    #[test]
    fn cookies_are_bound_to_their_host_wherever_the_issuer_is_https() {
        let names = CookieNames::of("https://auth.knogin.com");
        assert_eq!(names.session, "__Host-argus-auth-session");
        let set = names.set(&names.session, &SecretText::from("t".to_owned())).expect("a header value");
        assert_eq!(set, "__Host-argus-auth-session=t; Path=/; HttpOnly; SameSite=Lax; Secure");
        let names = CookieNames::of("http://127.0.0.1:8080");
        assert_eq!(names.browser, "argus-auth-8080-browser");
        let clear = names.clear(&names.browser).expect("a header value");
        assert_eq!(clear, "argus-auth-8080-browser=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
