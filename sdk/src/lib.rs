//! Client of the Argus External API.
//!
//! [`ArgusClient`] holds every operation of the published contract, generated from the descriptor, and
//! does around each what every partner would have to write: it chooses the host ([`Environment`]),
//! fetches and refreshes tokens ([`Credentials`]), continues your trace ([`TraceContext`]), repeats what
//! is safe to repeat ([`Retry`]) with one `Idempotency-Key`, sends files ([`ArgusClient::upload_file`]), waits
//! for jobs ([`ArgusClient::wait_for_job`]), downloads their results ([`ArgusClient::download_result`]) and
//! pages through lists ([`ArgusClient::stream_jobs`]). Failures are one [`Error`] that says what to do.
//!
//! Users sign in, in the browser, with [`ArgusClient::authorization`]; [`authorization`] has the whole of it. The approved
//! GraphQL documents are typed calls of [`ArgusClient::graphql`].
//!
//! For the receiving side, [`TokenVerifier`] checks tokens that the service issued, [`webhooks`]
//! checks the signatures of its deliveries, and [`receiver`] makes typed events of them.
//!
//! With the feature `sandbox`, `argus_sdk::sandbox()` is a client of the sandbox inside of your own tests, without a
//! server and without a socket.
//!
//! ```no_run
//! use argus_sdk::{ArgusClient, Credentials, Environment, Error, ResponseExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let admin = Credentials::client("your-admin-app", "its secret").scopes(["argus:platform:admin"]);
//! let client = ArgusClient::builder()
//!     .environment(Environment::sandbox())
//!     .credentials(Credentials::sandbox(admin, "your-app").scenarios(["wallet.high-risk"]))
//!     .build()?;
//!
//! let scenarios = client.sandbox_scenario_list().send().await?;
//! println!("{} scenarios, trace {:?}", scenarios.scenarios.len(), scenarios.trace_id());
//! # Ok(()) }
//! ```

pub mod authorization;
mod client;
mod credentials;
mod downloads;
mod environment;
mod error;
/// The generated client: operations, their parameters and types.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
#[allow(clippy::needless_pass_by_value, rustdoc::all)]
#[rustfmt::skip]
pub mod generated;
#[rustfmt::skip]
mod generated_events;
#[rustfmt::skip]
mod generated_graphql;
#[rustfmt::skip]
mod generated_hosts;
pub mod graphql;
#[cfg(feature = "sandbox")]
mod in_process;
mod job_requests;
mod jobs;
mod pace;
mod pages;
pub mod receiver;
mod response;
mod retry;
mod secret;
mod streams;
mod token_cache;
mod token_source;
mod trace;
mod transfer;
mod transport;
mod uploads;
mod verifier;
mod way;
pub mod webhooks;

pub use client::{ArgusClient, ArgusClientBuilder};
pub use credentials::Credentials;
pub use downloads::Downloaded;
pub use environment::{Environment, Host};
pub use error::{Error, ErrorKind};
pub use generated::types;
#[cfg(feature = "sandbox")]
pub use in_process::{SandboxBuilder, sandbox};
pub use jobs::{JobFilter, WaitError, WaitOptions};
pub use pages::ItemStream;
/// The HTTP client that this crate is built on, for a client of your own of the same version.
pub use reqwest;
pub use response::ResponseExt;
pub use retry::Retry;
pub use secret::Secret;
pub use trace::{InvalidTraceparent, TraceContext, span_id, trace_id};
pub use transfer::TransferError;
pub use verifier::{Claims, TokenError, TokenVerifier, TokenVerifierBuilder};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
