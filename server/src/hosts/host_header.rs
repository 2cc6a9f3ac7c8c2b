//! The `Host` header: one in every HTTP/1.1 request, with the name and port of a host (RFC 9112, section
//! 3.2; RFC 9110, section 7.2). Which name it is does not matter here: the listener decides what is served.

use http::header::HOST;
use http::{HeaderMap, Version};
use std::net::Ipv6Addr;

/// Whether the request says which host it is for, as its version asks.
pub(super) fn is_valid(version: Version, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        (Some(host), None) => is_host_and_port(host.as_bytes()),
        // HTTP/2 has `:authority` in its place, and HTTP/1.0 had none.
        (None, _) => version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether this is `uri-host [ ":" port ]` of RFC 3986 with a host that is not empty.
fn is_host_and_port(value: &[u8]) -> bool {
    let (is_name, rest) = match value {
        [b'[', inner @ ..] => {
            let end = inner.iter().position(|byte| *byte == b']').unwrap_or(inner.len());
            (is_ipv6(&inner[..end]), inner.get(end + 1..).unwrap_or(b"]"))
        }
        _ => {
            let end = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
            (is_registered_name(&value[..end]), &value[end..])
        }
    };
    is_name && (rest.is_empty() || rest[0] == b':' && rest[1..].iter().all(u8::is_ascii_digit))
}

fn is_ipv6(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// The bytes that stand for themselves in `reg-name`. Every request is asked, so that a table pays.
const PLAIN: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*')
            || matches!(byte, b'+' | b',' | b';' | b'=');
        byte += 1;
    }
    table
};

/// `reg-name`, of which an IPv4 address is one.
fn is_registered_name(name: &[u8]) -> bool {
    let mut rest = name.iter();
    while let Some(byte) = rest.next() {
        if PLAIN[usize::from(*byte)] {
            continue;
        }
        let is_escape =
            *byte == b'%' && rest.by_ref().take(2).filter(|byte| byte.is_ascii_hexdigit()).count() == 2;
        if !is_escape {
            return false;
        }
    }
    !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn names_and_addresses_with_and_without_a_port_are_hosts() {
        for host in
            ["x", "api.knogin.com", "127.0.0.1:8080", "[::1]", "[::1]:80", "a:", "a%20b", "a_b", "a,b"]
        {
            assert!(is_host_and_port(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn what_no_uri_could_name_is_no_host() {
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "u@h",
            "a:b",
            "a:1:2",
            "[::1",
            "[::1]x",
            "[nonsense]",
            "[]",
            "a%2",
            "a%zz",
            "caf\u{e9}",
            "a\tb",
            "a?b",
            "a#b",
            "http://a",
            "a\\b",
            "::1",
        ] {
            assert!(!is_host_and_port(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn only_http_1_1_must_have_one_and_nobody_may_have_two() {
        let none = HeaderMap::new();
        assert!(!is_valid(Version::HTTP_11, &none));
        assert!(is_valid(Version::HTTP_10, &none) && is_valid(Version::HTTP_2, &none));
        let mut two = HeaderMap::new();
        two.append(HOST, HeaderValue::from_static("a"));
        assert!(is_valid(Version::HTTP_11, &two));
        two.append(HOST, HeaderValue::from_static("a"));
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            assert!(!is_valid(version, &two));
        }
    }
}
