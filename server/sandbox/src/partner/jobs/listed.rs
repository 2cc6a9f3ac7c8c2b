//! The synthetic list: jobs that were created in the minutes before the start of time, some of which
//! failed or were cancelled. Each can be viewed and agrees with its entry under the same clock; without
//! one they are seen at the start, where the newest of them are still queued or running.

use crate::engine::digest::Frame;
use crate::partner::ids::{JobId, Outcome, SealedJobId};
use crate::partner::jobs::state::{DURATION, State, age};
use argus_openapi::types::jobs::{JobKind, JobSummary};

/// Length of the list.
const LISTED: usize = 120;

/// How many jobs of the list are queued at the start of time.
const QUEUED: usize = 4;

/// Seconds between two later jobs of the list.
const EVERY: i64 = 4;

/// A job of the synthetic list.
#[derive(Clone)]
pub(crate) struct ListedJob {
    pub(crate) id: JobId,
    pub(crate) text: String,
    pub(crate) trace_id: String,
}

/// The jobs of the list, newest first.
pub(crate) fn listed() -> Vec<ListedJob> {
    let job = |index: usize| {
        let mut frame = Frame::new("listed job");
        frame.part(&(index as u64).to_be_bytes());
        let digest = frame.finish();
        let outcome = match index % 12 {
            4 => Outcome::Failed,
            9 => Outcome::Cancelled,
            _ => Outcome::Succeeded,
        };
        // In turn, so that every kind is among the queued and the running ones; shifted every dozen, so
        // that no kind always fails.
        let kind = JobKind::ALL[(index + index / 12) % JobKind::ALL.len()];
        let created = -(index.saturating_sub(QUEUED - 1) as i64) * EVERY;
        let id = JobId::new(created, kind, outcome, 0, &digest);
        let SealedJobId { text, seal } = id.seal();
        ListedJob { id, text, trace_id: seal.trace().trace_hex() }
    };
    (0..LISTED).map(job).collect()
}

impl ListedJob {
    /// Whether the job had ended by the start of time.
    pub(crate) fn had_ended(&self) -> bool {
        age(&self.id, 0) >= DURATION
    }

    /// The job's entry at this age, in seconds.
    pub(crate) fn summary(&self, age: i64) -> JobSummary {
        let state = State::of(&self.id, age);
        JobSummary {
            id: self.text.clone(),
            kind: self.id.kind,
            status: state.status,
            progress_pct: state.progress_pct,
            created_at: self.id.created_at(),
            trace_id: self.trace_id.clone(),
        }
    }
}
