//! The audit trail: append-only, written in the transaction of the change that it records, and linked to a hash chain
//! behind its commit. There is one chain for each tenant and environment.
//!
//! Reading the last hash and then inserting would fork a chain as soon as two do it at once, and to serialise all writers
//! of a tenant would hold up their business. So an entry is written without a place, and one writer per chain links it
//! ([`linker`]): whoever holds the lock of the chain's head.
//!
//! - [`entry`]: what an entry is, and how it is appended
//! - [`calls`]: entries of the sandbox, which are counted first and written behind the replies
//! - [`record`]: an entry with its place, what of it is hashed, and how it is shown to others
//! - [`chain`]: heads and checkpoints, and the key that signs them
//! - [`linker`], [`verify`], [`prune`], [`export`]: what is done with chains

pub mod calls;
pub mod chain;
mod entry;
pub mod export;
pub mod linker;
pub mod prune;
mod record;
pub mod verify;

pub use chain::{Chain, Environment, Key};
pub use entry::{AuditEvent, append, append_times, list};
pub use record::Record;
