//! The three hosts: their listeners, what runs before routing, and the two trait impls.

mod addresses;
mod app;
mod authorize;
mod demo_token;
mod endpoints;
mod host_header;
mod live;
mod objects;
mod options;
mod pages;
mod reference;
mod refusal;
mod routing;
mod sandbox;
mod shared;

pub use addresses::{Addresses, BaseUrls};
pub use app::{App, Called, Domains, HostContext};

use argus_openapi::Host;
use dropshot::{ConfigDropshot, HandlerTaskMode, HttpServer, ServerBuilder, VersionPolicy};
use endpoints::Endpoints;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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

impl HostError {
    fn listen(host: Host, address: SocketAddr, cause: &dyn std::error::Error) -> Self {
        Self::Listen {
            host: host.name(),
            address,
            cause: cause.to_string(),
            variable: format!("ARGUS_{}_ADDR", host.name().to_uppercase()),
        }
    }
}

/// The running hosts.
pub struct Hosts {
    servers: Vec<HttpServer<HostContext>>,
}

impl Hosts {
    /// Starts all three hosts at the app's addresses, or none.
    pub fn start(app: &Arc<App>, log: &slog::Logger) -> Result<Self, HostError> {
        let servers = Host::ALL.into_iter().map(|host| start(host, app, log));
        Ok(Self { servers: servers.collect::<Result<_, _>>()? })
    }

    /// Stops accepting, lets open requests end, and returns whether all did within `limit`.
    pub async fn stop(self, limit: Duration) -> bool {
        let closing = self.servers.into_iter().map(|server| tokio::spawn(server.close()));
        let closed = async {
            let mut clean = true;
            for server in closing.collect::<Vec<_>>() {
                clean &= matches!(server.await, Ok(Ok(())));
            }
            clean
        };
        tokio::time::timeout(limit, closed).await.unwrap_or(false)
    }
}

fn start(host: Host, app: &Arc<App>, log: &slog::Logger) -> Result<HttpServer<HostContext>, HostError> {
    let context = HostContext::new(host, Arc::clone(app)).map_err(HostError::Contract)?;
    let Endpoints { description, paths } = Endpoints::of(&context).map_err(HostError::Contract)?;
    let routing = routing::Routing::new(context.clone(), paths).map_err(HostError::Contract)?;
    let bind_address = app.addresses.of(host);
    let config = ConfigDropshot {
        bind_address,
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
            Some(cause) => HostError::listen(host, bind_address, cause),
            None => HostError::listen(host, bind_address, &error),
        })
}
