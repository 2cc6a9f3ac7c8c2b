//! The sandbox, asked as a host asks it.

mod contract;
mod determinism;
mod discovery;
mod graphql;
mod jobs;
mod layers;
mod objects;
mod profiles;
mod purity;
mod sources;
mod support;
mod webhooks;
