//! What must hold of every parser of Argus that meets the network, whatever the input: one module per
//! fuzz target, each with a `check` that panics when it does not hold. How inputs come about does not
//! live here: libFuzzer makes them in `../fuzz_targets`, and the test of this crate starts from the
//! committed seeds.

pub mod access_token;
pub mod authorization_request;
pub mod client_assertion;
pub mod cookies;
mod edits;
pub mod findings;
pub mod graphql_document;
pub mod jwks;
pub mod page_cursor;
pub mod prefer;
pub mod request_body;
mod sandbox;
pub mod sandbox_request;
pub mod token_request;
pub mod traceparent;
pub mod webhook_signature;

/// A check: it panics when the input shows a fault.
pub type Check = fn(&[u8]);

/// Every check by the name of its target.
pub const CHECKS: [(&str, Check); 14] = [
    ("access_token", access_token::check),
    ("authorization_request", authorization_request::check),
    ("client_assertion", client_assertion::check),
    ("cookies", cookies::check),
    ("findings", findings::check),
    ("graphql_document", graphql_document::check),
    ("jwks", jwks::check),
    ("page_cursor", page_cursor::check),
    ("prefer", prefer::check),
    ("request_body", request_body::check),
    ("sandbox_request", sandbox_request::check),
    ("token_request", token_request::check),
    ("traceparent", traceparent::check),
    ("webhook_signature", webhook_signature::check),
];
