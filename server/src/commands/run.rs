//! What `dev` and `serve` share: the running service, from its settings to its end.

use super::{CommandResult, ready_file};
use crate::config::{DataArgs, RunArgs};
use crate::hosts::{App, Hosts};
use crate::identity::{Identity, files};
use crate::observability::logger;
use argus_sandbox::Sandbox;
use std::error::Error;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a future on the runtime of this process.
pub(super) fn block_on(future: impl Future<Output = CommandResult>) -> CommandResult {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

/// A service that accepts requests.
pub(super) struct Service {
    pub(super) app: Arc<App>,
    hosts: Hosts,
}

impl Service {
    /// Opens the data and starts every host.
    pub(super) fn start(args: &RunArgs) -> Result<Self, Box<dyn Error>> {
        // What can be refused is refused before there is any data.
        if let Some(path) = &args.ready_file {
            ready_file::check(path)?;
        }
        args.addresses().check()?;
        let log = logger(args.log);
        let sandbox = match &args.scenario_dir {
            Some(directory) => Sandbox::with_fixtures(read_fixtures(directory)?)?,
            None => Sandbox::load(),
        };
        create_data_dir(&args.data)?;
        let turn = take_turn(&args.data)?;
        let identity = Identity::open(args.data.identity_settings(&args.issuer))?;
        drop(turn);
        let app = Arc::new(App::new(identity, sandbox));
        let hosts = Hosts::start(&app, args.addresses(), &log)?;
        Ok(Self { app, hosts })
    }

    /// Base URLs of the auth, api and sandbox hosts as they listen.
    pub(super) fn base_urls(&self) -> [String; 3] {
        let addresses = self.hosts.addresses;
        [addresses.auth, addresses.api, addresses.sandbox].map(base_url)
    }

    /// Serves until SIGTERM or SIGINT, then lets open requests end.
    pub(super) async fn run_until_signal(self) -> CommandResult {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let drained = tokio::select! {
            drained = self.hosts.stop() => drained,
            // Asked twice: the operator does not want to wait.
            _ = interrupt.recv() => false,
        };
        if !drained {
            eprintln!("argus: some requests were cut off");
        }
        Ok(())
    }
}

/// The base URL of a listening address.
pub(super) fn base_url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Makes the data directory, which only its owner may enter, unless it is there.
pub(super) fn create_data_dir(data: &DataArgs) -> CommandResult {
    let path = &data.data_dir;
    files::create_directory(path)
        .map_err(|error| format!("cannot make the data directory {}: {error}", path.display()).into())
}

/// Waits for the other processes of this data directory that make its first tenant or the demo
/// credentials. The turn lasts until the returned file is dropped.
pub(super) fn take_turn(data: &DataArgs) -> Result<File, Box<dyn Error>> {
    let path = data.data_dir.join(".lock");
    files::lock(&path).map_err(|error| format!("cannot use {}: {error}", path.display()).into())
}

/// Name and text of every `.json` file of the directory, by name.
fn read_fixtures(directory: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let explain = |error: std::io::Error| format!("scenario directory {}: {error}", directory.display());
    let mut paths = std::fs::read_dir(directory)
        .map_err(explain)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(explain)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut fixtures = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fixtures.push((name, std::fs::read_to_string(&path).map_err(explain)?));
    }
    Ok(fixtures)
}
