//! Jobs. Nothing is remembered: an id says what the job is, and the clock says how far it is.
//!
//! Without `Prefer: argus-clock` a job is created and cancelled at the start of time and is viewed when
//! it has just ended, so that the plain requests meet the plain replies. The jobs of the list lie in
//! [`listed`]; how far a job is lives in [`state`], what its payload is to the sandbox in [`payload`], the file that
//! it makes in [`result_file`].

pub(crate) mod listed;
mod payload;
pub(crate) mod result_file;
mod state;

use crate::engine::clock::at;
use crate::engine::cursor;
use crate::engine::digest::Frame;
use crate::engine::errors::{conflict, not_found};
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::ids::{JobId, Outcome, SealedJobId};
use crate::partner::jobs::state::{DURATION, RETENTION, State, age, age_when_read};
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::types::jobs as types;
use argus_openapi::types::jobs::{
    Job, JobCreated, JobError, JobProgress, JobProgressStatus, JobResultStatus, JobStatus, JobSummary,
};

/// `job_create`
pub struct JobCreate<'a> {
    /// Value of `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// The body.
    pub body: &'a types::JobCreate,
}

impl Mock for JobCreate<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::JobCreate;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        // Without memory there is nothing to replay: the same request has the same reply anyway.
        let Self { idempotency_key: _, body } = self;
        let types::JobCreate { payload, callback_url, secrecy_level } = body;
        frame.scalar(callback_url);
        frame.scalar(&body.kind());
        payload::add(frame, payload);
        frame.scalar(secrecy_level);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        if self.body.secrecy_level.unwrap_or_default() > context.caller.secrecy_level {
            return Err(Error {
                error_code: ErrorCode::SecrecyLevelExceeded,
                message: "secrecy_level is above the clearance of the token".to_owned(),
            });
        }
        let created = i64::from(context.clock.unwrap_or(0));
        let id = JobId::new(
            created,
            self.body.kind(),
            Outcome::Succeeded,
            payload::size(&self.body.payload),
            &context.digest,
        );
        let SealedJobId { text, seal } = id.seal();
        let trace = seal.trace();
        let job = JobCreated {
            id: text,
            kind: self.body.kind(),
            status: JobStatus::Queued,
            created_at: id.created_at(),
            trace_id: trace.trace_hex(),
        };
        Ok(Reply { trace: Some(trace), ..Reply::json(201, &job) })
    }
}

/// `job_list`
pub struct JobList<'a> {
    /// Filters and page.
    pub query: &'a types::JobQuery,
}

impl Mock for JobList<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::JobList;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { query } = self;
        let types::JobQuery { kind, status, limit, cursor } = query;
        frame.scalar(cursor);
        frame.scalar(kind);
        frame.scalar(limit);
        frame.scalar(status);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let jobs: Vec<JobSummary> = context
            .data
            .jobs
            .iter()
            .map(|job| job.summary(age_when_read(&job.id, context.clock)))
            .filter(|job| self.query.kind.is_none_or(|kind| kind == job.kind))
            .filter(|job| self.query.status.is_none_or(|status| status == job.status))
            .collect();
        let total_count = jobs.len() as u64;
        let name = format!("jobs {:?} {:?}", self.query.kind, self.query.status);
        let page = cursor::page(jobs, &name, self.query.cursor.as_deref(), self.query.limit())?;
        Ok(Reply::json(200, &types::JobList { jobs: page.items, next_cursor: page.next_cursor, total_count }))
    }
}

/// `job_view`
pub struct JobView<'a> {
    /// The job, as in the path.
    pub id: &'a str,
}

impl Mock for JobView<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::JobView;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let (job, seal) = JobId::read(self.id).ok_or_else(|| not_found("job"))?;
        let state = State::of(&job, age_when_read(&job, context.clock));
        let ended = state.ended();
        Ok(Reply::json(
            200,
            &Job {
                id: self.id.to_owned(),
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
}

/// `job_cancel`
pub struct JobCancel<'a> {
    /// The job, as in the path.
    pub id: &'a str,
}

impl Mock for JobCancel<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::JobCancel;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let (job, _) = JobId::read(self.id).ok_or_else(|| not_found("job"))?;
        let state = State::of(&job, age(&job, i64::from(context.clock.unwrap_or(0))));
        match state.status {
            JobStatus::Queued | JobStatus::Running => Ok(Reply::empty(204)),
            JobStatus::Cancelled => Ok(Reply::empty(200)),
            JobStatus::Succeeded => Err(conflict("the job has already succeeded")),
            JobStatus::Failed => Err(conflict("the job has already failed")),
        }
    }
}

/// `job_result`
pub struct JobResult<'a> {
    /// The job, as in the path.
    pub id: &'a str,
}

impl Mock for JobResult<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::JobResult;
    const SHOWS_TIME: bool = true;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let (job, _) = JobId::read(self.id).ok_or_else(|| not_found("job"))?;
        let file = job.file_name(self.id);
        let mut state = State::of(&job, age_when_read(&job, context.clock));
        match context.forced {
            Some(202) if state.ended() => state = State::of(&job, DURATION / 2),
            Some(200) => state = State { status: JobStatus::Succeeded, progress_pct: 100, age: DURATION },
            _ => {}
        }
        match state.status {
            JobStatus::Queued => Ok(progress(JobProgressStatus::Queued, &state)),
            JobStatus::Running => Ok(progress(JobProgressStatus::Running, &state)),
            JobStatus::Failed => Err(conflict("the job failed; there is no result")),
            JobStatus::Cancelled => Err(conflict("the job was cancelled; there is no result")),
            JobStatus::Succeeded if state.age > DURATION + RETENTION => Err(Error {
                error_code: ErrorCode::Gone,
                message: "the result was kept for 30 days and is gone".to_owned(),
            }),
            JobStatus::Succeeded => Ok(Reply::json(
                200,
                &types::JobResult {
                    id: self.id.to_owned(),
                    status: JobResultStatus::Succeeded,
                    result_ref: result_ref(&file),
                    signed_url: context.data.result_url(&file, job.created + state.age),
                },
            )),
        }
    }
}

fn progress(status: JobProgressStatus, state: &State) -> Reply {
    Reply::json(202, &JobProgress { status, progress_pct: state.progress_pct })
}

/// The reference of a job's stored result, by the name of its file.
pub(crate) fn result_ref(file: &str) -> String {
    format!("r2://argus-jobs/results/{file}")
}
