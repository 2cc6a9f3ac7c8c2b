//! JWS in compact serialization (RFC 7515, section 7.1), read strictly, whoever has signed it. Which header, which claims
//! and which key count, its readers say: [`crate::signing_keys`] and [`crate::oauth`].

use argus_wire::object::Object;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

/// The longest text that is looked at, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    TooLong,
    /// Not three parts in base64url without padding.
    NotCompact,
    /// Not an object with the expected members.
    Members,
}

/// The three parts, still encoded.
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a str,
    /// What is signed.
    pub(crate) message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    pub(crate) fn split(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > MAX_LENGTH {
            return Err(Malformed::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Malformed::NotCompact)?;
        let (header, payload) = message.split_once('.').ok_or(Malformed::NotCompact)?;
        if payload.contains('.') {
            return Err(Malformed::NotCompact);
        }
        Ok(Self { header, message, payload, signature })
    }

    pub(crate) fn header<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        object(self.header)
    }

    /// Unverified: until the signature is, this proves nothing.
    pub(crate) fn payload<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        object(self.payload)
    }

    pub(crate) fn signature(&self) -> Result<Vec<u8>, Malformed> {
        decode(self.signature)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::NotCompact)
}

fn object<T: DeserializeOwned>(part: &str) -> Result<T, Malformed> {
    let Object(members) = serde_json::from_slice(&decode(part)?).map_err(|_| Malformed::Members)?;
    Ok(members)
}
