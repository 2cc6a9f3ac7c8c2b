//! The table of limits. Who needs another one adds a row here.

use super::rate::Rate;

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
}

impl Limit {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::ClientFailures,
        Self::AddressFailures,
        Self::BearerFailures,
        Self::SignInFailures,
        Self::SignInAddressFailures,
    ];

    /// What settings, metrics and the database call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientFailures => "client_failures",
            Self::AddressFailures => "address_failures",
            Self::BearerFailures => "bearer_failures",
            Self::SignInFailures => "sign_in_failures",
            Self::SignInAddressFailures => "sign_in_address_failures",
        }
    }

    /// How often in a minute when nobody says.
    pub const fn usual_per_minute(self) -> u32 {
        match self {
            Self::ClientFailures => 10,
            Self::AddressFailures | Self::BearerFailures => 60,
            Self::SignInFailures => 5,
            Self::SignInAddressFailures => 30,
        }
    }
}

/// How often each may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates([Rate; Limit::ALL.len()]);

impl Default for Rates {
    fn default() -> Self {
        Self(Limit::ALL.map(|limit| Rate::per_minute(limit.usual_per_minute())))
    }
}

impl Rates {
    /// One rate for all.
    pub fn all(rate: Rate) -> Self {
        Self([rate; Limit::ALL.len()])
    }

    /// The same but for one limit.
    #[must_use]
    pub fn with(mut self, limit: Limit, rate: Rate) -> Self {
        self.0[limit as usize] = rate;
        self
    }

    /// How often that may happen.
    pub fn of(&self, limit: Limit) -> Rate {
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
