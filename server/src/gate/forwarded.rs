//! Who calls when a proxy stands in front: `X-Forwarded-For`, which anybody can write, and the proxies
//! whose entries in it are believed.

use http::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks of the proxies whose `X-Forwarded-For` is believed; none when nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// What is neither a network nor an address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an IP network or address is needed, like 10.0.0.0/8 or ::1")]
pub struct NotANetwork;

impl TrustedProxies {
    /// The proxies of these networks: CIDR blocks, or single addresses.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, NotANetwork> {
        networks.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// The address of the caller whose connection comes from `peer`: the rightmost one that is no trusted
    /// proxy's. What stands left of it, the caller may have written.
    pub(super) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        // Mostly there is no proxy, and then nothing is looked for.
        if !self.trust(nearest) {
            return nearest;
        }
        // Several lines are one list in their order (RFC 9110, section 5.3).
        for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
            for entry in line.as_bytes().rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if entry.is_empty() {
                    continue;
                }
                // Beyond what cannot be read, nothing is known.
                let Some(address) = address(entry) else { return nearest };
                nearest = address;
                if !self.trust(nearest) {
                    return nearest;
                }
            }
        }
        nearest
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A network, or an address as the network of itself. An IPv4 one that is written as IPv6 is IPv4.
fn network(text: &str) -> Result<IpNet, NotANetwork> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address)));
    let network = network.map_err(|_| NotANetwork)?;
    let mapped = network.addr().to_canonical();
    match (network, mapped, network.prefix_len().checked_sub(96)) {
        (IpNet::V6(_), IpAddr::V4(address), Some(length)) => {
            Ipv4Net::new(address, length).map(IpNet::from).map_err(|_| NotANetwork)
        }
        _ => Ok(network),
    }
}

/// An entry of the header: an address, with a port or without; IPv6 in brackets where there is a port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    bare.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const PROXY: &str = "10.0.0.1";

    fn caller(trusted: &[&str], peer: &str, lines: &[&[u8]]) -> String {
        let trusted = TrustedProxies::new(trusted.iter().copied()).expect("networks");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).expect("a header value"));
        }
        trusted.caller(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_he_is_a_trusted_proxy() {
        for trusted in [&[][..], &["10.0.0.2"], &["192.168.0.0/16", "::1"]] {
            assert_eq!(caller(trusted, PROXY, &[b"203.0.113.7"]), PROXY);
        }
    }

    #[test]
    fn the_caller_is_the_rightmost_address_that_is_no_proxy() {
        let trusted = &["10.0.0.0/8", "2001:db8::/32"];
        for (lines, expected) in [
            (&[][..], PROXY),
            (&[&b"203.0.113.7"[..]], "203.0.113.7"),
            // What the caller wrote itself stands left of what the proxy added.
            (&[b"127.0.0.1, 198.51.100.9, 203.0.113.7"], "203.0.113.7"),
            (&[b"127.0.0.1", b"203.0.113.7"], "203.0.113.7"),
            (&[b"203.0.113.7,10.1.1.1 , 2001:db8::5"], "203.0.113.7"),
            (&[b"203.0.113.7", b"10.1.1.1", b"10.2.2.2"], "203.0.113.7"),
            // A caller inside of the trusted networks.
            (&[b"10.9.9.9, 10.1.1.1"], "10.9.9.9"),
        ] {
            assert_eq!(caller(trusted, PROXY, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_chain_at_the_proxy_that_wrote_it() {
        let trusted = &["10.0.0.0/8"];
        for entry in [
            &b"unknown"[..],
            b"nonsense",
            b"_hidden",
            b"\xff\xfe",
            b"203.0.113.7.",
            b"203.0.113.007",
            b"203.0.113.7:99999",
            b"[::1",
            b"a b",
            b"\"203.0.113.7\"",
        ] {
            assert_eq!(caller(trusted, PROXY, &[entry]), PROXY, "{entry:?}");
            let longer = [&b"203.0.113.7, "[..], entry, b", 10.5.5.5"].concat();
            assert_eq!(caller(trusted, PROXY, &[&longer]), "10.5.5.5", "{entry:?}");
        }
    }

    #[test]
    fn empty_entries_ports_and_brackets_do_not_hide_an_address() {
        for (entry, expected) in [
            (&b" , 203.0.113.7,, "[..], "203.0.113.7"),
            (b"203.0.113.7:4711", "203.0.113.7"),
            (b"[2001:db8::5]:4711", "2001:db8::5"),
            (b"[2001:db8::5]", "2001:db8::5"),
        ] {
            assert_eq!(caller(&["10.0.0.0/8"], PROXY, &[entry]), expected, "{entry:?}");
        }
    }

    #[test]
    fn an_ipv4_address_is_the_same_one_when_it_is_written_as_ipv6() {
        let mapped = "::ffff:10.0.0.1";
        for trusted in ["10.0.0.0/8", "10.0.0.1", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1"] {
            for peer in [PROXY, mapped] {
                assert_eq!(caller(&[trusted], peer, &[b"::ffff:203.0.113.7"]), "203.0.113.7", "{trusted}");
            }
        }
        assert_eq!(caller(&[], mapped, &[]), PROXY);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "nonsense", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "localhost", "1.2.3.4:80"]
        {
            assert_eq!(TrustedProxies::new([text]), Err(NotANetwork), "{text}");
        }
    }
}
