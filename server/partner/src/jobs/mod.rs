//! Jobs as partners have them. How a job is kept, claimed and ended is the core's business (`argus_core::jobs`);
//! here is what a caller may ask for and is told. What each kind does lives in [`crate::work`].

mod counts;

use crate::connectors::LiveCaller;
use crate::error::Error;
use argus_core::Store;
use argus_core::context::{Actor, Context, Live};
use argus_core::deliveries::signing_secrets;
use argus_core::dialler::Dialler;
use argus_core::ids::JobId;
use argus_core::jobs::intake::Intake;
use argus_core::jobs::signals::Signals;
use argus_core::jobs::view::{self, Filter, JobPosition, Viewer};
use argus_core::jobs::work::Registry;
use argus_core::jobs::{Cancelled, Enqueued, NewJob, Receipt, cancel as cancel_job};
use argus_core::objects::{ObjectKey, Objects};
use argus_core::outbox::Happenings;
use argus_core::page::PageRequest;
use argus_core::pepper::Pepper;
use argus_core::store::Reader;
use argus_openapi::types::common::{PAGE_LIMIT_MAX, Timestamp};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::jobs::results::URL_LIFETIME_SECONDS;
use argus_openapi::types::jobs::{
    Job, JobCreate, JobCreated, JobError, JobList, JobProgress, JobProgressStatus, JobQuery, JobResult,
    JobResultStatus, JobStatus, JobSummary,
};
use counts::Counts;
use std::sync::Arc;
use std::time::Duration;

/// How long the URL of a result works.
const URL_LIFETIME: Duration = Duration::from_secs(URL_LIFETIME_SECONDS as u64);

/// Everything that jobs work with.
pub struct Jobs {
    /// The database, for callers.
    pub store: Store,
    /// Where jobs are accepted.
    intake: Intake,
    /// Where results lie.
    pub objects: Objects,
    /// What wakes workers.
    pub signals: Signals,
    /// The kinds.
    pub registry: Arc<Registry>,
    /// Seals cursors.
    pub pepper: Arc<Pepper>,
    /// Knows which URLs are sent to.
    pub dialler: Dialler,
    /// What wakes couriers.
    pub happenings: Happenings,
    counts: Counts,
}

/// A job that was accepted, or the one that its key was used for.
pub enum Accepted {
    /// It is new.
    New(JobCreated),
    /// The key was used within 24 hours.
    Replayed(JobCreated),
}

/// What became of the wish to cancel a job.
pub enum Cancellation {
    /// It is cancelled now.
    Now,
    /// It was before.
    Before,
}

/// The result of a job, or how far it is.
pub enum Outcome {
    /// Done.
    Ready(JobResult),
    /// Not yet.
    Pending(JobProgress),
}

impl Jobs {
    /// Jobs on this database, with results in this place, of these kinds.
    pub fn new(
        store: Store,
        objects: Objects,
        signals: Signals,
        registry: Arc<Registry>,
        pepper: Arc<Pepper>,
        dialler: Dialler,
        happenings: Happenings,
    ) -> Self {
        let (intake, counts) = (Intake::new(store.clone()), Counts::default());
        Self { store, intake, objects, signals, registry, pepper, dialler, happenings, counts }
    }
}

/// Accepts a job.
pub async fn create(
    jobs: &Jobs,
    context: &Context<Live>,
    request: &JobCreate,
    idempotency_key: Option<&str>,
) -> Result<Accepted, Error> {
    // A job forgets what kind of token it was asked for with.
    LiveCaller::from(context).check()?;
    let secrecy_level = request.secrecy_level.unwrap_or_default();
    if secrecy_level > context.principal.secrecy_level {
        let message = "secrecy_level is above the clearance of the token";
        return Err(Error::refused(ErrorCode::SecrecyLevelExceeded, message));
    }
    if let Some(url) = &request.callback_url {
        check_callback(jobs, context, url.as_str()).await?;
    }
    let kind = request.kind().as_str();
    let job = NewJob {
        kind,
        payload: serde_json::to_string(&request.payload).map_err(Error::fault)?,
        secrecy_level,
        callback_url: request.callback_url.as_ref().map(ToString::to_string),
        idempotency_key: idempotency_key.map(str::to_owned),
        max_attempts: jobs.registry.max_attempts(kind).ok_or_else(|| Error::fault("a kind without work"))?,
    };
    Ok(match jobs.intake.accept(context, job).await? {
        Enqueued::New(receipt) => {
            jobs.signals.enqueued();
            Accepted::New(created(receipt)?)
        }
        Enqueued::Replayed(receipt) => Accepted::Replayed(created(receipt)?),
    })
}

