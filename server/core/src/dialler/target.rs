//! The URLs that can be sent to, read by the parser that the client connects by: an address that is written as one
//! number, in octal or in hexadecimal digits is the address that a connection would go to.

use super::failure::Failure;
use reqwest::Url;
use std::net::IpAddr;
use url::Host;

/// How a receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// With TLS.
    Https,
    /// In the clear.
    Http,
}

/// A URL that can be sent to, if its address may be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) scheme: Scheme,
    /// Its host, where that is no name.
    pub(super) address: Option<IpAddr>,
}

impl Target {
    /// Reads an http or https URL without user, password and fragment.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let url = Url::parse(text).map_err(|_| Failure::UrlNotAllowed)?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(Failure::UrlNotAllowed),
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Failure::UrlNotAllowed);
        }
        let address = match url.host().ok_or(Failure::UrlNotAllowed)? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        Ok(Self { url, scheme, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_whatever_way_it_is_written() {
        let loopback = Some(IpAddr::from([127, 0, 0, 1]));
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "2130706433",
            "0177.0.0.1",
            "017700000001",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "%31%32%37.0.0.1",
            "127。0。0。1",
            "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        ] {
            let target = Target::parse(&format!("https://{host}:8443/hook")).expect(host);
            assert_eq!(target.address, loopback, "{host}");
        }
        let mapped = Target::parse("https://[::ffff:127.0.0.1]/").expect("an address");
        assert_eq!(mapped.address, "::ffff:127.0.0.1".parse().ok());
        for name in ["receiver.example", "localhost.", "127.0.0.1.example", "xn--bcher-kva.example"] {
            assert_eq!(Target::parse(&format!("https://{name}/")).expect(name).address, None);
        }
    }

    #[test]
    fn what_is_no_url_of_a_receiver_is_refused() {
        for url in [
            "",
            "receiver.example",
            "//receiver.example/",
            "ftp://receiver.example/",
            "file:///etc/passwd",
            "https://",
            "https://user@receiver.example/",
            "https://:password@receiver.example/",
            "https://receiver.example@169.254.169.254/",
            "https://receiver.example/#part",
            "https://receiver.example/#",
            "https://1.2.3.4.5/",
            "https://256.1.1.1/",
            "https://[::1%25eth0]/",
            "https://a b/",
        ] {
            assert_eq!(Target::parse(url), Err(Failure::UrlNotAllowed), "{url}");
        }
    }
}
