//! Types of operations that the service answers but does not publish.

use super::name::Name;
use super::secret::SecretText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::Validate;

/// Whether the process is up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
}

/// Whether the process can serve, check by check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// Whether every check passed.
    pub ready: bool,
    /// Whether the store answers.
    pub store: bool,
    /// Whether a signing key is loaded.
    pub signing_key: bool,
}

/// Where an object lies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ObjectPath {
    /// What it is for.
    pub collection: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What it is called there.
    pub name: String,
}

/// An object that was kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ObjectStored {
    /// How many bytes arrived.
    pub length: u64,
    /// SHA-256 of them, in hexadecimal.
    pub sha256: String,
}

/// A tenant to create, with its first administrator token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TenantBootstrap {
    /// Name for people, 1 to 128 characters.
    pub name: Name,
}

/// A created tenant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TenantBootstrapped {
    /// Identifier of the tenant.
    pub tenant_id: String,
    /// Identifier of its first organisation.
    pub organization_id: String,
    /// Token with `argus:platform:admin` for the tenant.
    pub admin_token: super::tokens::ServiceToken,
}

/// What a service under development gives to the reader of its reference.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DemoToken {
    /// A sandbox token.
    pub token: SecretText,
    /// Base URLs of the hosts, by their names.
    pub hosts: BTreeMap<String, String>,
}
