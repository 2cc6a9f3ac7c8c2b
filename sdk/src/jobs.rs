//! Waiting for a job, and streaming jobs.

use crate::client::ArgusClient;
use crate::error::Error;
use crate::generated::types::{Job, JobKind, JobStatus, JobSummary};
use crate::pace::Pace;
use crate::pages::{ItemStream, Page, items};
use std::num::NonZeroU64;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How [`ArgusClient::wait_for_job`] waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    /// Pause before the second look, and the shortest one. Each further pause is half as long again while the
    /// job stands still; while it gets on, half of what the rest takes at that rate.
    pub first_pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
    /// When to give up, counted from the call.
    pub deadline: Duration,
}

impl Default for WaitOptions {
    /// Half a second at first, ten seconds at most, ten minutes in all.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(10),
            deadline: Duration::from_secs(600),
        }
    }
}

/// Why a job was not waited for to its end.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The deadline passed first. The job goes on.
    #[error("the job had not ended at the deadline")]
    Deadline {
        /// The job as it was last seen.
        last_seen: Option<Box<Job>>,
    },
    /// The job could not be looked at, and waiting would not have helped.
    #[error("the job could not be looked at: {error}")]
    Call {
        /// What went wrong.
        #[source]
        error: Error,
        /// The job as it was last seen.
        last_seen: Option<Box<Job>>,
    },
}

impl WaitError {
    /// The job as it was last seen.
    pub fn last_seen(&self) -> Option<&Job> {
        match self {
            Self::Deadline { last_seen } | Self::Call { last_seen, .. } => last_seen.as_deref(),
        }
    }
}

/// Which jobs to stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only jobs of this kind.
    pub kind: Option<JobKind>,
    /// Only jobs in this state.
    pub status: Option<JobStatus>,
    /// Jobs to fetch at a time, 200 at most; the server's default when absent.
    pub page_size: Option<NonZeroU64>,
}

impl ArgusClient {
    /// Looks at a job until it has succeeded, failed or been cancelled, and returns it then. A brief
    /// outage does not end the wait; the deadline does.
    ///
    /// ```no_run
    /// use argus_sdk::{WaitOptions, types::JobStatus};
    ///
    /// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let job = client.wait_for_job("01JX0000000000000000000000", WaitOptions::default()).await?;
    /// assert_eq!(job.status, JobStatus::Succeeded);
    /// # Ok(()) }
    /// ```
    pub async fn wait_for_job(&self, id: &str, options: WaitOptions) -> Result<Job, WaitError> {
        self.watch_job(id, options, |_| {}).await
    }

    /// Waits as [`ArgusClient::wait_for_job`] does, and shows the job each time that it is looked at, its end
    /// included.
    ///
    /// ```no_run
    /// use argus_sdk::WaitOptions;
    ///
    /// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), argus_sdk::WaitError> {
    /// let show = |job: &argus_sdk::types::Job| println!("{} {} %", job.status, job.progress_pct);
    /// let job = client.watch_job("01JX0000000000000000000000", WaitOptions::default(), show).await?;
    /// # Ok(()) }
    /// ```
    pub async fn watch_job(
        &self,
        id: &str,
        options: WaitOptions,
        mut on_look: impl FnMut(&Job),
    ) -> Result<Job, WaitError> {
        let deadline = Instant::now() + options.deadline;
        let mut pace = Pace::new(options.first_pause, options.max_pause);
        let mut last_seen: Option<Box<Job>> = None;
        loop {
            let delay = match timeout_at(deadline, self.job_view().id(id).send()).await {
                Err(_) => return Err(WaitError::Deadline { last_seen }),
                Ok(Ok(job)) => {
                    let job = job.into_inner();
                    on_look(&job);
                    if matches!(job.status, JobStatus::Succeeded | JobStatus::Failed | JobStatus::Cancelled) {
                        return Ok(job);
                    }
                    let delay = pace.after(&job, Instant::now());
                    last_seen = Some(Box::new(job));
                    delay
                }
                Ok(Err(error)) => {
                    let error = Error::from(error);
                    if !error.is_transient() {
                        return Err(WaitError::Call { error, last_seen });
                    }
                    pace.blind().max(error.retry_after().unwrap_or_default())
                }
            };
            if Instant::now() + delay > deadline {
                return Err(WaitError::Deadline { last_seen });
            }
            sleep(delay).await;
        }
    }

    /// The tenant's jobs, newest first, over all pages.
    ///
    /// ```no_run
    /// use argus_sdk::{JobFilter, types::JobStatus};
    /// use futures::TryStreamExt;
    ///
    /// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), argus_sdk::Error> {
    /// let failed = JobFilter { status: Some(JobStatus::Failed), ..JobFilter::default() };
    /// let mut jobs = client.stream_jobs(failed);
    /// while let Some(job) = jobs.try_next().await? {
    ///     println!("{}", job.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream_jobs(&self, filter: JobFilter) -> ItemStream<JobSummary> {
        let client = self.clone();
        items(move |cursor| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let mut call = client.job_list();
                if let Some(kind) = filter.kind {
                    call = call.kind(kind);
                }
                if let Some(status) = filter.status {
                    call = call.status(status);
                }
                if let Some(size) = filter.page_size {
                    call = call.limit(size);
                }
                if let Some(cursor) = cursor {
                    call = call.cursor(cursor);
                }
                let page = call.send().await?.into_inner();
                Ok(Page { items: page.jobs, next_cursor: page.next_cursor })
            }
        })
    }
}
