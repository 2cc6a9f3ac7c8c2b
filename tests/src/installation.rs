//! What a service is installed on, for one test: a data directory and a database of its own. It ends with
//! the test, and not silently when something is left behind there.

use crate::postgres::PostgresSchema;
use crate::{Leftovers, Proxy, open_command, place_keys, sql};
use argus_core::Clock;
use argus_core::deliveries::couriers::CourierSettings;
use argus_core::dialler::DiallerSettings;
use argus_core::jobs::workers::WorkerSettings;
use argus_core::limits::{Rate, Rates};
use argus_core::objects::ObjectSettings;
use argus_core::store::{AnyConnection, Database, DatabaseUrl, Migrated, OpenError, StoreSettings};
use argus_partner::connectors::ConnectorSettings;
use argus_partner::{Identity, IdentityError, IdentitySettings};
use argus_server::gate::TrustedProxies;
use argus_server::hosts::Addresses;
use argus_server::service;
use argus_server::settings::{self, BODY_SECONDS, DRAIN_SECONDS, Role, Settings, TIMES_MAX};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;
use std::time::Duration;
use tempfile::TempDir;
use tracing::level_filters::LevelFilter;

/// A data directory and a database. Dropping it removes both.
pub struct Installation {
    /// How a service starts on it.
    pub settings: Settings,
    // In this order: the files are looked at before they go.
    postgres: Option<PostgresSchema>,
    directory: TempDir,
    is_migrated: Once,
}

impl Installation {
    /// An installation on SQLite.
    pub fn sqlite() -> Self {
        Self::on(None)
    }

    /// An installation on PostgreSQL, or none without a database to make a schema in.
    pub(crate) fn postgres() -> Option<Self> {
        PostgresSchema::create().map(|schema| Self::on(Some(schema)))
    }

    /// Another one on the same engine.
    pub fn another(&self) -> Self {
        if self.is_sqlite() { Self::sqlite() } else { Self::postgres().unwrap() }
    }

    fn on(postgres: Option<PostgresSchema>) -> Self {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path().join("data");
        let store = match &postgres {
            Some(schema) => StoreSettings {
                worker_url: Some(schema.worker_url()),
                owner_url: Some(schema.owner_url()),
                require_wall: true,
                ..StoreSettings::new(schema.requests_url())
            },
            None => StoreSettings::new(DatabaseUrl::embedded(&data_dir)),
        };
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let settings = Settings {
            addresses: Addresses { auth: anywhere, api: anywhere, sandbox: anywhere },
            expose: false,
            trusted_proxies: TrustedProxies::default(),
            drain: Duration::from_secs(DRAIN_SECONDS.into()),
            body_limit: Duration::from_secs(BODY_SECONDS.into()),
            auth_url: None,
            api_url: None,
            sandbox_url: None,
            issuer: None,
            store,
            objects: ObjectSettings::embedded(&data_dir),
            connectors: ConnectorSettings::default(),
            role: Role::All,
            workers: WorkerSettings::default(),
            // Receivers of tests are on this machine.
            dialler: DiallerSettings { loopback: true, ..settings::dialler() },
            couriers: CourierSettings::default(),
            identity: IdentitySettings::new(&data_dir),
            // All tests of a suite come from one address, and many have wrong credentials.
            limits: Rates::of_failures(Rate::per_minute(TIMES_MAX)),
            bundle_dir: None,
            scenario_dir: None,
            log: LevelFilter::OFF,
            flush_interval: argus_server::settings::FLUSH_INTERVAL,
            meter_interval: argus_server::settings::METER_INTERVAL,
        };
        Self { settings, postgres, directory, is_migrated: Once::new() }
    }

