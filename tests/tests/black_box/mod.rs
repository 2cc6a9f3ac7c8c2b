//! The service from outside: every suite talks through real sockets to a real server, in this process
//! or as a child.

#[macro_use]
mod snapshot;

mod agreement;
mod bad_input;
mod connections;
mod connectors;
mod coverage;
mod discovery;
mod enums;
mod exposure;
mod graphql;
mod headers;
mod hosts;
mod identity;
mod inputs;
pub(crate) mod jobs;
mod limits;
mod matrix;
mod methods;
mod objects;
mod outline;
mod process;
mod profiles;
mod readiness;
mod refused_clients;
mod replay;
mod sdk;
pub(crate) mod support;
mod together;
mod tokens;
mod traces;
mod transcripts;
mod transfers;
mod webhooks;
