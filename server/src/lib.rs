//! The Argus server: three hosts, one gate, and the domains and the sandbox behind it.
//!
//! - [`hosts`]: listeners, pre-routing, and the trait impls (one expression per method)
//! - [`gate`]: trace, host row, caller, handler, stamp, count: one wrapper around every handler
//! - [`discovery`]: the published documents
//! - `bundles`: the operation bundles of an installation
//! - `download`: files that are given out as they are read
//! - [`observability`]: counters and the log
//! - [`pages`]: pages for people, in their languages
//! - `provider`: what stands in for the systems of connectors in development
//! - [`scenarios`]: what an operator writes for the sandbox, checked and replaced
//! - [`settings`], [`commands`]: the operator's interface
//! - [`service`]: from settings to running hosts
//!
//! Tenants, apps, keys and tokens live in `argus-partner`, the machinery under them in `argus-core`.

mod bundles;
pub mod commands;
pub mod discovery;
mod download;
pub mod gate;
pub mod hosts;
pub mod observability;
pub mod pages;
mod provider;
pub mod scenarios;
pub mod service;
pub mod settings;

/// A request allocates some forty times; this allocator takes about half of the system's time for it.
/// A fuzzer's sanitizer sees only into memory of the system's allocator, so it gets that one.
#[cfg(not(fuzzing))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