    /// Whether it is on SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.postgres.is_none()
    }

    /// A directory that ends with it, for files of the test.
    pub fn scratch(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.settings.identity.data_dir.clone()
    }

    /// Runs a command of the binary on its data and database.
    pub fn command(&self, binary: &Path, arguments: &[&str]) -> Output {
        self.open_command(binary, arguments).output().unwrap()
    }

    /// The same before it runs.
    pub fn open_command(&self, binary: &Path, arguments: &[&str]) -> Command {
        self.migrate();
        let mut command = open_command(binary);
        name_database(&mut command, &self.settings.store);
        command.args(arguments).env("ARGUS_DATA_DIR", self.data_dir());
        command
    }

    /// Brings PostgreSQL up to date as an operator does before any service starts; a file does without.
    pub fn migrate(&self) {
        if !self.is_sqlite() {
            self.is_migrated.call_once(|| drop(self.migrate_anew().unwrap()));
        }
    }

    /// The same of either engine, and whether or not it was done before.
    pub fn migrate_anew(&self) -> Result<Migrated, OpenError> {
        Database::migrate(&self.settings.store, service::PRODUCTS)
    }

    /// Lays signing keys into the data directory unless it is there, because making one takes long.
    pub fn place_keys(&self) {
        if !self.data_dir().exists() {
            place_keys(&self.data_dir());
        }
    }

    /// Puts a proxy between the service and its PostgreSQL.
    pub async fn behind_a_proxy(&mut self) -> Proxy {
        let store = &mut self.settings.store;
        let upstream = url::Url::parse(store.url.expose()).unwrap().socket_addrs(|| Some(5432)).unwrap()[0];
        let proxy = Proxy::before(upstream).await;
        for url in [&mut store.url].into_iter().chain(&mut store.worker_url) {
            let mut through = url::Url::parse(url.expose()).unwrap();
            through.set_ip_host(proxy.address().ip()).unwrap();
            through.set_port(Some(proxy.address().port())).unwrap();
            *url = DatabaseUrl::from(through.to_string());
        }
        proxy
    }

    /// Opens store and identity as a service does.
    pub fn open(&self, clock: Clock) -> Result<(Database, Identity), IdentityError> {
        self.migrate();
        service::open(&self.settings, clock)
    }

    /// Store and identity, by the system's clock.
    pub fn database_and_identity(&self) -> (Database, Identity) {
        self.place_keys();
        self.open(Clock::system()).unwrap()
    }

    /// Identity alone.
    pub fn identity(&self) -> Identity {
        self.database_and_identity().1
    }

    /// A connection to its database that the service does not know; on PostgreSQL that of a superuser.
    pub fn connect(&self) -> AnyConnection {
        sql::connect(&self.superuser_url())
    }

    /// The same as the owner of its tables.
    pub fn connect_as_owner(&self) -> AnyConnection {
        let store = &self.settings.store;
        sql::connect(store.owner_url.as_ref().unwrap_or(&store.url).expose())
    }

    /// What the URL of every connection to its database holds, and of no other.
    pub(crate) fn place(&self) -> String {
        match &self.postgres {
            Some(schema) => schema.name.clone(),
            None => self.data_dir().display().to_string(),
        }
    }

    /// The URL of somebody who may do anything.
    pub fn superuser_url(&self) -> String {
        match &self.postgres {
            Some(schema) => schema.url.clone(),
            None => self.settings.store.url.expose().to_owned(),
        }
    }
}

/// Tells a command of the binary where the database is, and who is who there.
pub fn name_database(command: &mut Command, store: &StoreSettings) {
    command.env("ARGUS_DATABASE_URL", store.url.expose());
    let others =
        [("ARGUS_DATABASE_WORKER_URL", &store.worker_url), ("ARGUS_DATABASE_OWNER_URL", &store.owner_url)];
    for (name, url) in others {
        command.envs(url.iter().map(|url| (name, url.expose())));
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let leftovers = || {
            let mut found = Leftovers::default();
            found.of_files(self.directory.path(), &self.data_dir());
            if self.postgres.is_some() || self.data_dir().join("argus.db").exists() {
                found.of_database(&mut self.connect());
            }
            found
        };
        Leftovers::reject(leftovers);
    }
}
