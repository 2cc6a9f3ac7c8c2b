//! The three hosts: their listeners, what runs before routing, and the two trait impls.

mod live;
mod routing;
mod sandbox;
mod shared;

use crate::discovery::Library;
use crate::gate::Verifier;
use crate::identity::Identity;
use crate::observability::Metrics;
use argus_openapi::Host;
use argus_openapi::api::argus_api_mod;
use argus_sandbox::Sandbox;
use dropshot::{ConfigDropshot, HandlerTaskMode, HttpServer, ServerBuilder, VersionPolicy};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Largest request body, in bytes.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// How long open requests may take to end after the service was told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// What every host shares.
pub struct App {
    /// Tenants, apps, keys and tokens.
    pub identity: Arc<Identity>,
    /// Verifies bearer tokens.
    pub verifier: Verifier,
    /// Answers the sandbox host.
    pub sandbox: Arc<Sandbox>,
    /// The published documents.
    pub library: Library,
    /// Request counters.
    pub metrics: Metrics,
    /// Known only once the hosts listen, because a port may be chosen by the system.
    base_urls: OnceLock<BaseUrls>,
}

/// Base URLs under which clients reach the hosts that replies name.
#[derive(Clone, Debug)]
pub struct BaseUrls {
    /// The auth host.
    pub auth: String,
    /// The sandbox host.
    pub sandbox: String,
}

impl Default for BaseUrls {
    fn default() -> Self {
        Self { auth: Host::Auth.public_url().to_owned(), sandbox: Host::Sandbox.public_url().to_owned() }
    }
}

impl App {
    /// The state of a service with this identity and these mocks.
    pub fn new(identity: Identity, sandbox: Sandbox) -> Self {
        let (identity, sandbox) = (Arc::new(identity), Arc::new(sandbox));
        let verifier = Verifier::new(Arc::clone(&identity), Arc::clone(&sandbox));
        Self {
            identity,
            verifier,
            sandbox,
            library: Library::load(),
            metrics: Metrics::default(),
            base_urls: OnceLock::new(),
        }
    }
}

impl App {
    /// Base URLs of the hosts; those of production until others are set.
    pub fn base_urls(&self) -> &BaseUrls {
        self.base_urls.get_or_init(BaseUrls::default)
    }

    /// Sets the base URLs, once, before the service is announced.
    pub fn set_base_urls(&self, base_urls: BaseUrls) {
        // A request that came before the announcement may have fixed the defaults; they stay then.
        let _ = self.base_urls.set(base_urls);
    }

    /// The pinned scenarios of a token to be, or a message that names the valid ones.
    pub fn pinned(&self, ids: &[String]) -> Result<Vec<String>, String> {
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
}

/// Where each host listens; port 0 takes any free port.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Identity, OAuth and keys.
    pub auth: SocketAddr,
    /// The live partner surface.
    pub api: SocketAddr,
    /// The deterministic partner surface.
    pub sandbox: SocketAddr,
}

impl Addresses {
    /// Asserts that every host can listen where it is to, before anything else is done. The ports are
    /// free again afterwards, so that another process can still take one: [`Hosts::start`] says so then.
    pub fn check(&self) -> Result<(), HostError> {
        let hosts = [(Host::Auth, self.auth), (Host::Api, self.api), (Host::Sandbox, self.sandbox)];
        // All are held until the last is taken: two hosts cannot have one address.
        let listeners: Result<Vec<_>, _> = hosts
            .into_iter()
            .map(|(host, address)| {
                TcpListener::bind(address).map_err(|error| cannot_listen(host, address, &error))
            })
            .collect();
        listeners.map(drop)
    }
}

/// A host could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The contract trait and dropshot disagree; a defect of this build.
    #[error("the contract does not build: {0}")]
    Contract(String),
    /// The address cannot be listened on.
    #[error("the {host} host cannot listen on {address}: {cause}; set {variable} to another address")]
    Listen {
        /// Which host.
        host: &'static str,
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        cause: String,
        /// The variable that moves it.
        variable: String,
    },
}

/// The running hosts.
pub struct Hosts {
    servers: Vec<HttpServer<HostContext>>,
    /// Where each host really listens.
    pub addresses: Addresses,
}

impl Hosts {
    /// Starts all three hosts, or none.
    pub fn start(app: &Arc<App>, wanted: Addresses, log: &slog::Logger) -> Result<Self, HostError> {
        let auth = start(Host::Auth, wanted.auth, app, log)?;
        let api = start(Host::Api, wanted.api, app, log)?;
        let sandbox = start(Host::Sandbox, wanted.sandbox, app, log)?;
        let addresses =
            Addresses { auth: auth.local_addr(), api: api.local_addr(), sandbox: sandbox.local_addr() };
        Ok(Self { servers: vec![auth, api, sandbox], addresses })
    }

    /// Stops accepting, lets open requests end, and returns whether all did in time.
    pub async fn stop(self) -> bool {
        let closing = self.servers.into_iter().map(|server| tokio::spawn(server.close()));
        let closed = async {
            let mut clean = true;
            for server in closing.collect::<Vec<_>>() {
                clean &= matches!(server.await, Ok(Ok(())));
            }
            clean
        };
        tokio::time::timeout(DRAIN_LIMIT, closed).await.unwrap_or(false)
    }
}

fn start(
    host: Host,
    bind_address: SocketAddr,
    app: &Arc<App>,
    log: &slog::Logger,
) -> Result<HttpServer<HostContext>, HostError> {
    let description = match host {
        Host::Auth | Host::Api => argus_api_mod::api_description::<live::LiveHost>(),
        Host::Sandbox => argus_api_mod::api_description::<sandbox::SandboxHost>(),
    };
    let description = description.map_err(|error| HostError::Contract(error.to_string()))?;
    let context = HostContext { host, app: Arc::clone(app) };
    let routing = routing::Routing::new(context.clone()).map_err(HostError::Contract)?;
    let config = ConfigDropshot {
        bind_address,
        default_request_body_max_bytes: BODY_MAX_BYTES,
        // A handler that has begun to write must end, even if its caller has gone.
        default_handler_task_mode: match host {
            Host::Auth | Host::Api => HandlerTaskMode::Detached,
            Host::Sandbox => HandlerTaskMode::CancelOnDisconnect,
        },
        ..ConfigDropshot::default()
    };
    let log = log.new(slog::o!("host" => host.name()));
    ServerBuilder::new(description, context, log)
        .config(config)
        .version_policy(VersionPolicy::Dynamic(Box::new(routing)))
        .start()
        .map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => cannot_listen(host, bind_address, cause),
            None => cannot_listen(host, bind_address, &error),
        })
}

fn cannot_listen(host: Host, address: SocketAddr, cause: &dyn std::error::Error) -> HostError {
    HostError::Listen {
        host: host.name(),
        address,
        cause: cause.to_string(),
        variable: format!("ARGUS_{}_ADDR", host.name().to_uppercase()),
    }
}
