//! Access on behalf of a user: the authorization code grant with PKCE (RFC 6749, 7636, 9207 and 9700), for web
//! applications and for native ones (RFC 8252), and the tokens that it leads to. A client whose credentials are
//! [`Credentials::user`](crate::Credentials::user) sends its user's browser to the service, takes what the browser brings
//! back, and calls from then on with the user's tokens, which it keeps in a [`TokenStore`] and refreshes.
//!
//! A web application keeps the [`PendingAuthorization`] in the session of the browser that it has sent away, and takes it
//! out again when the browser comes back:
//!
//! ```no_run
//! use argus_sdk::authorization::{AuthorizationError, FileTokenStore, PendingAuthorization};
//! use argus_sdk::{ArgusClient, Credentials, Environment, Error};
//!
//! fn client_of(user: &str) -> Result<ArgusClient, Error> {
//!     let store = FileTokenStore::new(format!("/var/lib/partner/tokens/{user}.json"));
//!     let credentials = Credentials::user("app_1", store).client_secret("its secret");
//!     ArgusClient::builder().environment(Environment::production()).credentials(credentials).build()
//! }
//!
//! /// What is put into the session; the browser goes to its URL.
//! async fn sign_in(client: &ArgusClient) -> Result<PendingAuthorization, AuthorizationError> {
//!     let request = client.authorization().redirect_uri("https://partner.example/callback");
//!     Ok(request.scopes(["argus:jobs:read"]).push().await?)
//! }
//!
//! /// The browser is back, with this query.
//! async fn callback(
//!     client: &ArgusClient,
//!     pending: PendingAuthorization,
//!     query: &str,
//! ) -> Result<(), AuthorizationError> {
//!     let tokens = pending.finish(client, query).await?;
//!     println!("allowed: {}", tokens.scope());
//!     Ok(())
//! }
//! ```
//!
//! A native application opens the system's browser and listens on the loopback address: `LoopbackListener`, with the
//! feature `loopback`, and `sdk/examples/sign_in.rs`.
//!
//! Refresh tokens are good once, and whoever brings one a second time ends the sign-in. So one refresh is under way at a
//! time, in this process and in all that share the store; what it gets is stored before it is used. Once the service says
//! that the sign-in has ended, the store is cleared and calls fail with
//! [`ErrorKind::SignInRequired`](crate::ErrorKind::SignInRequired).

mod callback;
mod file_store;
#[cfg(feature = "loopback")]
mod loopback;
mod memory_store;
mod pending;
mod pkce;
mod request;
mod session;
mod store;

pub use callback::AuthorizationError;
pub use file_store::FileTokenStore;
/// What the methods of a [`TokenStore`] give back: make it with `Box::pin(async move { ... })`.
pub use futures::future::BoxFuture;
#[cfg(feature = "loopback")]
pub use loopback::LoopbackListener;
pub use memory_store::MemoryTokenStore;
pub use pending::PendingAuthorization;
pub use request::AuthorizationRequest;
pub(crate) use session::{Registration, UserSession};
pub use store::{StoreError, StoreLock, TokenStore, UserTokens};
