//! What an access token says (RFC 9068, section 2.2).

use argus_openapi::types::common::SecrecyLevel;
use serde::{Deserialize, Deserializer, Serialize};

/// `aud` of a live token.
pub const AUDIENCE_LIVE: &str = "api";
/// `aud` of a sandbox token.
pub const AUDIENCE_SANDBOX: &str = "sandbox";

/// Claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Subject: the client id, as RFC 9068 asks when no user is involved.
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
    /// Pinned scenarios; on sandbox tokens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<Vec<String>>,
}

/// A claim that may be absent, but not null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}
