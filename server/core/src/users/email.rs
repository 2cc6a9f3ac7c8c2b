//! E-mail addresses by which people are known. That one is reachable is not checked here, nor that it is theirs.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use validator::ValidateEmail;

/// The longest address, in characters (RFC 5321, section 4.5.3.1.3, without the brackets).
const MAX_LENGTH: usize = 254;

/// An address as browsers take it in a form, in lower case: two that differ in case alone are one person's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let folded = text.trim().to_lowercase();
        // Of letters beyond ASCII it is open which look alike.
        if folded.len() <= MAX_LENGTH && folded.is_ascii() && folded.validate_email() {
            Ok(Self(folded.into()))
        } else {
            Err(Error::Invalid("this is not an e-mail address, as in name@example.com".to_owned()))
        }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_any_case_and_with_spaces_around_it() {
        let address: EmailAddress = " Ada.Lovelace@Example.COM\n".parse().expect("an address");
        assert_eq!(address.as_str(), "ada.lovelace@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@exämple.com", "a@b@c", &long]
        {
            assert!(text.parse::<EmailAddress>().is_err(), "{text}");
        }
    }
}
