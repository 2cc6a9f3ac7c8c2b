//! What the hosts share. It is complete before the first of them listens.

use super::{Addresses, BaseUrls};
use crate::discovery::{Library, ReferencePlaces};
use crate::gate::{CookieNames, Notices, Revocations, SandboxCalls, TrustedProxies, Verifier};
use crate::observability::{Metrics, Readiness};
use crate::settings::Settings;
use argus_core::store::Database;
use argus_core::{Clock, Limits, Users};
use argus_openapi::types::secret::SecretText;
use argus_openapi::{Contract, Host};
use argus_partner::Identity;
use argus_partner::connectors::Connectors;
use argus_partner::federation::Federation;
use argus_partner::graphql::Graphql;
use argus_partner::jobs::Jobs;
use argus_partner::tokens::SandboxHost;
use argus_partner::webhooks::Webhooks;
use argus_sandbox::Sandbox;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
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
    /// The channels to other installations.
    pub federation: Arc<Federation>,
    /// What is called on the sandbox host, for the audit trail.
    pub sandbox_calls: Arc<SandboxCalls>,
    /// Verifies bearer tokens.
    pub verifier: Verifier,
    /// Which of them count no more.
    pub revocations: Arc<Revocations>,
    /// How often what may happen.
    pub limits: Limits,
    /// Answers the sandbox host.
    pub sandbox: Arc<Sandbox>,
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
    /// Where people find the documentation.
    pub docs_url: String,
    /// The sandbox token for readers of the reference. Nobody but `dev` puts one here.
    pub demo_token: OnceLock<SecretText>,
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
    /// The channels to other installations.
    pub federation: Arc<Federation>,
}

/// Path of the operation by which a page gets [`App::demo_token`].
const DEMO_TOKEN_PATH: &str = "/docs/demo-token.json";

/// What a service calls itself in replies.
pub struct Called {
    /// Base URLs of the hosts.
    pub base_urls: BaseUrls,
    /// Where people find the documentation.
    pub docs_url: String,
    /// Whether its pages ask for the demo token.
    pub is_development: bool,
}

impl App {
    /// The state of a service with these domains and these mocks.
    pub fn new(
        database: Database,
        Domains { identity, revocations, jobs, webhooks, connectors, graphql, federation }: Domains,
        sandbox: Arc<Sandbox>,
        addresses: Addresses,
        Called { base_urls, docs_url, is_development }: Called,
        settings: &Settings,
    ) -> Self {
        let contract = settings.contract;
        let places = ReferencePlaces {
            integration_request_url: settings
                .integration_request_url
                .clone()
                .unwrap_or_else(|| contract.addresses.integration_request.to_owned()),
            demo_token_path: is_development.then_some(DEMO_TOKEN_PATH),
        };
        let (pepper, clock) = (Arc::clone(identity.pepper()), identity.clock().clone());
        let sandbox_calls = Arc::new(SandboxCalls::default());
        Self {
            contract,
            users: Users::new(database.requests.clone(), Arc::clone(&pepper), clock.clone()),
            cookies: CookieNames::of(identity.issuer()),
            limits: Limits::new(&settings.limits, pepper, clock.clone(), database.limits.clone()),
            database,
            clock,
            verifier: Verifier::new(Arc::clone(&identity), Arc::clone(&sandbox), Arc::clone(&sandbox_calls)),
            revocations,
            identity,
            jobs,
            webhooks,
            sandbox,
            library: Library::new(contract, &docs_url, &places),
            metrics: Metrics::new(contract, connectors.clone(), sandbox_calls.dropped()),
            sandbox_calls,
            connectors,
            graphql,
            federation,
            readiness: Readiness::default(),
            addresses,
            base_urls,
            docs_url,
            demo_token: OnceLock::new(),
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
        let set = self.sandbox.scenario_set(ids).map_err(|unknown| unknown.to_string())?;
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
    /// What is said of those operations that go.
    pub(crate) notices: Arc<Notices>,
}

impl HostContext {
    /// The state of this host. The error names what in the contract cannot be served.
    pub fn new(host: Host, app: Arc<App>) -> Result<Self, String> {
        let rows = app.contract.rows.iter().enumerate();
        let positions = rows.filter(|(_, row)| row.served_by(host)).map(|(position, row)| (row.id, position));
        let notices = Arc::new(Notices::of(app.contract, host, &app.base_urls)?);
        Ok(Self { host, positions: Arc::new(positions.collect()), notices, app })
    }

    /// Where the row of an operation stands in the contract, if this host serves it.
    pub fn position(&self, operation_id: &str) -> Option<usize> {
        self.positions.get(operation_id).copied()
    }
}
