//! The contract of the Argus External API: one trait, one operation table, the types, and the
//! pipeline that publishes them. No I/O lives here.
//!
//! - [`api`]: the trait `ArgusApi`, every operation once (feature `api`)
//! - [`operations`]: who may call what, where
//! - [`types`]: requests and responses
//! - [`http`]: extractors and replies that the trait's signatures use (feature `api`)
//! - [`publish`]: trait -> OpenAPI 3.1, and back down for the SDK generator (feature `publish`)

#[cfg(feature = "api")]
pub mod api;
#[cfg(feature = "api")]
pub mod http;
pub mod operations;
#[cfg(feature = "publish")]
pub mod publish;
pub mod published;
pub mod types;

pub use operations::{Access, Audience, Host, Operation, OperationRow, Stability};

/// Version of the contract, as `info.version` of the descriptor has it.
pub const CONTRACT_VERSION: &str = "2026.4.0";
