//! How many connections each host has. dropshot owns the listeners and counts nothing, so that the system
//! is asked: the sockets of this process whose own end is a host's address. Closing them does not live here.

use crate::hosts::Addresses;
use argus_openapi::Host;

/// The open connections of each host, in the order of [`Host::ALL`].
pub type OpenConnections = [usize; Host::ALL.len()];

/// The open connections of the hosts at these addresses, or none where the system does not say. Blocks.
#[cfg(target_os = "linux")]
pub fn open_connections(addresses: &Addresses) -> Option<OpenConnections> {
    use procfs::net::TcpState;
    use procfs::process::{FDTarget, Process};
    use std::collections::HashSet;
    use std::net::SocketAddr;

    let own: HashSet<u64> = Process::myself()
        .and_then(|process| process.fd())
        .ok()?
        .filter_map(|descriptor| match descriptor.ok()?.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let mut sockets = procfs::net::tcp().ok()?;
    // There is no such table where IPv6 is off.
    sockets.extend(procfs::net::tcp6().unwrap_or_default());
    // Another process may listen on the same port of another address, and dials are no connections of a host.
    sockets.retain(|socket| socket.state != TcpState::Listen && own.contains(&socket.inode));
    Some(Host::ALL.map(|host| {
        let at = addresses.of(host);
        let is_its_own = |end: &SocketAddr| {
            let same_address = at.ip().is_unspecified() || end.ip().to_canonical() == at.ip().to_canonical();
            same_address && end.port() == at.port()
        };
        sockets.iter().filter(|socket| is_its_own(&socket.local_address)).count()
    }))
}

/// The system does not say.
#[cfg(not(target_os = "linux"))]
pub fn open_connections(_: &Addresses) -> Option<OpenConnections> {
    None
}
