//! Public signing keys (RFC 7517).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The public keys that verify this service's tokens (RFC 7517, section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JwkSet {
    /// The keys: the one that signs now, and each older one until every token that it signed has
    /// expired.
    pub keys: Vec<Jwk>,
}

/// One public RSA key of 2048 bits or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Jwk {
    /// Key type, always `RSA`.
    pub kty: String,
    /// Key identifier, as in the header of the tokens that it signed.
    pub kid: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub key_use: String,
    /// Always `RS256`.
    pub alg: String,
    /// Modulus, base64url without padding.
    pub n: String,
    /// Public exponent, base64url without padding.
    pub e: String,
}
