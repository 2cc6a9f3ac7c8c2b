//! Tenants, apps, client secrets, signing keys and tokens. HTTP does not live here, nor does the
//! check of a token's claims: that is the gate's.

pub mod apps;
mod audit;
pub mod basic;
pub mod bootstrap;
pub mod claims;
pub(crate) mod files;
mod ids;
pub mod oauth;
pub mod page_cursor;
mod pepper;
mod redirects;
pub mod scopes;
pub mod signing_keys;
pub mod tenants;
pub mod tokens;

pub use pepper::{Pepper, PepperError};

use crate::store::{Store, StoreError};
use argus_openapi::Host;
use signing_keys::{KeyError, KeyRing};
use std::path::{Path, PathBuf};

/// Client id and audit name of the operator, who acts through the command line.
pub const OPERATOR: &str = "operator";

/// What identity needs to know to start.
#[derive(Clone)]
pub struct IdentitySettings {
    /// Database, as [`Store::open`] takes it. It may hold a password.
    pub database_url: String,
    /// Directory of the signing keys and the pepper.
    pub data_dir: PathBuf,
    /// `iss` of every token.
    pub issuer: String,
}

impl IdentitySettings {
    /// Everything under `data_dir`, with SQLite and the production names.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            database_url: format!("sqlite://{}", data_dir.join("argus.db").display()),
            data_dir: data_dir.to_owned(),
            issuer: Host::Auth.public_url().to_owned(),
        }
    }
}

/// Why identity cannot start.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The pepper cannot be used.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// The store belongs to another data directory.
    #[error(
        "{} is not the pepper that this store's client secrets were hashed with; every node of a store \
         needs a copy of the first node's file",
        .0.join("secret_pepper").display()
    )]
    ForeignPepper(PathBuf),
}

/// Everything that identity works with. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Identity {
    store: Store,
    keys: KeyRing,
    pepper: Pepper,
    issuer: String,
}

impl Identity {
    /// Opens store, keys and pepper, and makes those that do not exist yet. Blocks.
    pub fn open(settings: IdentitySettings) -> Result<Self, IdentityError> {
        let pepper = Pepper::open(&settings.data_dir)?;
        // Before the store: keys that cannot be used leave it untouched.
        let keys = KeyRing::open(&settings.data_dir)?;
        let store = Store::open(&settings.database_url)?;
        let fingerprint = pepper.fingerprint();
        if store.recorded_once("pepper_fingerprint", &fingerprint)? != fingerprint {
            return Err(IdentityError::ForeignPepper(settings.data_dir));
        }
        Ok(Self { store, keys, pepper, issuer: settings.issuer })
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The signing keys.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// `iss` of every token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}
