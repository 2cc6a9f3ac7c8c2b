//! A server inside the test's own process: the real hosts on ports of their own, over a data directory
//! that ends with the test.

use crate::{Database, Reach, place_keys};
use argus_core::store::{DatabaseUrl, StoreSettings};
use argus_openapi::Host;
use argus_partner::IdentitySettings;
use argus_server::hosts::{Addresses, App, BaseUrls};
use argus_server::service::Service;
use argus_server::settings::Settings;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tracing::level_filters::LevelFilter;

/// The running hosts. It reads as a [`Reach`].
pub struct TestServer {
    reach: Reach,
    // In this order: the hosts stop before their data goes.
    service: Service,
    directory: TempDir,
    _database: Option<Database>,
}

impl TestServer {
    /// A server on SQLite. It must be called inside a runtime.
    pub fn start() -> Self {
        Self::start_on(None)
    }

    /// A server on the database, or on SQLite.
    pub fn start_on(database: Option<Database>) -> Self {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path().join("data");
        place_keys(&data_dir);
        let url = match &database {
            Some(database) => DatabaseUrl::from(database.url.clone()),
            None => DatabaseUrl::embedded(&data_dir),
        };
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let settings = Settings {
            addresses: Addresses { auth: anywhere, api: anywhere, sandbox: anywhere },
            auth_url: None,
            sandbox_url: None,
            store: StoreSettings::new(url),
            identity: IdentitySettings::new(&data_dir),
            scenario_dir: None,
            log: LevelFilter::OFF,
        };
        let log = slog::Logger::root(slog::Discard, slog::o!());
        let own = |addresses: &Addresses| BaseUrls {
            auth: addresses.base_url(Host::Auth),
            sandbox: addresses.base_url(Host::Sandbox),
        };
        let service = Service::start(&settings, own, &log).unwrap();
        let addresses = service.app.addresses;
        let reach = Reach::new(Host::ALL.map(|host| addresses.of(host)));
        Self { reach, service, directory, _database: database }
    }

    /// The server's state, for what HTTP does not show.
    pub fn app(&self) -> &App {
        &self.service.app
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A directory that ends with the server.
    pub fn scratch(&self) -> &Path {
        self.directory.path()
    }
}

impl Deref for TestServer {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.reach
    }
}
