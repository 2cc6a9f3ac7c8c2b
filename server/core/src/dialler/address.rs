//! Which addresses may be connected to: those of the public internet, what an operator allows beside them, and this
//! machine where it is said. The tables are IANA's registries of special-purpose addresses (RFC 6890 and what has
//! updated it), read on the strict side: what is globally reachable in them but belongs to a protocol and to no
//! receiver is refused as well.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where connections may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Permitted {
    /// To this machine alone.
    Loopback,
    /// To the public internet.
    Public {
        /// And to these networks, whatever they are.
        allowed: Vec<IpNet>,
        /// And to this machine.
        loopback: bool,
    },
}

impl Permitted {
    /// Whether a connection may go to this address.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        match self {
            Self::Loopback => is_this_machine(address),
            Self::Public { allowed, loopback } => {
                let is_allowed = |address: IpAddr| allowed.iter().any(|network| network.contains(&address));
                is_public(address)
                    || *loopback && is_this_machine(address)
                    || is_allowed(address)
                    || is_allowed(reached(address))
            }
        }
    }
}

/// What is loopback only behind a gateway is not.
fn is_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether an address is one of the public internet: globally reachable, of one machine, and without another address
/// inside it that is not.
pub fn is_public(address: IpAddr) -> bool {
    match reached(address) {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_UNICAST.contains(&address)
                && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IANA IPv4 Special-Purpose Address Registry, and multicast.
const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    // This network (RFC 791); on many systems 0.0.0.0 is this machine.
    v4(0, 0, 0, 8),
    // Private use (RFC 1918), with the two below.
    v4(10, 0, 0, 8),
    // Shared address space: carrier-grade NAT (RFC 6598).
    v4(100, 64, 0, 10),
    // Loopback (RFC 1122).
    v4(127, 0, 0, 8),
    // Link-local (RFC 3927), and the metadata services of clouds.
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    // IETF protocol assignments (RFC 6890).
    v4(192, 0, 0, 24),
    // Documentation (RFC 5737), with the two below.
    v4(192, 0, 2, 24),
    // Relays of 6to4 (RFC 7526).
    v4(192, 88, 99, 24),
    v4(192, 168, 0, 16),
    // Benchmarking (RFC 2544).
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    // Multicast (RFC 5771).
    v4(224, 0, 0, 4),
    // Reserved (RFC 1112), with the limited broadcast 255.255.255.255 (RFC 8190).
    v4(240, 0, 0, 4),
];

/// All of IPv6 that is assigned to machines of the internet (RFC 4291, IANA IPv6 Address Space). Outside are, of what
/// has a name: ::, ::1, IPv4-compatible ::/96, 64:ff9b:1::/48, 100::/64, 5f00::/16, fc00::/7, fe80::/10, fec0::/10 and
/// ff00::/8.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);

/// IANA IPv6 Special-Purpose Address Registry, inside of global unicast. Of 6to4 it is the address inside that counts.
const NOT_PUBLIC_V6: [Ipv6Net; 3] = [
    // IETF protocol assignments (RFC 2928), with Teredo 2001::/32 (RFC 4380), ORCHID and benchmarking.
    v6(0x2001, 0, 0, 23),
    // Documentation (RFC 3849), with the one below (RFC 9637).
    v6(0x2001, 0xdb8, 0, 32),
    v6(0x3fff, 0, 0, 20),
];

/// IPv4 as sockets of IPv6 have it (RFC 4291).
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
/// What a NAT64 turns into IPv4 (RFC 6052).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
/// 6to4 (RFC 3056).
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

/// The address of IPv4 that is reached by one of IPv6 that carries it; any other address itself.
fn reached(address: IpAddr) -> IpAddr {
    let IpAddr::V6(outer) = address else { return address };
    let octets = outer.octets();
    let (rest, tail) = (&octets[2..6], &octets[12..]);
    let inner = if MAPPED.contains(&outer) || NAT64.contains(&outer) {
        tail
    } else if SIX_TO_FOUR.contains(&outer) {
        rest
    } else {
        return address;
    };
    <[u8; 4]>::try_from(inner).map_or(address, IpAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().expect(address))
    }

    #[test]
    fn what_is_special_is_not_public_to_its_first_and_last_address() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "255.255.255.255"),
            ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::a00:1", "::ffff:0:a00:1"),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
            ("100::", "100:0:0:1::"),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("4000::", "5f00::1"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fe80::", "fec0::1"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            assert!(!public(first) && !public(last), "{first} to {last}");
        }
    }

    #[test]
    fn what_lies_beside_it_is_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db7::",
            "2001:db9::",
            "2606:4700::1111",
            "3fff:1000::",
            "2a00:1450:4001::",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn an_address_that_carries_another_is_judged_by_that() {
        for (address, is_public) in [
            ("::ffff:8.8.8.8", true),
            ("::ffff:169.254.169.254", false),
            ("64:ff9b::808:808", true),
            ("64:ff9b::a9fe:a9fe", false),
            ("2002:808:808::1", true),
            ("2002:7f00:1::1", false),
            ("2002:a9fe:a9fe::", false),
            // The address of its server would be public, but no machine is behind Teredo that receives.
            ("2001:0:808:808::", false),
            ("::8.8.8.8", false),
        ] {
            assert_eq!(public(address), is_public, "{address}");
        }
    }

    #[test]
    fn what_is_allowed_wins_in_whatever_form_it_comes() {
        let network = "10.1.0.0/16".parse().expect("a network");
        let permitted = Permitted::Public { allowed: vec![network], loopback: false };
        for (address, permits) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("64:ff9b::a01:203", true),
            ("10.2.0.1", false),
            ("127.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(permitted.permits(address.parse().expect(address)), permits, "{address}");
        }
    }

    #[test]
    fn this_machine_is_not_what_a_gateway_takes_for_itself() {
        let public = Permitted::Public { allowed: Vec::new(), loopback: true };
        for (address, is_this_machine) in [
            ("127.0.0.1", true),
            ("127.255.0.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
        ] {
            for permitted in [&public, &Permitted::Loopback] {
                assert_eq!(permitted.permits(address.parse().expect(address)), is_this_machine, "{address}");
            }
        }
        assert!(!Permitted::Loopback.permits(IpAddr::from([8, 8, 8, 8])));
    }
}
