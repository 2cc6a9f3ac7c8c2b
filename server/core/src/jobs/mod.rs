//! Jobs: work that is done after its request was answered, by any node, once.
//!
//! - [`enqueue`], [`cancel`]: what callers write, in their transaction
//! - [`intake`]: jobs that arrive together, accepted together
//! - [`view`]: what callers read
//! - [`lease`]: claims, heartbeats, ends, and what is done about leases that nobody keeps
//! - [`work`]: what a kind of job does, written by a product
//! - [`workers`]: a node's workers
//! - [`operate`]: what an operator may do
//! - [`retention`]: what is forgotten, and when
//! - [`signals`]: how nodes wake each other
//!
//! What the kinds are does not live here, nor does what a caller is shown.

mod cancel;
mod enqueue;
pub mod intake;
pub mod lease;
pub mod operate;
pub mod retention;
pub mod signals;
pub mod view;
pub mod work;
pub mod workers;

pub use cancel::{Cancelled, cancel};
pub use enqueue::{Enqueued, NewJob, Receipt, enqueue};

use argus_wire::trace_context::TRACE_ID;
use chrono::{DateTime, Utc};

/// How long an idempotency key is good for, in microseconds: 24 hours.
pub const IDEMPOTENCY_TIME: i64 = 24 * 3600 * SECOND;

/// A second in the unit of the tables.
pub(crate) const SECOND: i64 = 1_000_000;

/// The moment that a table has as microseconds since 1970.
pub(crate) fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The trace id of a stored `traceparent`, in 32 hexadecimal digits.
pub(crate) fn trace_id(traceparent: &str) -> String {
    traceparent.get(TRACE_ID).unwrap_or_default().to_owned()
}
