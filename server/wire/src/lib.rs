//! What goes over the wire in the same form on every side: the server, the sandbox and the SDK use
//! this one crate. Everything here is a pure function of text or bytes: no I/O, no clock, no
//! randomness and no HTTP type.

pub mod canonical;
pub mod graphql;
pub mod hex;
pub mod object;
pub mod signature;
pub mod trace_context;
