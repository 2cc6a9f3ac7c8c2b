//! Cancelling. The state is written at once, whoever works on the job: what its worker writes later is
//! refused, since the worker's lease has ended with it.

use super::lease;
use super::view::{Job, Viewer};
use crate::error::Error;
use crate::ids::JobId;
use crate::store::Tx;
use argus_openapi::types::jobs::JobStatus;

/// What became of the wish to cancel a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It is cancelled now. `ran` says whether a worker was on it.
    Now {
        /// Whether a worker was on it.
        ran: bool,
    },
    /// It was cancelled before.
    Before,
    /// It had ended.
    TooLate(JobStatus),
}

/// Cancels a job that the caller of the transaction may see.
pub fn cancel(tx: &mut Tx<'_>, id: &JobId) -> Result<Cancelled, Error> {
    loop {
        let viewer = Viewer::of(tx.invocation());
        let job = tx.load::<Job>(&(id.clone(), viewer))?;
        match job.status {
            JobStatus::Queued | JobStatus::Running => {}
            JobStatus::Cancelled => return Ok(Cancelled::Before),
            ended @ (JobStatus::Succeeded | JobStatus::Failed) => return Ok(Cancelled::TooLate(ended)),
        }
        let (connection, tenant_id) = tx.parts();
        // Otherwise it ended between the two statements.
        if lease::cancel(connection, tenant_id, id)? {
            return Ok(Cancelled::Now { ran: job.status == JobStatus::Running });
        }
    }
}
