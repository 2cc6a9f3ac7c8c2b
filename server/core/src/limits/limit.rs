//! The table of limits. Who needs another one adds a row here.

use super::rate::Rate;
use std::time::Duration;

/// Something that may happen so often and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Failures to authenticate as a client, of one client id from one address. Whoever mends a configuration tries
    /// a few times; ten in a minute is nobody's mending, and the first twenty are free.
    ClientFailures,
    /// The same, of any client from one address: behind it may be a whole company, or somebody who makes up ids.
    AddressFailures,
    /// Bearer tokens that are not good, from one address. Tokens end while many requests are under way, so that even
    /// a good caller has some, all at once.
    BearerFailures,
    /// Wrong passwords for one account, from one address. People mistype; whoever guesses gets ten guesses and then
    /// one each twelve seconds.
    SignInFailures,
    /// Wrong passwords for any account, from one address: behind it may be a whole company, or somebody who tries one
    /// password on everybody.
    SignInAddressFailures,
    /// Live calls of one app. There is none until the operator sets it: what is fair depends on the machines.
    AppCalls,
    /// Live calls of all apps of one tenant. The same.
    TenantCalls,
    /// Calls of one tenant on the sandbox host, on each node. It is there to protect the node, is generous, and is
    /// not shared: what the sandbox does must not touch the database.
    SandboxCalls,
}

impl Limit {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::ClientFailures,
        Self::AddressFailures,
        Self::BearerFailures,
        Self::SignInFailures,
        Self::SignInAddressFailures,
        Self::AppCalls,
        Self::TenantCalls,
        Self::SandboxCalls,
    ];

    /// What settings, metrics and the database call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientFailures => "client_failures",
            Self::AddressFailures => "address_failures",
            Self::BearerFailures => "bearer_failures",
            Self::SignInFailures => "sign_in_failures",
            Self::SignInAddressFailures => "sign_in_address_failures",
            Self::AppCalls => "app_calls",
            Self::TenantCalls => "tenant_calls",
            Self::SandboxCalls => "sandbox_calls",
        }
    }

    /// Whether it counts calls that are let through, or else failures.
    pub const fn counts_calls(self) -> bool {
        matches!(self, Self::AppCalls | Self::TenantCalls | Self::SandboxCalls)
    }

    /// Whether nodes share its buckets.
    pub(super) const fn is_shared(self) -> bool {
        !matches!(self, Self::SandboxCalls)
    }

    /// How many buckets of it are kept, with some 50 bytes each. Anybody can fail in any name; whoever calls has shown
    /// who he is, so that there are as many as there are apps.
    pub(super) const fn buckets_max(self) -> usize {
        if self.counts_calls() { 65_536 } else { 8_192 }
    }

    /// How often in a minute when nobody says; none where there is no limit then.
    pub const fn usual_per_minute(self) -> Option<u32> {
        match self {
            Self::ClientFailures => Some(10),
            Self::AddressFailures | Self::BearerFailures => Some(60),
            Self::SignInFailures => Some(5),
            Self::SignInAddressFailures => Some(30),
            Self::AppCalls | Self::TenantCalls => None,
            Self::SandboxCalls => Some(60_000),
        }
    }

    /// The rate that so many times a minute are. Failures come all at once, when a token has ended, so that twice as
    /// many may; of calls, what is told to partners is what holds.
    pub fn rate(self, times: u32) -> Rate {
        if self.counts_calls() {
            Rate::new(times, Duration::from_secs(60) / times.max(1))
        } else {
            Rate::per_minute(times)
        }
    }
}

/// How often each may happen; nothing for what is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates([Option<Rate>; Limit::ALL.len()]);

impl Default for Rates {
    fn default() -> Self {
        Self(Limit::ALL.map(|limit| limit.usual_per_minute().map(|times| limit.rate(times))))
    }
}

impl Rates {
    /// One rate for all failures, and none for calls.
    pub fn of_failures(rate: Rate) -> Self {
        Self(Limit::ALL.map(|limit| (!limit.counts_calls()).then_some(rate)))
    }

    /// The same but for one limit.
    #[must_use]
    pub fn with(mut self, limit: Limit, rate: impl Into<Option<Rate>>) -> Self {
        self.0[limit as usize] = rate.into();
        self
    }

    /// How often that may happen.
    pub fn of(&self, limit: Limit) -> Option<Rate> {
        self.0[limit as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_stands_in_the_table_at_its_place() {
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, place, "{}", limit.name());
        }
    }
}
