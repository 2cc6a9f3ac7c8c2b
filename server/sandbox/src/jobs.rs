//! Jobs. Nothing is remembered: an id says what the job is, and the clock says how far it is.
//!
//! A job is queued at its creation, running with rising progress until 30 seconds later, and ended
//! then. Without `Prefer: argus-clock` a job is created and cancelled at the start of time and is
//! viewed when it has just ended, so that the plain requests meet the plain replies. The list
//! shows jobs that were created in the minutes before the start, some of which failed or were
//! cancelled; each can be viewed and agrees with its entry under the same clock. Without one they
//! are seen at the start, where the newest of them are still queued or running.

use crate::clock::at;
use crate::cursor;
use crate::digest::{Digest, Frame};
use crate::ids::{JobId, Outcome, SealedJobId};
use crate::sandbox::{Answer, Context, Reply, not_found};
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::types::jobs::{
    Job, JobCreate, JobCreated, JobError, JobKind, JobList, JobProgress, JobQuery, JobResult, JobStatus,
    JobSummary,
};
use argus_wire::hex;
use serde_json::{Map, Value};

/// Seconds from a job's creation to its end.
const DURATION: i64 = 30;

/// Seconds for which a result is kept after the end.
const RETENTION: i64 = 30 * 24 * 3600;

/// Length of the synthetic list.
const LISTED: usize = 120;

/// How many jobs of the synthetic list are queued at the start of time.
const LISTED_QUEUED: usize = 4;

/// Seconds between two later jobs of the synthetic list.
const LISTED_EVERY: i64 = 4;

pub(crate) fn create(context: &Context<'_>, body: &JobCreate) -> Answer {
    if body.secrecy_level.unwrap_or_default() > context.caller.secrecy_level {
        return Err(Error {
            error_code: ErrorCode::SecrecyLevelExceeded,
            message: "secrecy_level is above the clearance of the token".to_owned(),
        });
    }
    let created = i64::from(context.clock.unwrap_or(0));
    let id = JobId::new(created, body.kind, Outcome::Succeeded, item_count(&body.payload), &context.digest);
    let SealedJobId { text, seal } = id.seal();
    let trace = seal.trace();
    let job = JobCreated {
        id: text,
        kind: body.kind,
        status: JobStatus::Queued,
        created_at: id.created_at(),
        trace_id: trace.trace_hex(),
    };
    Ok(Reply { trace: Some(trace), ..Reply::json(201, &job) })
}

pub(crate) fn list(context: &Context<'_>, query: &JobQuery) -> Answer {
    let jobs: Vec<JobSummary> = context
        .sandbox
        .jobs
        .iter()
        .map(|job| job.summary(age_when_read(&job.id, context.clock)))
        .filter(|job| query.kind.is_none_or(|kind| kind == job.kind))
        .filter(|job| query.status.is_none_or(|status| status == job.status))
        .collect();
    let total_count = jobs.len() as u64;
    let name = format!("jobs {:?} {:?}", query.kind, query.status);
    let page = cursor::page(jobs, &name, query.cursor.as_deref(), query.limit())?;
    Ok(Reply::json(200, &JobList { jobs: page.items, next_cursor: page.next_cursor, total_count }))
}

pub(crate) fn view(context: &Context<'_>, id: &str) -> Answer {
    let (job, seal) = JobId::read(id).ok_or_else(|| not_found("job"))?;
    let state = State::of(&job, age_when_read(&job, context.clock));
    let ended = state.ended();
    Ok(Reply::json(
        200,
        &Job {
            id: id.to_owned(),
            kind: job.kind,
            status: state.status,
            progress_pct: state.progress_pct,
            created_at: job.created_at(),
            updated_at: at(job.created + state.age.min(DURATION)),
            completed_at: ended.then(|| at(job.created + DURATION)),
            error: (state.status == JobStatus::Failed).then(|| JobError {
                code: "source_unavailable".to_owned(),
                message: "a source did not answer; the job was given up after three attempts".to_owned(),
            }),
            trace_id: seal.trace().trace_hex(),
        },
    ))
}

