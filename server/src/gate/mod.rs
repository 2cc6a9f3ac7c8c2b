//! From a request to a call: trace context, token, dual gate, scope. What an operation does once
//! its call is open does not live here.

pub mod answer;
pub mod call;
mod misfit;
pub mod principal;
pub mod refusal;
pub mod trace;
pub mod verifier;

pub use answer::{document, live, mock, oauth, public, published};
pub use call::Call;
pub use principal::{Anonymous, Live, Principal, Sandboxed};
pub use verifier::Verifier;
