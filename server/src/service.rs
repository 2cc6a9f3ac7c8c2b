//! From settings to running hosts: the same way for the commands and for the tests.

use crate::bundles;
use crate::gate::Revocations;
use crate::hosts::{Addresses, App, BaseUrls, Domains, HostError, Hosts};
use crate::scenarios::{self, CurrentSandbox};
use crate::settings::{Role, Settings};
use argus_core::deliveries::attempt::Attempts;
use argus_core::deliveries::couriers::{CourierSettings, Couriers};
use argus_core::dialler::{Dialler, SystemResolver};
use argus_core::jobs::signals::Signals;
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::outbox::Happenings;
use argus_core::store::{Database, Migrations};
use argus_core::{Clock, Objects, files};
use argus_openapi::Host;
use argus_partner::connectors::Connectors;
use argus_partner::graphql::Graphql;
use argus_partner::jobs::Jobs;
use argus_partner::sweeper::Sweeper;
use argus_partner::webhooks::Webhooks;
use argus_partner::work::{self, Workshop};
use argus_partner::{Adopted, Identity, IdentityError, Secrets, refused_clients};
use argus_sandbox::Sandbox;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// The products whose tables the store has.
pub const PRODUCTS: &[&Migrations] = &[&argus_partner::MIGRATIONS];

/// How long the last time may take.
const LAST_FLUSH: Duration = Duration::from_secs(2);

/// How often to look for jobs where no signal comes from other processes.
const EMBEDDED_POLL: Duration = Duration::from_millis(500);

/// How often a free port is looked for: another process may take one before a host listens on it.
const ATTEMPTS: u32 = 5;

/// What a service is called when its settings do not say.
pub struct Names {
    /// Base URLs that replies name.
    pub base_urls: BaseUrls,
    /// `iss` of every token.
    pub issuer: String,
    /// Issuers whose tokens stay good.
    pub former_issuers: Vec<String>,
}

/// The running hosts and what they share.
pub struct Service {
    /// What the hosts share.
    pub app: Arc<App>,
    /// The hosts, on a node that serves them.
    hosts: Option<Hosts>,
    /// The workers, on a node that works on jobs.
    workers: Option<Workers>,
    /// The couriers, on the same nodes.
    couriers: Option<Couriers>,
    background: Background,
}

