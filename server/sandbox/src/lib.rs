//! The sandbox: every partner operation as a pure function from a request to a reply.
//!
//! A reply depends on the contract version, the operation, its path, query and canonical body, the
//! *set* of pinned scenarios, the documented `Prefer` values, and on the caller's tenant and
//! clearance only where the wire shows them. It does not depend on time, chance, order, earlier
//! requests, the process, the token or the JSON whitespace, so a partner can snapshot it.
//!
//! `engine` makes any mock deterministic; [`partner`] has the mocks, one per operation; `responder` (feature `http`)
//! is the sandbox host without a socket.
//!
//! No network, file, clock or randomness lives here; `tests/suite/purity.rs` proves it. HTTP types stay in `responder`.

mod engine;
pub mod partner;
#[cfg(feature = "http")]
pub mod responder;

pub use engine::answer::derive_trace;
pub use engine::clock::EPOCH_UNIX_SECONDS;
pub use engine::mock::{Caller, Mock};
pub use engine::preferences::Preferences;
pub use engine::reply::MockReply;
pub use engine::scenario_set::{ScenarioSet, UnknownScenario};
pub use partner::{Fault, FixtureError, Sandbox, SignedObject};
