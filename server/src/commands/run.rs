//! What `dev` and `serve` share: a service in this process, from its settings to a signal.

use super::{CommandResult, ready_file};
use crate::hosts::Addresses;
use crate::observability;
use crate::service::{Names, Service, Unanswered};
use crate::settings::Settings;
use argus_core::Clock;
use argus_openapi::Host;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long work that nobody waits for any more may take to notice.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Runs a future on the runtime of this process.
pub(super) fn block_on(future: impl Future<Output = CommandResult>) -> CommandResult {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(future);
    // A thread that a database blocks would otherwise hold the process up for as long as that lasts.
    runtime.shutdown_timeout(LAST_WORK);
    outcome
}

/// The service ended before every request was answered.
#[derive(Debug, thiserror::Error)]
#[error("stopped after {waited}; cut off: {what}")]
pub(super) struct CutOff {
    waited: String,
    what: String,
}

/// A service that accepts requests, and its log.
pub(super) struct Running {
    pub(super) service: Service,
    drain: Duration,
    terminate: Signal,
    interrupt: Signal,
    _log: observability::LogWriter,
}

impl Running {
    /// Opens the data and starts every host. What can be refused is refused before there is any data.
    pub(super) fn start(
        settings: &Settings,
        ready_file: Option<&Path>,
        names: impl Fn(&Addresses) -> Names,
    ) -> Result<Self, Box<dyn Error>> {
        if let (Some(host), false) = (settings.addresses.exposed(), settings.expose) {
            return Err(exposed(host, settings.addresses.of(host)).into());
        }
        if let Some(path) = ready_file {
            ready_file::check(path)?;
        }
        let _log = observability::start_log(settings.log);
        let log = observability::bridge(settings.log);
        raise_descriptor_limit();
        let service = Service::start(settings, Clock::system(), names, &log)?;
        // Before anybody is told that the service is ready, so that a signal never ends it without a drain.
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { service, drain: settings.drain, terminate, interrupt, _log })
    }

    /// Serves until SIGTERM or SIGINT, then lets open requests end.
    pub(super) async fn until_signal(mut self) -> CommandResult {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        let (began, app) = (Instant::now(), Arc::clone(&self.service.app));
        let unanswered = tokio::select! {
            unanswered = self.service.stop(self.drain) => unanswered,
            // Asked twice: the operator does not want to wait.
            _ = self.interrupt.recv() => Some(Unanswered::of(&app, began.elapsed())),
            _ = self.terminate.recv() => Some(Unanswered::of(&app, began.elapsed())),
        };
        match unanswered {
            None => Ok(()),
            Some(Unanswered { after, requests }) => {
                let waited = format!("{} s", after.as_secs());
                Err(CutOff { waited, what: named(&requests) }.into())
            }
        }
    }
}

/// The requests that were not answered, for the operator.
fn named(open: &[(i64, &'static str, Host)]) -> String {
    let named = open.iter().map(|(count, operation, host)| format!("{count} {operation} ({})", host.name()));
    match named.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "connections on which a request had begun".to_owned(),
        named => named,
    }
}

/// Why a host does not listen where other machines reach it.
fn exposed(host: Host, address: SocketAddr) -> String {
    format!(
        "the {} host would listen on {address}, which other machines reach. Argus speaks no TLS and does not bound \
         connections: let it listen on loopback behind a proxy (server/deploy/), or say --expose \
         (ARGUS_EXPOSE=true) if nobody but your proxy reaches that address",
        host.name()
    )
}

/// Allows as many open connections as the system lets this process have.
fn raise_descriptor_limit() {
    let before = rlimit::Resource::NOFILE.get_soft();
    match (before, rlimit::increase_nofile_limit(u64::MAX)) {
        (Ok(before), Ok(limit)) => tracing::info!(before, limit, "descriptor limit"),
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "the descriptor limit stays as it is"),
    }
}
