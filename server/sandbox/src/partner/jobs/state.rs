//! How far a job is: queued at its creation, running with rising progress until 30 seconds later, and
//! ended then.

use crate::partner::ids::{JobId, Outcome};
use argus_openapi::types::jobs::JobStatus;

/// Seconds from a job's creation to its end.
pub(crate) const DURATION: i64 = 30;

/// Seconds for which a result is kept after the end.
pub(crate) const RETENTION: i64 = 30 * 24 * 3600;

/// Seconds since the job's creation, for an operation that reads it.
pub(crate) fn age_when_read(id: &JobId, clock: Option<u32>) -> i64 {
    match clock {
        Some(clock) => age(id, i64::from(clock)),
        None if id.items == 0 => age(id, 0),
        None => DURATION,
    }
}

/// A clock before the creation finds the job as it was created.
pub(crate) fn age(id: &JobId, now: i64) -> i64 {
    (now - id.created).max(0)
}

/// How far a job is.
pub(crate) struct State {
    pub(crate) status: JobStatus,
    pub(crate) progress_pct: u8,
    /// In seconds.
    pub(crate) age: i64,
}

impl State {
    pub(crate) fn of(id: &JobId, age: i64) -> Self {
        let (status, most) = match id.outcome {
            Outcome::Succeeded => (JobStatus::Succeeded, 100),
            Outcome::Failed => (JobStatus::Failed, 70),
            Outcome::Cancelled => (JobStatus::Cancelled, 40),
        };
        let status = match age {
            0 => JobStatus::Queued,
            1..DURATION => JobStatus::Running,
            _ => status,
        };
        Self { status, progress_pct: (age.min(DURATION) * most / DURATION) as u8, age }
    }

    pub(crate) fn ended(&self) -> bool {
        !matches!(self.status, JobStatus::Queued | JobStatus::Running)
    }
}
