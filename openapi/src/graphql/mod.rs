//! Which GraphQL documents may be run, and what may be sent with one: the same on the live host and in the sandbox. What
//! answers a document lives in neither of these files, and who has which bundle is the callers' business.
//!
//! - `bundles`: the approved operation bundles
//! - `variables`: whether the variables of a request fit a document

mod bundles;
mod variables;

pub use bundles::{Bundle, BundleError, BundleFile, Bundles, LIMITS, SHIPPED};
