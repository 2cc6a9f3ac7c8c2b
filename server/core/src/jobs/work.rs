//! What a kind of job does. A product writes one [`Work`] for each of its kinds and puts them into a
//! [`Registry`]; who runs them, and when, is [`super::workers`]' business.

use super::lease::{Claimed, Ending, StoredResult};
use crate::Clock;
use crate::context::{Context, Invocation, Live};
use crate::ids::JobId;
use argus_wire::trace_context::Traceparent;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A kind of job.
pub trait Work: Send + Sync + 'static {
    /// Its name, as it is stored.
    const KIND: &'static str;

    /// Its input.
    type Payload: DeserializeOwned + Send;

    /// How often a job of this kind may be tried.
    const MAX_ATTEMPTS: u16 = 5;

    /// Does the work of one job. It may be called again for the same job, after an attempt that ended without a
    /// word, so that doing it twice must be as good as doing it once.
    fn run(
        &self,
        job: &Assignment,
        payload: Self::Payload,
    ) -> impl Future<Output = Result<Option<StoredResult>, Unfinished>> + Send;
}

/// Why a job was not done.
#[derive(Debug)]
pub enum Unfinished {
    /// It will not succeed: a stable reason, and what went wrong.
    Failed {
        /// Stable reason.
        code: &'static str,
        /// What went wrong, in English.
        message: String,
    },
    /// It may succeed later.
    Transient {
        /// Stable reason.
        code: &'static str,
        /// What went wrong, in English.
        message: String,
    },
    /// It was told to stop.
    Stopped,
}

impl Unfinished {
    /// It will not succeed.
    pub fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self::Failed { code, message: message.into() }
    }

    /// It may succeed later.
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self::Transient { code, message: message.into() }
    }
}

impl From<crate::Error> for Unfinished {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Store(error) if error.is_transient() => {
                Self::transient("store_unavailable", "the database was out of reach")
            }
            crate::Error::Invalid(message) => Self::failed("invalid_request", message),
            crate::Error::NotFound(resource) => Self::failed("not_found", format!("no such {resource}")),
            error => {
                tracing::error!(cause = %error, "a job met a fault");
                Self::failed("internal", "a fault on this side")
            }
        }
    }
}

/// What a piece of work is given.
pub struct Assignment {
    /// The job.
    pub id: JobId,
    /// Which attempt it is, from 1. Objects of different attempts need different names.
    pub attempt: u32,
    /// Whom it is done for. The clearance is that of the job.
    pub context: Context<Live>,
    /// Cancelled when nobody wants the result any more: stop.
    pub stop: CancellationToken,
    progress: Arc<Progress>,
}

/// How far an attempt is, as its worker will write it.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    /// What was reported last.
    pub(super) fn percent(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Assignment {
    pub(super) fn new(
        claimed: &Claimed,
        clock: Clock,
        stop: CancellationToken,
        progress: Arc<Progress>,
    ) -> Self {
        let invocation = Invocation {
            principal: Arc::new(claimed.principal.clone()),
            address: None,
            trace: claimed.trace.clone(),
            clock,
            operation: None,
        };
        let context = Context::new(invocation, Live);
        Self { id: claimed.lease.id.clone(), attempt: claimed.attempt, context, stop, progress }
    }

    /// Reports that `done` of `all` is done. Cheap: it is written now and then.
    pub fn report(&self, done: u64, all: u64) {
        let percent = done.saturating_mul(100).checked_div(all).unwrap_or(0).min(99);
        self.progress.0.fetch_max(u8::try_from(percent).unwrap_or(99), Ordering::Relaxed);
    }

    /// An error when nobody wants the result any more. Long work asks between two steps.
    pub fn go_on(&self) -> Result<(), Unfinished> {
        if self.stop.is_cancelled() { Err(Unfinished::Stopped) } else { Ok(()) }
    }

    /// The trace in which the job was accepted.
    pub fn traceparent(&self) -> Option<Traceparent> {
        self.context.trace.as_ref().map(|trace| trace.parent)
    }
}

/// A kind of job whose payload is still text.
trait Untyped: Send + Sync {
    fn run<'a>(&'a self, job: &'a Assignment, payload: &'a str) -> BoxFuture<'a, Outcome>;
    fn max_attempts(&self) -> u16;
}

type Outcome = Result<Option<StoredResult>, Unfinished>;

impl<W: Work> Untyped for W {
    fn run<'a>(&'a self, job: &'a Assignment, payload: &'a str) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let payload = serde_json::from_str(payload).map_err(|error| {
                // It was checked when the job was accepted, perhaps by another version.
                Unfinished::failed("invalid_payload", format!("the payload does not fit the kind: {error}"))
            })?;
            Work::run(self, job, payload).await
        })
    }

    fn max_attempts(&self) -> u16 {
        W::MAX_ATTEMPTS
    }
}

/// The kinds of jobs that a node can work on.
#[derive(Default)]
pub struct Registry(HashMap<&'static str, Box<dyn Untyped>>);

impl Registry {
    /// With another kind.
    #[must_use]
    pub fn with<W: Work>(mut self, work: W) -> Self {
        self.0.insert(W::KIND, Box::new(work));
        self
    }

    /// How often a job of this kind may be tried.
    pub fn max_attempts(&self, kind: &str) -> Option<u16> {
        self.0.get(kind).map(|work| work.max_attempts())
    }

    /// Does what a claimed job asks for, and says how the attempt ended.
    pub(super) async fn run(&self, claimed: &Claimed, job: &Assignment) -> Ending {
        let Some(work) = self.0.get(&*claimed.kind) else {
            return Ending::Failed {
                code: "unknown_kind".to_owned(),
                message: format!("no worker knows the kind `{}`", claimed.kind),
            };
        };
        match work.run(job, &claimed.payload).await {
            Ok(result) => Ending::Succeeded(result),
            Err(Unfinished::Stopped) => Ending::Released,
            Err(Unfinished::Failed { code, message }) => Ending::Failed { code: code.to_owned(), message },
            Err(Unfinished::Transient { code, message }) if claimed.attempt >= claimed.max_attempts => {
                let message = format!("{message}; given up after {} attempts", claimed.attempt);
                Ending::Failed { code: code.to_owned(), message }
            }
            Err(Unfinished::Transient { code, message }) => {
                Ending::Again { after: backoff(claimed.attempt), code: code.to_owned(), message }
            }
        }
    }
}

/// The first pause before another attempt; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How long to wait after this attempt: exponential, less a random part of up to a half, so that jobs that
/// failed together are not tried together.
fn backoff(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << (attempt.saturating_sub(1)).min(16)).min(LONGEST_PAUSE);
    let [byte] = crate::ids::random().unwrap_or([0]);
    longest - longest.mul_f32(f32::from(byte) / f32::from(u8::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_than_the_one_before_up_to_a_bound() {
        for (attempt, longest) in [(1, 2), (2, 4), (3, 8), (9, 512), (10, 600), (u32::MAX, 600)] {
            let longest = Duration::from_secs(longest);
            for _ in 0..50 {
                let pause = backoff(attempt);
                assert!(pause <= longest && pause >= longest / 2, "{attempt}: {pause:?}");
            }
        }
    }
}