/// Refuses a callback that could not be delivered or signed.
async fn check_callback(jobs: &Jobs, context: &Context<Live>, url: &str) -> Result<(), Error> {
    const NO_APP: &str = "a callback is signed with the secret of an app, and this token is none of an app's";
    const NO_SECRET: &str = "the app has no callback secret yet; `POST /v1/platform/apps/{client_id}/rotate-callback-secret` \
        makes it one";
    let undeliverable = |message| Error::invalid(format!("`callback_url`: {message}"));
    jobs.dialler.check(url).map_err(|failure| undeliverable(failure.message()))?;
    let Actor::App(client_id) = context.principal.actor.clone() else {
        return Err(Error::refused(ErrorCode::Conflict, NO_APP));
    };
    let look =
        move |reader: &mut Reader<'_>| Ok::<_, Error>(signing_secrets::exists(reader, client_id.as_str())?);
    match jobs.store.read_row(context, look).await? {
        true => Ok(()),
        false => Err(Error::refused(ErrorCode::Conflict, NO_SECRET)),
    }
}

fn created(receipt: Receipt) -> Result<JobCreated, Error> {
    Ok(JobCreated {
        id: receipt.id.into(),
        kind: receipt.kind.parse().map_err(Error::fault)?,
        status: JobStatus::Queued,
        created_at: receipt.created_at.into(),
        trace_id: receipt.trace_id,
    })
}

/// A page of the caller's jobs, newest first.
pub async fn list(jobs: &Jobs, context: &Context<Live>, query: &JobQuery) -> Result<JobList, Error> {
    let (pepper, tenant_id) = (&jobs.pepper, context.tenant_id());
    let limit = query.limit().clamp(1, PAGE_LIMIT_MAX);
    let request = PageRequest::<JobPosition>::new(pepper, tenant_id, query.cursor.as_deref(), limit)?;
    let filter = Filter {
        kind: query.kind.map(|kind| kind.as_str()),
        status: query.status,
        secrecy_level: context.principal.secrecy_level,
    };
    let page = request.clone();
    let found = jobs.store.read(context, move |reader| {
        let counted = view::count(reader, &filter, view::COUNTED + 1)?;
        Ok::<_, Error>((view::list(reader, &filter, &page)?, counted))
    });
    let (found, counted) = found.await?;
    let page = request.page(pepper, tenant_id, found, |job| JobPosition::from(job));
    let total_count = jobs.counts.beyond(&jobs.store, context, filter, counted).await?;
    let jobs = page.items.into_iter().map(summary).collect::<Result<_, Error>>()?;
    Ok(JobList { jobs, next_cursor: page.next_cursor, total_count })
}

fn summary(job: view::Job) -> Result<JobSummary, Error> {
    Ok(JobSummary {
        id: job.id.into(),
        kind: job.kind.parse().map_err(Error::fault)?,
        status: job.status,
        progress_pct: job.progress_pct,
        created_at: job.created_at.into(),
        trace_id: job.trace_id,
    })
}

/// One job.
pub async fn view(jobs: &Jobs, context: &Context<Live>, id: &JobId) -> Result<Job, Error> {
    shown(load(jobs, context, id).await?)
}