/// What the service does while nobody asks; it ends when this is dropped.
struct Background(Vec<AbortHandle>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Service {
    /// Opens the data and starts every host. `names` says what they are called at the addresses where they
    /// listen.
    pub fn start(
        settings: &Settings,
        clock: Clock,
        names: impl Fn(&Addresses) -> Names,
        log: &slog::Logger,
    ) -> Result<Self, Box<dyn Error>> {
        // What can be refused is refused before there is any data.
        settings.addresses.resolve()?;
        let sandbox = sandbox(settings)?;
        let bundles = Arc::new(bundles::open(settings.bundle_dir.as_deref())?);
        open_data_dir(settings)?;
        let turn = take_turn(settings)?;
        let (database, identity) = open(settings, clock.clone())?;
        let connectors = Connectors::open(&settings.connectors, &clock)?;
        let dialler = Dialler::new(&settings.dialler, SystemResolver::default(), clock.clone())?;
        let objects = Objects::open(&settings.objects, Arc::clone(identity.pepper()), clock)?;
        let revocations = Arc::new(Revocations::open(&database.every_tenant)?);
        drop(turn);
        remove_unfinished(objects.clone());
        let start = || {
            let addresses = settings.addresses.resolve()?;
            let Names { base_urls, issuer, former_issuers } = settings.names(names(&addresses));
            let identity = Arc::new(identity.under(issuer, former_issuers));
            let (database, sandbox) =
                (database.clone(), CurrentSandbox::new(sandbox.under(base_urls.sandbox.clone())));
            let connectors = connectors.clone();
            let outward = Outward { dialler: dialler.clone(), happenings: Happenings::default() };
            let objects = objects.under(base_urls.api.clone());
            let jobs = jobs(&database, &identity, objects, connectors.clone(), outward.clone());
            let webhooks = webhooks(&database, &identity, outward);
            let graphql = Graphql::new(database.requests.clone(), Arc::clone(&bundles));
            let revocations = Arc::clone(&revocations);
            let domains = Domains { identity, revocations, jobs, webhooks, connectors, graphql };
            let app = App::new(database, domains, sandbox, addresses, base_urls, settings);
            let app = Arc::new(app);
            let serves = matches!(settings.role, Role::All | Role::Api);
            let hosts = if serves { Some(Hosts::start(&app, log)?) } else { None };
            let works = matches!(settings.role, Role::All | Role::Worker);
            let workers = works.then(|| workers(&app, settings.workers));
            let couriers = works.then(|| couriers(&app, settings.couriers));
            let background = Background::start(&app, settings);
            Ok::<_, HostError>(Self { app, hosts, workers, couriers, background })
        };
        for _ in 1..ATTEMPTS {
            match start() {
                Err(HostError::Listen { .. }) if settings.addresses.has_free_port() => {}
                outcome => return Ok(outcome?),
            }
        }
        Ok(start()?)
    }
}

impl Service {
    /// Where each host is, by its name; nothing on a node that serves none.
    pub fn urls(&self) -> BTreeMap<&'static str, String> {
        let hosts = Host::ALL.into_iter().filter(|_| self.hosts.is_some());
        hosts.map(|host| (host.name(), self.app.addresses.base_url(host))).collect()
    }

    /// Stops accepting, lets open requests end, writes what is still to be written, and returns whether all
    /// was answered within `limit`.
    pub async fn stop(self, limit: Duration) -> bool {
        let Self { app, hosts, workers, couriers, background } = self;
        let (drained, given_back, undelivered) = tokio::join!(
            async { if let Some(hosts) = hosts { hosts.stop(limit).await } else { true } },
            async { if let Some(workers) = workers { workers.stop(limit).await } else { 0 } },
            async { if let Some(couriers) = couriers { couriers.stop(limit).await } else { 0 } },
        );
        if undelivered > 0 {
            tracing::info!(undelivered, "deliveries go on at another node");
        }
        if given_back > 0 {
            tracing::info!(given_back, "running jobs go on at another worker");
        }
        drop(background);
        // What cannot be written now is lost, and said so.
        match tokio::time::timeout(LAST_FLUSH, refused_clients::flush(&app.identity)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(cause = %error, "refused clients are not in the audit trail"),
            Err(_) => tracing::error!("refused clients are not in the audit trail: no time was left"),
        }
        drained
    }
}

/// Removes, beside everything else, what processes that were killed have left of objects.
fn remove_unfinished(objects: Objects) {
    tokio::task::spawn_blocking(move || match objects.remove_unfinished() {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed objects that were never finished"),
        Err(error) => tracing::warn!(cause = %error, "cannot look for objects that were never finished"),
    });
}

impl Background {
    fn start(app: &Arc<App>, settings: &Settings) -> Self {
        let flushing = flush_now_and_then(Arc::clone(app), settings.flush_interval);
        let sweeping = Sweeper::new(app.database.every_tenant.clone(), app.jobs.objects.clone()).run();
        let revocations =
            Arc::clone(&app.revocations).refresh(app.database.every_tenant.clone(), app.jobs.signals.clone());
        let mut tasks = vec![tokio::spawn(flushing).abort_handle(), tokio::spawn(sweeping).abort_handle()];
        tasks.push(tokio::spawn(revocations).abort_handle());
        if let Some(listener) = app.database.listener.clone() {
            let signals = app.jobs.signals.clone();
            tasks.push(tokio::spawn(async move { signals.exchange(&listener).await }).abort_handle());
        }
        Self(tasks)
    }
}

/// The way to receivers, and what says that there is something for them.
#[derive(Clone)]
struct Outward {
    dialler: Dialler,
    happenings: Happenings,
}

