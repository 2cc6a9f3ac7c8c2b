//! Whom a limit counts, and the key of his bucket: a keyed hash, so that nobody can choose whose bucket he shares, a
//! key is short whatever was sent, and the database holds no address.

use super::limit::Limit;
use crate::pepper::Pepper;
use argus_wire::hex;
use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that name a network. What is behind them is one subscriber's to choose from.
const NETWORK_BITS: u32 = 64;

/// Whom a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'s> {
    /// Whoever calls from an address.
    Address(IpAddr),
    /// Whoever calls from an address and claims to be this client.
    ClientAt(&'s str, IpAddr),
    /// Whoever has shown to be this app, the operator or somebody else of the tenant, wherever he calls from.
    Caller(&'s str, &'s str),
    /// Whoever belongs to this tenant.
    Tenant(&'s str),
}

/// The name of a bucket. Whoever is counted often keeps it, since making one is a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 16]);

impl Subject<'_> {
    pub(super) fn key(&self, limit: Limit, pepper: &Pepper) -> Key {
        const PURPOSE: &str = "limit";
        let tag = match self {
            Self::Address(address) => pepper.seal(PURPOSE, &[limit.name(), &network(*address)]),
            Self::ClientAt(client, address) => {
                pepper.seal(PURPOSE, &[limit.name(), &network(*address), client])
            }
            Self::Caller(tenant, actor) => pepper.seal(PURPOSE, &[limit.name(), tenant, actor]),
            Self::Tenant(tenant) => pepper.seal(PURPOSE, &[limit.name(), tenant]),
        };
        let mut key = [0; 16];
        key.copy_from_slice(&tag[..16]);
        Key(key)
    }
}

impl Key {
    /// As it is stored.
    pub(super) fn text(&self) -> String {
        hex::encode(&self.0)
    }
}

/// The network that an address counts as.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> NETWORK_BITS << NETWORK_BITS;
            format!("{}/{NETWORK_BITS}", Ipv6Addr::from_bits(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> String {
        network(address.parse().expect("an address"))
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network_and_a_mapped_one_as_what_it_maps() {
        assert_eq!(of("203.0.113.7"), "203.0.113.7");
        assert_eq!(of("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
