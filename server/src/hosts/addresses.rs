//! Where the hosts listen, and under which URLs clients reach them.

use super::HostError;
use argus_openapi::Host;
use std::net::{SocketAddr, TcpListener};

/// Where each host listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Identity, OAuth and keys.
    pub auth: SocketAddr,
    /// The live partner surface.
    pub api: SocketAddr,
    /// The deterministic partner surface.
    pub sandbox: SocketAddr,
}

/// Base URLs under which clients reach the hosts that replies name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrls {
    /// The auth host.
    pub auth: String,
    /// The live API host.
    pub api: String,
    /// The sandbox host.
    pub sandbox: String,
}

impl BaseUrls {
    /// The base URL of this host.
    pub fn of(&self, host: Host) -> &str {
        match host {
            Host::Auth => &self.auth,
            Host::Api => &self.api,
            Host::Sandbox => &self.sandbox,
        }
    }
}

impl Default for BaseUrls {
    fn default() -> Self {
        let [auth, api, sandbox] = Host::ALL.map(|host| host.public_url().to_owned());
        Self { auth, api, sandbox }
    }
}

impl Addresses {
    /// Where this host listens.
    pub fn of(&self, host: Host) -> SocketAddr {
        match host {
            Host::Auth => self.auth,
            Host::Api => self.api,
            Host::Sandbox => self.sandbox,
        }
    }

    /// A host that other machines can reach, if there is one.
    pub fn exposed(&self) -> Option<Host> {
        Host::ALL.into_iter().find(|host| !self.of(*host).ip().to_canonical().is_loopback())
    }

    /// Base URL of a host as it listens.
    pub fn base_url(&self, host: Host) -> String {
        format!("http://{}", self.of(host))
    }

    /// Whether a host leaves its port to the system.
    pub fn has_free_port(&self) -> bool {
        Host::ALL.into_iter().any(|host| self.of(host).port() == 0)
    }

    /// The same addresses with a free port in place of each port 0, after it was seen that every host can
    /// listen where it is to. The ports are free again afterwards, so that another process can still take
    /// one: [`super::Hosts::start`] says so then.
    pub fn resolve(&self) -> Result<Self, HostError> {
        let listen = |host| {
            let address = self.of(host);
            TcpListener::bind(address).map_err(|error| HostError::listen(host, address, &error))
        };
        // All are held until the last is taken: two hosts cannot have one address.
        let (auth, api, sandbox) = (listen(Host::Auth)?, listen(Host::Api)?, listen(Host::Sandbox)?);
        let taken = |host, listener: TcpListener| {
            listener.local_addr().map_err(|error| HostError::listen(host, self.of(host), &error))
        };
        Ok(Self {
            auth: taken(Host::Auth, auth)?,
            api: taken(Host::Api, api)?,
            sandbox: taken(Host::Sandbox, sandbox)?,
        })
    }
}
