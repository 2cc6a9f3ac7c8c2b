//! Request and response types of the contract, one file per topic. Doc comments and bounds here
//! become the published schemas. What a response holds as an `Option` is always sent, as `null` where there is
//! nothing. No behaviour beyond what the types promise lives here.

pub mod apps;
mod checked_text;
pub mod client_keys;
pub mod common;
pub mod discovery;
pub mod error;
pub mod events;
pub mod graphql;
pub mod incidents;
pub mod internal;
pub mod jobs;
pub mod json_object;
pub mod keys;
pub mod name;
pub mod oauth;
pub mod pages;
pub mod profiles;
pub mod rendered;
pub mod sandbox;
pub mod scopes;
pub mod secret;
mod timestamp;
pub mod tokens;
pub mod traces;
pub mod uploads;
pub mod uri;
pub mod webhooks;
pub mod wire_enum;
