//! A server inside the test's own process: the real hosts on ports of their own, over an installation
//! that ends with the test.

use crate::{Installation, Nginx, Reach};
use argus_core::Clock;
use argus_core::store::AnyConnection;
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_server::hosts::{Addresses, App, BaseUrls};
use argus_server::service::{Names, Service};
use argus_server::settings::Role;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Output;

/// The variable that, when it is set, puts the proxy of `server/deploy` in front of every server.
const THROUGH_PROXY: &str = "ARGUS_TEST_PROXY";

/// The running hosts. It reads as a [`Reach`].
pub struct TestServer {
    reach: Reach,
    // In this order: the hosts stop before their data goes.
    service: Service,
    installation: Installation,
}

impl TestServer {
    /// A server on SQLite. It must be called inside a runtime.
    pub fn start() -> Self {
        Installation::sqlite().into()
    }

    /// A server on SQLite on which nobody works on jobs, so that they stay as they were accepted.
    pub fn without_workers() -> Self {
        let mut installation = Installation::sqlite();
        installation.settings.role = Role::Api;
        installation.into()
    }

    /// A server on this installation, by this clock.
    pub fn start_on(installation: Installation, clock: Clock) -> Self {
        installation.place_keys();
        installation.migrate();
        let log = slog::Logger::root(slog::Discard, slog::o!());
        let settings = &installation.settings;
        let own = |addresses: &Addresses| Names {
            base_urls: BaseUrls {
                auth: addresses.base_url(Host::Auth),
                api: addresses.base_url(Host::Api),
                sandbox: addresses.base_url(Host::Sandbox),
            },
            issuer: settings.identity.issuer.clone(),
            former_issuers: Vec::new(),
            docs_url: ARGUS.addresses.service_doc.to_owned(),
            is_development: false,
        };
        let service = Service::start(settings, clock, own, &log).unwrap();
        let addresses = service.app.addresses;
        let addresses = Host::ALL.map(|host| addresses.of(host));
        let reach = match std::env::var_os(THROUGH_PROXY) {
            Some(_) => Reach::behind(Nginx::start(addresses), addresses),
            None => Reach::new(addresses),
        };
        Self { reach, service, installation }
    }

    /// Another node on the same data and database, for as long as it is kept.
    pub fn another_node(&self) -> Node {
        let log = slog::Logger::root(slog::Discard, slog::o!());
        let settings = &self.installation.settings;
        let service =
            Service::start(settings, self.service.app.clock.clone(), |_| self.names(), &log).unwrap();
        let addresses = service.app.addresses;
        Node { reach: Reach::new(Host::ALL.map(|host| addresses.of(host))), _service: service }
    }

    fn names(&self) -> Names {
        let app = &self.service.app;
        Names {
            base_urls: app.base_urls.clone(),
            issuer: app.identity.issuer().to_owned(),
            former_issuers: Vec::new(),
            docs_url: app.docs_url.clone(),
            is_development: false,
        }
    }

    /// The server's state, for what HTTP does not show.
    pub fn state(&self) -> &App {
        &self.service.app
    }

    /// A connection to its database that the service does not know.
    pub fn connect(&self) -> AnyConnection {
        self.installation.connect()
    }

    /// Runs a command of the binary on the server's data and store.
    pub fn command(&self, binary: &Path, arguments: &[&str]) -> Output {
        self.installation.command(binary, arguments)
    }

    /// What it is installed on.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.installation.data_dir()
    }

    /// A directory that ends with the server.
    pub fn scratch(&self) -> &Path {
        self.installation.scratch()
    }
}

/// A node beside a [`TestServer`]. It reads as a [`Reach`].
pub struct Node {
    reach: Reach,
    _service: Service,
}

impl Deref for Node {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.reach
    }
}

impl From<Installation> for TestServer {
    fn from(installation: Installation) -> Self {
        Self::start_on(installation, Clock::system())
    }
}

impl Deref for TestServer {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.reach
    }
}
