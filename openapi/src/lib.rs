//! The contract of the Argus External API: one trait, one operation table, the types, and the
//! pipeline that publishes them. No I/O lives here.
//!
//! - [`api`]: the trait `ArgusApi`, every operation once (feature `api`)
//! - [`operations`]: the operation table: who may call what, where; [`row`]: what a row can hold
//! - [`contract`]: all of this as one value, for those who serve and publish it
//! - [`deprecations`]: what of it will go, and when
//! - [`types`]: requests and responses
//! - [`graphql`]: which GraphQL documents may be run, and with what
//! - [`read`]: from the bytes of a request to its types, without HTTP
//! - [`http`]: extractors and replies that the trait's signatures use (feature `api`)
//! - [`compatibility`]: whether a descriptor breaks those that were built from another (feature `publish`)
//! - [`publish`]: trait -> OpenAPI 3.1, and back down for the SDK generator (feature `publish`)

#[cfg(feature = "api")]
pub mod api;
#[cfg(feature = "publish")]
pub mod compatibility;
pub mod contract;
pub mod deprecations;
pub mod graphql;
mod host;
#[cfg(feature = "api")]
pub mod http;
pub mod operations;
#[cfg(feature = "publish")]
pub mod publish;
pub mod published;
pub mod read;
pub mod row;
pub mod types;

pub use contract::Contract;
pub use host::Host;
pub use operations::Operation;
pub use row::{Access, Audience, OperationRow, Stability};
