//! What the hosts share. It is complete before the first of them listens.

use super::{Addresses, BaseUrls};
use crate::gate::{CookieNames, Revocations, TrustedProxies, Verifier};
use crate::observability::{Metrics, Readiness};
use crate::scenarios::CurrentSandbox;
use crate::settings::Settings;
use argus_core::store::Database;
use argus_core::{Clock, Limits, Users};
use argus_openapi::contract::ARGUS;
use argus_openapi::headers::Library;
use argus_openapi::{Contract, Host};
use argus_partner::Identity;
use argus_partner::connectors::Connectors;
use argus_partner::graphql::Graphql;
use argus_partner::jobs::Jobs;
use argus_partner::tokens::SandboxHost;
use argus_partner::webhooks::Webhooks;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What every host shares.
pub struct App {
    /// What the hosts keep.
    pub contract: &'static Contract,
    /// The store, which is lent to the domains.
    pub database: Database,
    /// Apps, keys and tokens.
    pub identity: Arc<Identity>,
    /// People who sign in.
    pub users: Users,
    /// What the cookies of their browsers are called.
    pub cookies: CookieNames,
    /// Jobs and where their results lie.
    pub jobs: Jobs,
    /// Subscriptions and their deliveries.
    pub webhooks: Webhooks,
    /// The ways to the systems that know more of profiles.
    pub connectors: Connectors,
    /// Approved documents and what runs them.
    pub graphql: Graphql,
    /// Verifies bearer tokens.
    pub verifier: Verifier,
    /// Which of them count no more.
    pub revocations: Arc<Revocations>,
    /// How often what may happen.
    pub limits: Limits,
    /// Answers the sandbox host.
    pub sandbox: Arc<CurrentSandbox>,
    /// The published documents.
    pub library: Library,
    /// Request counters.
    pub metrics: Metrics,
    /// Whether this node can serve.
    pub readiness: Readiness,
    /// Tells the time.
    pub clock: Clock,
    /// Where the hosts listen.
    pub addresses: Addresses,
    /// Base URLs that replies name.
    pub base_urls: BaseUrls,
    /// Proxies whose word for a caller's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// How long a request's body may take to arrive.
    pub body_limit: Duration,
}

/// What the live hosts work with.
pub struct Domains {
    /// Apps, keys and tokens.
    pub identity: Arc<Identity>,
    /// Which of the tokens count no more.
    pub revocations: Arc<Revocations>,
    /// Jobs and where their results lie.
    pub jobs: Jobs,
    /// Subscriptions and their deliveries.
    pub webhooks: Webhooks,
    /// The ways to the systems that know more of profiles.
    pub connectors: Connectors,
    /// Approved documents and what runs them.
    pub graphql: Graphql,
}

impl App {
    /// The state of a service with these domains and these mocks.
    pub fn new(
        database: Database,
        Domains { identity, revocations, jobs, webhooks, connectors, graphql }: Domains,
        sandbox: CurrentSandbox,
        addresses: Addresses,
        base_urls: BaseUrls,
        settings: &Settings,
    ) -> Self {
        let (contract, sandbox) = (&ARGUS, Arc::new(sandbox));
        let (pepper, clock) = (Arc::clone(identity.pepper()), identity.clock().clone());
        Self {
            contract,
            users: Users::new(database.requests.clone(), Arc::clone(&pepper), clock.clone()),
            cookies: CookieNames::of(identity.issuer()),
            limits: Limits::new(&settings.limits, pepper, clock.clone(), database.limits.clone()),
            database,
            clock,
            verifier: Verifier::new(Arc::clone(&identity), Arc::clone(&sandbox)),
            revocations,
            identity,
            jobs,
            webhooks,
            sandbox,
            library: Library::new(contract),
            metrics: Metrics::new(contract, connectors.clone()),
            connectors,
            graphql,
            readiness: Readiness::default(),
            addresses,
            base_urls,
            trusted_proxies: settings.trusted_proxies.clone(),
            body_limit: settings.body_limit,
        }
    }
}

impl SandboxHost for App {
    fn base_url(&self) -> &str {
        &self.base_urls.sandbox
    }

    fn pinned(&self, ids: &[String]) -> Result<Vec<String>, String> {
        let set = self.sandbox.now().scenario_set(ids).map_err(|unknown| unknown.to_string())?;
        Ok(set.ids().to_vec())
    }
}

/// State of one host.
#[derive(Clone)]
pub struct HostContext {
    /// Which host this is.
    pub host: Host,
    /// What it shares with the others.
    pub app: Arc<App>,
    /// Where the rows of its operations stand in the contract. Each request asks, and the ids are our own, so
    /// that the hash need not withstand anybody.
    positions: Arc<HashMap<&'static str, usize, FixedState>>,
}

impl HostContext {
    /// The state of this host.
    pub fn new(host: Host, app: Arc<App>) -> Self {
        let rows = app.contract.rows.iter().enumerate();
        let positions = rows.filter(|(_, row)| row.served_by(host)).map(|(position, row)| (row.id, position));
        Self { host, positions: Arc::new(positions.collect()), app }
    }

    /// Where the row of an operation stands in the contract, if this host serves it.
    pub fn position(&self, operation_id: &str) -> Option<usize> {
        self.positions.get(operation_id).copied()
    }
}