fn shown(job: view::Job) -> Result<Job, Error> {
    // Between two attempts a job is as good as any that waits; why the last one ended is the operator's business.
    let error = job.error.filter(|_| job.status == JobStatus::Failed);
    Ok(Job {
        id: job.id.into(),
        kind: job.kind.parse().map_err(Error::fault)?,
        status: job.status,
        progress_pct: job.progress_pct,
        created_at: job.created_at.into(),
        updated_at: job.updated_at.into(),
        completed_at: job.completed_at.map(Timestamp::from),
        error: error.map(|(code, message)| JobError { code, message }),
        trace_id: job.trace_id,
    })
}

/// Those of these jobs that the caller may see, in one statement.
pub(crate) async fn view_all(
    store: &Store,
    context: &Context<Live>,
    ids: Vec<JobId>,
) -> Result<Vec<(JobId, Job)>, Error> {
    let viewer = Viewer::of(context);
    let count = ids.len();
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(view::find_all(reader, viewer, &ids)?);
    store
        .read_rows(context, count, look)
        .await?
        .into_iter()
        .map(|job| Ok((job.id.clone(), shown(job)?)))
        .collect()
}

/// The newest jobs that the caller may see.
pub(crate) async fn latest(store: &Store, context: &Context<Live>, first: u32) -> Result<Vec<Job>, Error> {
    let filter = Filter { kind: None, status: None, secrecy_level: context.principal.secrecy_level };
    let page = PageRequest::<JobPosition>::first(first);
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(view::list(reader, &filter, &page)?);
    let found = store.read(context, look).await?.into_iter();
    // A page looks for one more, which says whether there is a next one.
    found.take(first as usize).map(shown).collect()
}

async fn load(jobs: &Jobs, context: &Context<Live>, id: &JobId) -> Result<view::Job, Error> {
    let key = (id.clone(), Viewer::of(context));
    Ok(jobs.store.read_row(context, move |reader| reader.load::<view::Job>(&key)).await?)
}

/// Cancels a job that has not ended.
pub async fn cancel(jobs: &Jobs, context: &Context<Live>, id: &JobId) -> Result<Cancellation, Error> {
    let cancelled = id.clone();
    match jobs.store.write(context, move |tx| cancel_job(tx, &cancelled)).await? {
        Cancelled::Now { ran } => {
            jobs.happenings.told();
            if ran {
                jobs.signals.cancelled(id);
            }
            Ok(Cancellation::Now)
        }
        Cancelled::Before => Ok(Cancellation::Before),
        Cancelled::TooLate(status) => {
            Err(Error::refused(ErrorCode::Conflict, format!("the job has already {status}")))
        }
    }
}

/// Where the result of a job is, or how far the job is.
pub async fn result(jobs: &Jobs, context: &Context<Live>, id: &JobId) -> Result<Outcome, Error> {
    let job = load(jobs, context, id).await?;
    let pending = |status| Ok(Outcome::Pending(JobProgress { status, progress_pct: job.progress_pct }));
    match job.status {
        JobStatus::Queued => pending(JobProgressStatus::Queued),
        JobStatus::Running => pending(JobProgressStatus::Running),
        JobStatus::Failed => Err(Error::refused(ErrorCode::Conflict, "the job failed; there is no result")),
        JobStatus::Cancelled => {
            Err(Error::refused(ErrorCode::Conflict, "the job was cancelled; there is no result"))
        }
        JobStatus::Succeeded => ready(jobs, &job).await.map(Outcome::Ready),
    }
}

async fn ready(jobs: &Jobs, job: &view::Job) -> Result<JobResult, Error> {
    let gone = || Error::refused(ErrorCode::Gone, "the result was kept for 30 days and is gone");
    let key: ObjectKey = job.result_key.as_deref().ok_or_else(gone)?.parse().map_err(Error::fault)?;
    let name = key.name().parse().map_err(Error::fault)?;
    let url = jobs.objects.signed_url(&key, Some(&name), URL_LIFETIME).await.map_err(Error::fault)?;
    Ok(JobResult {
        id: job.id.as_str().to_owned(),
        status: JobResultStatus::Succeeded,
        result_ref: jobs.objects.reference(&key),
        signed_url: url.url.expose().to_owned(),
    })
}
