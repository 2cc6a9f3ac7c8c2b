//! From the name of a receiver to addresses: those that the system knows, and of them those that may be connected to.

use super::address::Permitted;
use super::failure::Failure;
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::lookup_host;
use tokio::sync::Semaphore;

/// How many names are looked up at a time. Each takes a thread for as long as its name servers are silent, and threads
/// are there for more than this.
const LOOKUPS: usize = 32;

/// Knows the addresses of names.
pub trait Resolver: Send + Sync {
    /// The addresses of this name. It is asked for each connection, and nothing it says is kept.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

impl<R: Resolver + ?Sized> Resolver for Arc<R> {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        (**self).resolve(name)
    }
}

/// What the system knows.
#[derive(Clone, Debug)]
pub struct SystemResolver(Arc<Semaphore>);

impl Default for SystemResolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS)))
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (turns, name) = (Arc::clone(&self.0), name.to_owned());
        async move {
            let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
            // A task of its own: the thread is busy until the answer comes, even when nobody waits for it any more.
            let looked_up = tokio::spawn(async move {
                let _turn = turn;
                let addresses = lookup_host((name.as_str(), 0)).await?;
                Ok(addresses.map(|address| address.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        }
        .boxed()
    }
}

/// A resolver of which the client hears only those addresses that it may connect to.
pub(super) struct PermittedOnly {
    resolver: Arc<dyn Resolver>,
    permitted: Arc<Permitted>,
}

impl PermittedOnly {
    pub(super) fn new(resolver: Arc<dyn Resolver>, permitted: Arc<Permitted>) -> Self {
        Self { resolver, permitted }
    }
}

impl Resolve for PermittedOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.resolver.resolve(name.as_str());
        let permitted = Arc::clone(&self.permitted);
        async move {
            let mut addresses = addresses.await.map_err(|error| {
                tracing::debug!(cause = %error, "the name of a receiver has no addresses");
                Failure::NameNotResolved
            })?;
            if addresses.is_empty() {
                return Err(Failure::NameNotResolved.into());
            }
            addresses.retain(|address| permitted.permits(*address));
            if addresses.is_empty() {
                return Err(Failure::AddressNotAllowed.into());
            }
            // Port 0 is that of the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        }
        .boxed()
    }
}
