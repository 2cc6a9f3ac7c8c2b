//! The service from outside: every suite talks through real sockets to a real server, in this process
//! or as a child.

#[macro_use]
mod snapshot;

mod agreement;
mod approval;
mod authorization;
mod bad_input;
mod browser;
mod connections;
mod connectors;
mod coverage;
mod delivery_history;
mod discovery;
mod enums;
mod exports;
mod exposure;
mod graphql;
mod graphql_guards;
mod graphql_live;
mod headers;
mod hosts;
mod identity;
mod in_process;
mod incidents;
mod inputs;
mod job_events;
pub(crate) mod jobs;
mod limits;
mod long_lists;
mod matrix;
mod methods;
mod objects;
mod outline;
mod pages;
mod process;
mod profiles;
mod readiness;
mod refused_clients;
mod remains;
mod replay;
mod rotation;
mod scenarios;
mod sdk;
mod sdk_graphql;
mod sdk_sign_in;
mod standard_webhooks;
mod subscriptions;
pub(crate) mod support;
mod together;
mod tokens;
mod traces;
mod transcripts;
mod transfers;
mod webhooks;
