//! The sandbox: every partner operation as a pure function from a request to a reply.
//!
//! A reply depends on the contract version, the operation, its path, query and canonical body, the
//! *set* of pinned scenarios, the documented `Prefer` values, and on the caller's tenant and
//! clearance only where the wire shows them. It does not depend on time, chance, order, earlier
//! requests, the process, the token or the JSON whitespace, so a partner can snapshot it.
//!
//! No network, file, clock, randomness or HTTP type lives here; `tests/purity.rs` proves it.

mod clock;
mod cursor;
mod data_schemas;
mod deliveries;
mod digest;
mod documented;
mod fixture;
mod graphql;
mod graphql_data;
mod graphql_document;
mod ids;
mod jobs;
mod preferences;
mod profiles;
mod request;
mod sandbox;
mod scenario;
mod template;
mod traces;
mod webhooks;

pub use clock::EPOCH_UNIX_SECONDS;
pub use fixture::FixtureError;
pub use preferences::Preferences;
pub use request::{Caller, Mock, Request};
pub use sandbox::Sandbox;
pub use scenario::{ScenarioSet, UnknownScenario};
