//! A server inside the test's own process: the real hosts on ports of their own, over a data directory
//! that ends with the test.

use crate::{Database, Reach, place_keys};
use argus_openapi::Host;
use argus_sandbox::Sandbox;
use argus_server::hosts::{Addresses, App, BaseUrls, Hosts};
use argus_server::identity::{Identity, IdentitySettings};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The running hosts. It reads as a [`Reach`].
pub struct TestServer {
    reach: Reach,
    app: Arc<App>,
    // In this order: the hosts stop before their data goes.
    _hosts: Hosts,
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
        let mut settings = IdentitySettings::new(&data_dir);
        if let Some(database) = &database {
            settings.database_url.clone_from(&database.url);
        }
        let identity = Identity::open(settings).unwrap();
        let app = Arc::new(App::new(identity, Sandbox::load()));
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let log = slog::Logger::root(slog::Discard, slog::o!());
        let addresses = Addresses { auth: anywhere, api: anywhere, sandbox: anywhere };
        let hosts = Hosts::start(&app, addresses, &log).unwrap();
        let reach = Reach::new([hosts.addresses.auth, hosts.addresses.api, hosts.addresses.sandbox]);
        app.set_base_urls(BaseUrls {
            auth: reach.url(Host::Auth, ""),
            sandbox: reach.url(Host::Sandbox, ""),
        });
        Self { reach, app, _hosts: hosts, directory, _database: database }
    }

    /// The server's state, for what HTTP does not show.
    pub fn app(&self) -> &App {
        &self.app
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