pub(crate) fn cancel(context: &Context<'_>, id: &str) -> Answer {
    let (job, _) = JobId::read(id).ok_or_else(|| not_found("job"))?;
    let state = State::of(&job, age(&job, i64::from(context.clock.unwrap_or(0))));
    match state.status {
        JobStatus::Queued | JobStatus::Running => Ok(Reply::empty(204)),
        JobStatus::Cancelled => Ok(Reply::empty(200)),
        JobStatus::Succeeded => Err(conflict("the job has already succeeded")),
        JobStatus::Failed => Err(conflict("the job has already failed")),
    }
}

pub(crate) fn result(context: &Context<'_>, id: &str) -> Answer {
    let (job, seal) = JobId::read(id).ok_or_else(|| not_found("job"))?;
    let mut state = State::of(&job, age_when_read(&job, context.clock));
    match context.forced {
        Some(202) if state.ended() => state = State::of(&job, DURATION / 2),
        Some(200) => state = State { status: JobStatus::Succeeded, progress_pct: 100, age: DURATION },
        _ => {}
    }
    match state.status {
        JobStatus::Queued | JobStatus::Running => {
            Ok(Reply::json(202, &JobProgress { status: state.status, progress_pct: state.progress_pct }))
        }
        JobStatus::Failed => Err(conflict("the job failed; there is no result")),
        JobStatus::Cancelled => Err(conflict("the job was cancelled; there is no result")),
        JobStatus::Succeeded if state.age > DURATION + RETENTION => Err(Error {
            error_code: ErrorCode::Gone,
            message: "the result was kept for 30 days and is gone".to_owned(),
        }),
        JobStatus::Succeeded => Ok(Reply::json(
            200,
            &JobResult {
                id: id.to_owned(),
                result_ref: result_ref(id),
                signed_url: signed_url(id, &job, &seal),
            },
        )),
    }
}

/// The reference of a job's stored result.
pub(crate) fn result_ref(id: &str) -> String {
    format!("r2://argus-jobs/results/{id}.json")
}

/// Looks like a presigned URL and leads nowhere.
fn signed_url(id: &str, job: &JobId, seal: &Digest) -> String {
    let mut frame = Frame::new("signed url");
    frame.part(&seal.0);
    let signature = hex::encode(&frame.finish().0);
    let expires = (job.created_at().timestamp()) + DURATION + 900;
    format!(
        "https://sandbox-api.knogin.com/synthetic/argus-jobs/results/{id}.json?items={}&expires={expires}&signature={signature}",
        job.items.max(1)
    )
}

fn conflict(message: &str) -> Error {
    Error { error_code: ErrorCode::Conflict, message: message.to_owned() }
}

/// Items of a payload: the length of its longest list, at least one.
fn item_count(payload: &Map<String, Value>) -> usize {
    payload.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0).max(1)
}

/// A job of the synthetic list.
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
        let created = -(index.saturating_sub(LISTED_QUEUED - 1) as i64) * LISTED_EVERY;
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

    fn summary(&self, age: i64) -> JobSummary {
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

/// Seconds since the job's creation, for an operation that reads it.
fn age_when_read(id: &JobId, clock: Option<u32>) -> i64 {
    match clock {
        Some(clock) => age(id, i64::from(clock)),
        None if id.items == 0 => age(id, 0),
        None => DURATION,
    }
}

/// A clock before the creation finds the job as it was created.
fn age(id: &JobId, now: i64) -> i64 {
    (now - id.created).max(0)
}

/// How far a job is.
struct State {
    status: JobStatus,
    progress_pct: u8,
    age: i64,
}

impl State {
    fn of(id: &JobId, age: i64) -> Self {
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

    fn ended(&self) -> bool {
        !matches!(self.status, JobStatus::Queued | JobStatus::Running)
    }
}
