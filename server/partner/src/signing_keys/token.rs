//! Reading a token: strict JWS compact serialization (RFC 7515) of an access token (RFC 9068).

use crate::claims::Claims;
use argus_wire::object::Object;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// No token of this service comes near this length, in bytes.
pub const TOKEN_MAX_LENGTH: usize = 8 * 1024;

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

/// The three parts of a token, still encoded.
pub(super) struct Parts<'a> {
    pub(super) header: &'a str,
    pub(super) message: &'a str,
    payload: &'a str,
    signature: &'a str,
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

impl<'a> Parts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_MAX_LENGTH {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::NotCompact)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::NotCompact)?;
        if payload.contains('.') {
            return Err(TokenError::NotCompact);
        }
        Ok(Self { header, message, payload, signature })
    }

    /// The key id that the header names, once everything else in the header is as it must be.
    pub(super) fn key_id(&self) -> Result<String, TokenError> {
        let json = URL_SAFE_NO_PAD.decode(self.header).map_err(|_| TokenError::NotCompact)?;
        // The algorithm is told apart first, for the sake of the message alone.
        #[derive(Deserialize)]
        struct Algorithm {
            alg: String,
        }
        if serde_json::from_slice::<Object<Algorithm>>(&json)
            .is_ok_and(|Object(header)| header.alg != "RS256")
        {
            return Err(TokenError::Algorithm);
        }
        let Object::<Header>(header) = serde_json::from_slice(&json).map_err(|_| TokenError::Header)?;
        match header {
            Header { alg, .. } if alg != "RS256" => Err(TokenError::Algorithm),
            Header { typ, .. } if typ != "at+jwt" => Err(TokenError::Type),
            Header { kid, .. } => Ok(kid),
        }
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, TokenError> {
        URL_SAFE_NO_PAD.decode(self.signature).map_err(|_| TokenError::NotCompact)
    }

    pub(super) fn claims(&self) -> Result<Claims, TokenError> {
        let json = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| TokenError::NotCompact)?;
        serde_json::from_slice(&json).map(|Object(claims)| claims).map_err(|_| TokenError::Claims)
    }
}
