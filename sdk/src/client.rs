//! The client that a partner holds, and how it is built.

use crate::credentials::Credentials;
use crate::environment::Environment;
use crate::error::Error;
use crate::generated::Client;
use crate::retry::Retry;
use crate::trace::TraceContext;
use crate::transport::{Auth, Transport};
use crate::way::Way;
use std::ops::Deref;
use std::time::Duration;

const USER_AGENT: &str = concat!("argus-sdk/", env!("CARGO_PKG_VERSION"));

/// A client of the Argus External API: one for all its hosts. Cheap to clone; clones share
/// connections and tokens.
///
/// Every operation of the contract is a method, through [`Deref`] to the generated [`Client`]: name
/// it, set its parameters, `send` it. Errors turn into [`Error`] with `?`.
///
/// ```no_run
/// use argus_sdk::{ArgusClient, Credentials, Environment, Error, types};
///
/// # async fn f() -> Result<(), Error> {
/// let client = ArgusClient::builder()
///     .environment(Environment::production())
///     .credentials(Credentials::client("app_1", "its secret"))
///     .build()?;
///
/// let job = types::EnrichJob::of(["profile_1"]);
/// // An `Idempotency-Key` is sent, the same one for every retry, unless you set your own.
/// let created = client.job_create().body(job).send().await?;
/// println!("{} {}", created.id, created.status);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ArgusClient {
    api: Client,
    timeout: Duration,
}

impl ArgusClient {
    /// A client of the sandbox without credentials, to be changed.
    pub fn builder() -> ArgusClientBuilder {
        ArgusClientBuilder {
            environment: Environment::sandbox(),
            credentials: Credentials::none(),
            retry: Retry::default(),
            timeout: Duration::from_secs(30),
            http: None,
        }
    }

    /// The same client inside a trace of yours: every request is sent as a child span of it. Without
    /// one, each request starts a trace of its own.
    ///
    /// ```no_run
    /// use argus_sdk::{ArgusClient, Error, TraceContext};
    ///
    /// # async fn f(client: ArgusClient, inbound: &str) -> Result<(), Error> {
    /// let trace = inbound.parse().unwrap_or_else(|_| TraceContext::random());
    /// client.with_trace(trace).job_list().send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        let mut api = self.api.clone();
        api.inner = api.inner.with_trace(trace);
        Self { api, timeout: self.timeout }
    }

    /// The servers that this client talks to.
    pub fn environment(&self) -> &Environment {
        self.api.inner.environment()
    }

    /// How long a transfer may stand still.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout
    }

    /// The generated client: every operation of the contract.
    pub fn api(&self) -> &Client {
        &self.api
    }
}

impl Deref for ArgusClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.api
    }
}

/// Builds an [`ArgusClient`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ArgusClientBuilder {
    environment: Environment,
    credentials: Credentials,
    retry: Retry,
    timeout: Duration,
    http: Option<reqwest::Client>,
}

impl ArgusClientBuilder {
    /// The servers to talk to; the public sandbox by default, so that nothing live happens unasked.
    pub fn environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// How the client proves who it is; not at all by default.
    pub fn credentials(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    /// When requests are repeated; see [`Retry`] for the default.
    pub fn retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// How long one attempt may take, 30 seconds by default. A file that is transferred may take longer, but
    /// not stand still for so long.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// An HTTP client of your own, for a proxy or your own root certificates. Turn redirects off in
    /// it; [`ArgusClientBuilder::timeout`] has no effect then.
    pub fn http_client(self, http: reqwest::Client) -> Self {
        Self { http: Some(http), ..self }
    }

    /// The client. Nothing is sent yet.
    pub fn build(self) -> Result<ArgusClient, Error> {
        self.build_by(Way::Network)
    }

    /// The client whose requests go this way.
    pub(crate) fn build_by(self, way: Way) -> Result<ArgusClient, Error> {
        let http = match self.http {
            Some(http) => http,
            None => http_client(self.timeout)?,
        };
        let tokens = self.credentials.tokens(&self.environment, &self.retry, &http);
        let transport = Transport::by(way, self.environment, Auth::Tokens(tokens), self.retry);
        Ok(ArgusClient { api: transport.into_client(http), timeout: self.timeout })
    }
}

/// No redirects: no operation has one, and a token must not follow one to another host.
pub(crate) fn http_client(timeout: Duration) -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .timeout(timeout)
        .build()
        .map_err(Error::transport)
}
