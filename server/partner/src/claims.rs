//! What an access token says (RFC 9068, section 2.2).

use argus_openapi::types::common::SecrecyLevel;
use serde::{Deserialize, Deserializer, Serialize};
use ulid::Ulid;

/// `aud` of a live token.
pub const AUDIENCE_LIVE: &str = "api";
/// `aud` of a sandbox token.
pub const AUDIENCE_SANDBOX: &str = "sandbox";
/// How far the `iat` and `nbf` of a JWT may lie ahead of this clock, in seconds.
pub const CLOCK_LEEWAY: i64 = 60;

/// Claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Subject: the user on whose behalf, or the client id, as RFC 9068 asks when no user is involved.
    pub sub: String,
    /// Audience: `api` or `sandbox`.
    pub aud: String,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// From when on it counts, in seconds since 1970. This service issues none such, but honours one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Unique id of the token.
    pub jti: String,
    /// App that the token was issued to.
    pub client_id: String,
    /// Scopes, space-delimited.
    pub scope: String,
    /// Tenant of the caller.
    pub tenant_id: String,
    /// Organisation of the caller.
    pub organization_id: String,
    /// Clearance of the caller.
    pub secrecy_level: SecrecyLevel,
    /// The family of tokens, where a user has allowed them: what one authorization code has led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Pinned scenarios; on sandbox tokens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<Vec<String>>,
}

impl Claims {
    /// What a revocation may name: the token itself, its family, its user, its app.
    pub fn subjects(&self) -> [&str; 4] {
        [&self.jti, self.sid.as_deref().unwrap_or_default(), &self.sub, &self.client_id]
    }

    /// When the token was issued, in milliseconds since 1970. `iat` tells seconds; the identifier, which is a ULID, tells
    /// more. Where it is none of that second, the second's beginning counts.
    pub fn issued_at(&self) -> i64 {
        let told = self.jti.parse::<Ulid>().ok().and_then(|id| i64::try_from(id.timestamp_ms()).ok());
        told.filter(|told| told.div_euclid(1000) == self.iat).unwrap_or(self.iat.saturating_mul(1000))
    }

    /// Whether the token was issued until this moment, in microseconds since 1970. The millisecond of a moment counts as
    /// before it: tokens tell no finer.
    pub fn was_issued_by(&self, micros: i64) -> bool {
        self.issued_at() <= micros.div_euclid(1000)
    }
}

/// A claim that may be absent, but not null.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
