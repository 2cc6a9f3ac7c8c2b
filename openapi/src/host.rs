//! The listeners of the service. Which operations they serve stands in the operation table.

/// A listener of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// Identity, OAuth and keys.
    Auth,
    /// The live partner surface.
    Api,
    /// The deterministic partner surface.
    Sandbox,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 3] = [Host::Auth, Host::Api, Host::Sandbox];

    /// Short name, as in configuration and the ready file.
    pub const fn name(self) -> &'static str {
        match self {
            Host::Auth => "auth",
            Host::Api => "api",
            Host::Sandbox => "sandbox",
        }
    }

    /// What it serves, for readers of the descriptor.
    pub const fn description(self) -> &'static str {
        match self {
            Host::Auth => "Identity, OAuth and keys",
            Host::Api => "Live partner surface",
            Host::Sandbox => "Deterministic sandbox; needs a sandbox token",
        }
    }

    /// Port where it listens on loopback unless its operator says otherwise.
    pub const fn default_port(self) -> u16 {
        match self {
            Host::Auth => 8080,
            Host::Api => 8081,
            Host::Sandbox => 8082,
        }
    }

    /// Base URL in production.
    pub const fn public_url(self) -> &'static str {
        match self {
            Host::Auth => "https://auth.knogin.com",
            Host::Api => "https://api.knogin.com",
            Host::Sandbox => "https://sandbox-api.knogin.com",
        }
    }
}
