//! Limits as the gate calls them: the buckets of one node, and those that several share.

mod buckets;
mod nodes;

use argus_core::limits::{Limit, Limits, Refused, Subject};
use futures::FutureExt;
use std::net::IpAddr;

const LIMIT: Limit = Limit::BearerFailures;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The address with this number.
fn numbered(number: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(number).into()
}

async fn charge(limits: &Limits, address: IpAddr) -> Result<(), Refused> {
    limits.charge(&[(LIMIT, Subject::Address(address))]).await
}

/// The same of a node that has its buckets to itself, which waits for nobody.
fn charge_at_once(limits: &Limits, address: IpAddr) -> Result<(), Refused> {
    charge(limits, address).now_or_never().unwrap()
}
