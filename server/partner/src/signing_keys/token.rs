//! Reading a token: the header and the claims of an access token (RFC 9068), and no others.

use crate::claims::Claims;
use crate::jws::{self, Compact, Malformed};
use serde::Deserialize;

/// No token of this service comes near this length, in bytes.
pub const TOKEN_MAX_LENGTH: usize = jws::MAX_LENGTH;

/// Why a token was refused. No message holds any part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token of this service.
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts.
    #[error("the token is not a JWS in compact form")]
    NotCompact,
    /// The header is not the one of an access token of this service.
    #[error("the token header is malformed or has unsupported members")]
    Header,
    /// Another algorithm, `none` included.
    #[error("the token is not signed with RS256")]
    Algorithm,
    /// Another kind of token.
    #[error("the token is not an access token (typ at+jwt)")]
    Type,
    /// Signed with a key that is not, or no longer, published.
    #[error("the token's key is not known here")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature is not valid")]
    Signature,
    /// Signed, but without the claims of an access token.
    #[error("the token's claims are malformed")]
    Claims,
}

impl TokenError {
    /// What is wrong with a part; `members` is for one whose members are not the expected ones.
    pub(super) fn of(malformed: Malformed, members: Self) -> Self {
        match malformed {
            Malformed::TooLong => Self::TooLong,
            Malformed::NotCompact => Self::NotCompact,
            Malformed::Members => members,
        }
    }
}

/// A header of this service has these members and no other: `crit`, `jwk`, `jku` or `x5c` are not
/// ignored but refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// The key id that the header names, once everything else in the header is as it must be.
pub(super) fn key_id(token: &Compact<'_>) -> Result<String, TokenError> {
    // The algorithm is told apart first, for the sake of the message alone.
    #[derive(Deserialize)]
    struct Algorithm {
        alg: String,
    }
    if token.header::<Algorithm>().is_ok_and(|header| header.alg != "RS256") {
        return Err(TokenError::Algorithm);
    }
    match token.header().map_err(|malformed| TokenError::of(malformed, TokenError::Header))? {
        Header { alg, .. } if alg != "RS256" => Err(TokenError::Algorithm),
        Header { typ, .. } if typ != "at+jwt" => Err(TokenError::Type),
        Header { kid, .. } => Ok(kid),
    }
}

/// What the token says.
pub(super) fn claims(token: &Compact<'_>) -> Result<Claims, TokenError> {
    token.payload().map_err(|malformed| TokenError::of(malformed, TokenError::Claims))
}
