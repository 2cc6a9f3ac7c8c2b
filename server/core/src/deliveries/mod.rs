//! Deliveries: what has happened, told to the receivers of partners, at least once.
//!
//! - [`webhooks`]: who wants to be told of what
//! - [`signing_secrets`]: what signs deliveries
//! - [`fan_out`]: from events to the deliveries of those who want them
//! - [`lease`]: who attempts a delivery, and how an attempt ended
//! - [`attempt`]: one attempt: headers, signatures, and what came back
//! - [`backoff`]: when the next attempt is
//! - [`lanes`]: what receivers are spared, so that one that hangs delays no other
//! - [`couriers`]: what a node does for deliveries, for as long as it runs
//! - [`view`], [`queue`]: what callers may read and ask for
//! - [`operate`]: what an operator may do
//! - [`retention`]: what is forgotten, and when
//!
//! What has happened is in [`crate::outbox`]. How requests are sent to addresses that partners name is [`crate::dialler`]'s business; what a caller is shown is a
//! product's.

pub mod attempt;
pub mod backoff;
pub mod couriers;
pub mod fan_out;
pub mod lanes;
pub mod lease;
pub mod operate;
pub mod queue;
pub mod retention;
pub mod signing_secrets;
pub mod view;
pub mod webhooks;

use crate::jobs::SECOND;

/// For how long a delivery is attempted, in microseconds: a day.
pub const PATIENCE: i64 = 24 * 3600 * SECOND;
/// After how long a time without a success a subscription is disabled, in microseconds: five days.
pub const FAILING_TIME: i64 = 5 * 24 * 3600 * SECOND;
/// For how long deliveries are kept, in microseconds: 30 days.
pub const RETENTION: i64 = 30 * 24 * 3600 * SECOND;