fn webhooks(database: &Database, identity: &Identity, Outward { dialler, happenings }: Outward) -> Webhooks {
    let (envelope, pepper) = (Arc::clone(identity.envelope()), Arc::clone(identity.pepper()));
    Webhooks { store: database.requests.clone(), envelope, pepper, dialler, happenings }
}

/// Jobs with the kinds of this product.
fn jobs(
    database: &Database,
    identity: &Identity,
    objects: Objects,
    connectors: Connectors,
    Outward { dialler, happenings }: Outward,
) -> Jobs {
    let workshop = Workshop { store: database.workers.clone(), objects: objects.clone(), connectors };
    let registry = Arc::new(work::registry(&workshop));
    let pepper = Arc::clone(identity.pepper());
    let store = database.requests.clone();
    let signals = Signals::beside(happenings.clone());
    Jobs::new(store, objects, signals, registry, pepper, dialler, happenings)
}

fn workers(app: &App, mut settings: WorkerSettings) -> Workers {
    // Nobody tells of what other processes do with a file.
    if app.database.listener.is_none() {
        settings.poll = EMBEDDED_POLL;
    }
    let (registry, signals) = (Arc::clone(&app.jobs.registry), app.jobs.signals.clone());
    let (every_tenant, happenings) = (app.database.every_tenant.clone(), app.jobs.happenings.clone());
    Workers::start(every_tenant, registry, signals, happenings, app.clock.clone(), settings)
}

fn couriers(app: &App, settings: CourierSettings) -> Couriers {
    let Webhooks { envelope, dialler, happenings, .. } = &app.webhooks;
    let attempts =
        Attempts { dialler: dialler.clone(), envelope: Arc::clone(envelope), clock: app.clock.clone() };
    let (deliveries, objects) = (app.database.deliveries.clone(), app.jobs.objects.clone());
    Couriers::start(deliveries, objects, attempts, happenings.clone(), settings)
}

/// Appends what is recorded in aggregate to the audit trail, for as long as the service runs.
async fn flush_now_and_then(app: Arc<App>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        if let Err(error) = refused_clients::flush(&app.identity).await {
            tracing::warn!(cause = %error, "refused clients are not in the audit trail yet");
        }
    }
}

/// Opens keys, pepper, envelope key and store, and makes what does not exist yet. Blocks.
pub fn open(settings: &Settings, clock: Clock) -> Result<(Database, Identity), IdentityError> {
    // Before the store: keys that cannot be used leave it untouched.
    let secrets = Secrets::read(&settings.identity, &clock)?;
    let database = Database::open(&settings.store, PRODUCTS)?;
    let identity = Identity::new(database.requests.clone(), secrets, clock, settings.identity.clone())?;
    Ok((database, identity))
}

/// Lets the signing keys of the data directory count from now on, whatever keys the store knows. Blocks.
pub fn adopt_keys(settings: &Settings, clock: &Clock) -> Result<Adopted, IdentityError> {
    let secrets = Secrets::read(&settings.identity, clock)?;
    let database = Database::open(&settings.store, PRODUCTS)?;
    secrets.adopt_keys(&database.requests)
}

/// Makes the data directory, which only its owner may enter, unless it is there. One that others own or may
/// write is refused.
pub fn open_data_dir(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let path = &settings.identity.data_dir;
    files::open_directory(path)
        .map_err(|error| format!("cannot use the data directory {}: {error}", path.display()).into())
}

/// Waits for the other processes of this data directory that make its first tenant or the demo
/// credentials. The turn lasts until the returned file is dropped.
pub fn take_turn(settings: &Settings) -> Result<File, Box<dyn Error>> {
    let path = settings.identity.data_dir.join(".lock");
    files::lock(&path).map_err(|error| format!("cannot use {}: {error}", path.display()).into())
}

fn sandbox(settings: &Settings) -> Result<Sandbox, Box<dyn Error>> {
    match &settings.scenario_dir {
        Some(directory) => Ok(scenarios::check(&scenarios::read(directory)?)?),
        None => Ok(Sandbox::load()),
    }
}
