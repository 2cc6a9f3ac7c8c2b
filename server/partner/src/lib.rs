//! The first product's domain on the core: apps, client authentication, signing keys, tokens, jobs, webhooks, profiles,
//! GraphQL and the connectors to other systems. Serving HTTP does not live here, nor does the check of a token's claims: that is the
//! gate's.

pub mod account;
pub mod allowances;
pub mod apps;
pub mod basic;
pub mod bootstrap;
pub mod claims;
mod client_keys;
pub mod connectors;
pub mod data_schemas;
mod error;
pub mod federation;
pub mod graphql;
pub mod incidents;
pub mod jobs;
mod jws;
pub mod oauth;
pub mod profiles;
pub mod refused_clients;
pub mod scopes;
mod secrets;
pub mod signing_keys;
pub mod store;
pub mod sweeper;
pub mod tokens;
pub mod uploads;
pub mod webhooks;
pub mod work;

pub use error::Error;
pub use secrets::{Adopted, Secrets};
pub use store::MIGRATIONS;

use argus_core::envelope::{self, Envelope};
use argus_core::pepper::{Pepper, PepperError};
use argus_core::store::{OpenError, Together};
use argus_core::{Clock, Store};
use argus_openapi::Host;
use argus_openapi::types::secret::SecretText;
use oauth::Exchange;
use refused_clients::RefusedClients;
use secrets::Confirmed;
use signing_keys::{Begin, KeyError, KeyRing, KeyStatus};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What identity needs to know to start.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// Directory of the signing keys, the pepper and the envelope key.
    pub data_dir: PathBuf,
    /// The envelope key, where it is not that of the directory.
    pub envelope_key: Option<SecretText>,
    /// `iss` of every token.
    pub issuer: String,
}

impl IdentitySettings {
    /// Everything under `data_dir`, with the production names.
    pub fn new(data_dir: &Path) -> Self {
        let issuer = Host::Auth.public_url().to_owned();
        Self { data_dir: data_dir.to_owned(), envelope_key: None, issuer }
    }
}

/// Why identity cannot start.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The pepper cannot be used.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// The envelope key cannot be used.
    #[error(transparent)]
    EnvelopeKey(#[from] envelope::KeyError),
    /// The store belongs to another data directory.
    #[error(
        "{} is not the pepper that this store's client secrets were hashed with; every node of a store \
         needs a copy of the first node's file",
        .0.join("secret_pepper").display()
    )]
    ForeignPepper(PathBuf),
    /// The store's secrets are sealed under another envelope key.
    #[error(
        "this is not the envelope key that this store's secrets are sealed under; every node of a store needs that \
         of the first one: a copy of its file as {}, or the same `ARGUS_ENVELOPE_KEY`, which counts before the file",
        .0.join("envelope_key").display()
    )]
    ForeignEnvelopeKey(PathBuf),
    /// The store's other nodes have other signing keys.
    #[error(
        "{} does not hold the signing key {recorded}, which is the newest that this store knows, so that its \
         nodes would refuse each other's tokens; nodes share one `keys` directory: use that of the others, or, if \
         it is lost, run `argus keys adopt`, which ends the tokens of all other keys",
        .data_dir.join("keys").display()
    )]
    ForeignKeys {
        /// The data directory.
        data_dir: PathBuf,
        /// The newest key that the store knows.
        recorded: String,
    },
}

/// Everything that identity works with. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Identity {
    store: Store,
    keys: Arc<KeyRing>,
    pepper: Arc<Pepper>,
    envelope: Arc<Envelope>,
    refused_clients: Arc<RefusedClients>,
    exchanges: Together<Exchange>,
    clock: Clock,
    issuer: String,
    former_issuers: Vec<String>,
    data_dir: PathBuf,
}

impl Identity {
    /// Identity on the application's store, which must know these secrets or none. Blocks.
    pub fn new(
        store: Store,
        secrets: Secrets,
        clock: Clock,
        settings: IdentitySettings,
    ) -> Result<Self, IdentityError> {
        let Confirmed { pepper, envelope, keys } = secrets.confirmed_by(&store)?;
        Ok(Self {
            exchanges: Together::new(store.clone()),
            store,
            keys: Arc::new(keys),
            pepper: Arc::new(pepper),
            envelope: Arc::new(envelope),
            refused_clients: Arc::default(),
            clock,
            issuer: settings.issuer,
            former_issuers: Vec::new(),
            data_dir: settings.data_dir,
        })
    }

    /// The same identity under another issuer, for a service that is named after its address. Tokens of
    /// its former issuers stay good.
    #[must_use]
    pub fn under(&self, issuer: String, former_issuers: Vec<String>) -> Self {
        let (keys, pepper) = (Arc::clone(&self.keys), Arc::clone(&self.pepper));
        let (store, clock, data_dir) = (self.store.clone(), self.clock.clone(), self.data_dir.clone());
        let (envelope, refused_clients) = (Arc::clone(&self.envelope), Arc::clone(&self.refused_clients));
        let exchanges = self.exchanges.clone();
        Self {
            store,
            keys,
            pepper,
            envelope,
            refused_clients,
            exchanges,
            clock,
            issuer,
            former_issuers,
            data_dir,
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The key for keyed hashes, for other machinery of the installation.
    pub fn pepper(&self) -> &Arc<Pepper> {
        &self.pepper
    }

    /// What seals secrets that have to be read again.
    pub fn envelope(&self) -> &Arc<Envelope> {
        &self.envelope
    }

    /// The signing keys.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Publishes a new signing key, which signs from `begin` on, and tells the store. Blocks.
    pub fn rotate_keys(&self, begin: Begin) -> Result<KeyStatus, IdentityError> {
        secrets::rotate(&self.keys, begin, &self.store, &self.data_dir)
    }

    /// Tells the time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// `iss` of every token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether a token with this `iss` is one of this service's own.
    pub fn is_issuer(&self, issuer: &str) -> bool {
        self.issuer == issuer || self.former_issuers.iter().any(|former| former == issuer)
    }
}
