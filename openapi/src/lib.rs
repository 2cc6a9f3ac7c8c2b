//! The contract of the Argus External API: one trait, one operation table, the types, and the
//! pipeline that publishes them. No I/O lives here.
//!
//! - [`api`]: the trait `ArgusApi`, every operation once (feature `api`)
//! - [`operations`]: the operation table: who may call what, where; [`row`]: what a row can hold
//! - [`contract`]: all of this as one value, for those who serve and publish it
//! - [`types`]: requests and responses
//! - [`graphql`]: which GraphQL documents may be run, and with what
//! - [`read`]: from the bytes of a request to its types, without HTTP
//! - [`headers`]: what requests and replies carry in HTTP beside their bodies (feature `headers`)
//! - [`http`]: extractors and replies that the trait's signatures use (feature `api`)
//! - [`publish`]: trait -> OpenAPI 3.1, and back down for the SDK generator (feature `publish`)

#[cfg(feature = "api")]
pub mod api;
pub mod contract;
pub mod graphql;
#[cfg(feature = "headers")]
pub mod headers;
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
