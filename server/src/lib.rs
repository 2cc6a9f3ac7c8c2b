//! The Argus server: three hosts, one gate, identity on a store, and the sandbox behind it.
//!
//! - [`hosts`]: listeners, pre-routing, and the trait impls (one expression per method)
//! - [`gate`]: trace context, token verification, dual gate, scopes: a request becomes a call
//! - [`identity`]: tenants, apps, secrets, signing keys and tokens
//! - [`discovery`]: the published documents and what operators ask for
//! - [`store`]: diesel models and queries, one file per resource
//! - [`problem`]: the one error of the domain modules

pub mod commands;
pub mod config;
pub mod discovery;
pub mod gate;
pub mod hosts;
pub mod identity;
pub mod observability;
pub mod problem;
pub mod store;
