//! How often live operations were called, for each tenant, app, operation and day in UTC, and the quotas of that.
//!
//! A call is one that was let through: its token was good, permitted the operation, and neither a limit nor a quota
//! stood against it. It counts once, in one of two ways. The first transaction that it commits counts it, so that
//! what is written and what is counted are never apart, also when the node dies. Whatever has not written by the time
//! its answer is made counts in this node's memory, unless the answer is a fault of this side (500 and above), and
//! memory is written in batches ([`Meter::flush`]). A node that dies loses what it has counted since the last batch
//! and no more; a batch that is sent twice counts once, because it has a number. The day of a read is that of its batch.
//!
//! Nothing of the sandbox comes here: only a [`MeteredCall`] counts, and only a live [`crate::Context`] takes one.
//!
//! Numbers are appended ([`rows`]) and added up later ([`fold`]): a row that every call of a tenant changed would
//! make its writers wait for each other on PostgreSQL.

mod call;
mod meter;
mod quota;
mod report;
mod rows;

pub use call::MeteredCall;
pub use meter::Meter;
pub use quota::{Exceeded, NoQuota, Period, Quota, QuotaLeft, QuotaState, Whose, set_quota};
pub use report::{By, Line, report};
pub use rows::{Batch, Increment, fold, forget_nodes, write_batch};

pub(crate) use rows::append_calls;
