//! From a request to a call: trace context, token, dual gate, scope.

pub mod principal;

pub use principal::Principal;
