//! Asks receivers whose URLs others have said, over HTTP, without being led anywhere that those others could not
//! reach themselves (server-side request forgery).
//!
//! - [`Dialler`]: sends one request and reads its answer, within limits
//! - `target`: what a URL may be; `address`: what the address behind it may be
//! - `resolver`: from a name to addresses, those that may be connected to
//! - `answer` and `failure`: what came of it; `settings`: what an operator says
//!
//! An address is judged when a connection is made to it, and for each connection: what a name led to when its URL was
//! accepted, or a moment ago, counts for nothing. A connection that is kept was judged when it was made.
//!
//! When to send again, how often, and what the bytes mean does not live here.

mod address;
mod answer;
mod failure;
mod resolver;
mod settings;
mod target;

pub use address::is_public;
pub use answer::Answer;
pub use failure::Failure;
pub use resolver::{Resolver, SystemResolver};
pub use settings::{DiallerSettings, Limits, OpenError};

use crate::Clock;
use address::Permitted;
use answer::{excerpt, retry_after};
use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode, retry};
use resolver::PermittedOnly;
use std::fmt;
use std::sync::Arc;
use target::{Scheme, Target};
use tokio::time::{Instant, timeout, timeout_at};

/// Sends requests to receivers. Clones share its connections.
#[derive(Clone)]
pub struct Dialler {
    /// For https.
    secure: Way,
    /// For http, which goes to this machine alone, where the settings allow it.
    plain: Option<Way>,
    limits: Limits,
    clock: Clock,
}

/// A client, and where it may connect to.
#[derive(Clone)]
struct Way {
    client: Client,
    permitted: Arc<Permitted>,
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler")
            .field("permitted", &self.secure.permitted)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Dialler {
    /// A dialler that asks `resolver` for the addresses of names. Nothing is connected yet. Blocks.
    ///
    /// # Errors
    ///
    /// When the certificates of the settings cannot be used, or the system has none.
    pub fn new(
        settings: &DiallerSettings,
        resolver: impl Resolver + 'static,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let certificates = settings.certificates()?;
        let resolver: Arc<dyn Resolver> = Arc::new(resolver);
        let way = |permitted, scheme| {
            let permitted = Arc::new(permitted);
            let only = PermittedOnly::new(Arc::clone(&resolver), Arc::clone(&permitted));
            let client = client(settings, only, &certificates, scheme)?;
            Ok::<_, OpenError>(Way { client, permitted })
        };
        let everywhere = Permitted::Public { allowed: settings.allowed.clone(), loopback: settings.loopback };
        let secure = way(everywhere, Scheme::Https)?;
        let plain = if settings.loopback { Some(way(Permitted::Loopback, Scheme::Http)?) } else { None };
        Ok(Self { secure, plain, limits: settings.limits, clock })
    }

    /// Whether anything could be sent to this URL, as far as can be told without asking for addresses: to refuse what
    /// cannot when it is said.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub fn check(&self, url: &str) -> Result<(), Failure> {
        self.target(url).map(drop)
    }

    /// Posts these bytes to the URL, once, and returns the answer, whatever its status. Redirects are answers like
    /// others and are not followed.
    ///
    /// Once a status and headers have come they count: of a body that breaks off, hangs or has no end, what came of
    /// it is kept, for people to read, and the connection is given up.
    ///
    /// # Errors
    ///
    /// When there was no answer in the time that an attempt may take.
    pub async fn send(&self, url: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.limits.attempt;
        let (way, target) = self.target(url)?;
        let request = way.client.post(target.url).headers(headers).body(body);
        let response = match timeout_at(deadline, request.send()).await {
            Ok(response) => response.map_err(|error| failure::of(&error))?,
            Err(_) => return Err(Failure::TimedOut),
        };
        let status = response.status().as_u16();
        if !(200..=599).contains(&status) || length(response.headers()) > self.limits.header_bytes {
            return Err(Failure::AnswerUnusable);
        }
        let retry_after = retry_after(response.headers(), self.clock.now());
        let mut read = Vec::new();
        // Whether it came whole or not, it is there as far as it came.
        let _ = timeout_at(deadline, read_into(&mut read, response, self.limits.answer_bytes)).await;
        Ok(Answer { status, retry_after, excerpt: excerpt(&read, self.limits.excerpt_characters) })
    }

    /// Gets what is at the URL, once: the whole body of an answer with status 200. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// When there was no such answer in the time that an attempt may take, or one of more than `max` bytes.
    pub async fn get(&self, url: &str, headers: HeaderMap, max: usize) -> Result<Vec<u8>, Failure> {
        let (way, target) = self.target(url)?;
        let answered = async {
            let response = way.client.get(target.url).headers(headers).send().await;
            let mut response = response.map_err(|error| failure::of(&error))?;
            if response.status() != StatusCode::OK || length(response.headers()) > self.limits.header_bytes {
                return Err(Failure::AnswerUnusable);
            }
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(|error| failure::of(&error))? {
                body.extend_from_slice(&piece);
                if body.len() > max {
                    return Err(Failure::AnswerUnusable);
                }
            }
            Ok(body)
        };
        timeout(self.limits.attempt, answered).await.unwrap_or(Err(Failure::TimedOut))
    }

    /// What the URL means, if it may be sent to, and the way there.
    fn target(&self, url: &str) -> Result<(&Way, Target), Failure> {
        let target = Target::parse(url)?;
        let way = match target.scheme {
            Scheme::Https => &self.secure,
            Scheme::Http => self.plain.as_ref().ok_or(Failure::UrlNotAllowed)?,
        };
        // A client connects to a literal address without asking its resolver.
        if target.address.is_some_and(|address| !way.permitted.permits(address)) {
            return Err(Failure::AddressNotAllowed);
        }
        Ok((way, target))
    }
}

fn client(
    settings: &DiallerSettings,
    resolver: PermittedOnly,
    certificates: &[Certificate],
    scheme: Scheme,
) -> Result<Client, reqwest::Error> {
    let limits = settings.limits;
    Client::builder()
        .dns_resolver(resolver)
        .https_only(scheme == Scheme::Https)
        .redirect(Policy::none())
        // One of the environment would connect wherever it likes.
        .no_proxy()
        .retry(retry::never())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        // Its answers have bounds that are known.
        .http1_only()
        .tls_certs_merge(certificates.iter().cloned())
        .connect_timeout(limits.connect)
        .pool_idle_timeout(limits.idle)
        .pool_max_idle_per_host(limits.idle_connections)
        .user_agent(&settings.user_agent)
        .build()
}

/// Bytes of the headers, as they are written on the wire.
fn length(headers: &HeaderMap) -> usize {
    const SEPARATORS: usize = ": \r\n".len();
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS).sum()
}

/// Appends the body until it ends, breaks off, or more than `max` bytes of it are there.
async fn read_into(read: &mut Vec<u8>, mut response: Response, max: usize) {
    while let Ok(Some(piece)) = response.chunk().await {
        read.extend_from_slice(&piece);
        if read.len() > max {
            return;
        }
    }
}
