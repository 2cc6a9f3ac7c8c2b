//! The SDK against a server that answers as a test says. One binary, because each would link the whole
//! SDK again.

#![allow(clippy::unwrap_used, missing_docs)]

mod authorization;
mod job_requests;
mod jobs;
mod receiver;
mod retries;
mod support;
mod tokens;
mod traces;
mod transfers;
mod verifier;
