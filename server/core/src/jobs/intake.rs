//! Accepting jobs together. While one transaction of a tenant is on its way to the disk, the jobs that arrive
//! meanwhile wait, and the next one writes all of them: with many callers, one wait for the disk serves many jobs,
//! and with one caller nobody waits for company. What a job is and how it is written is [`super::enqueue`]'s
//! business.

use super::enqueue::{Enqueued, NewJob, Submission, enqueue_all};
use crate::context::{Context, Live};
use crate::error::{Error, Fault};
use crate::ids::TenantId;
use crate::store::{self, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How many jobs one transaction accepts at most.
const TOGETHER: usize = 64;

/// Where jobs are accepted. Clones share it.
#[derive(Clone)]
pub struct Intake(Arc<Desk>);

struct Desk {
    store: Store,
    /// What waits, by tenant. A tenant stands here for as long as somebody writes for it.
    waiting: Mutex<HashMap<TenantId, Vec<Waiting>>>,
}

/// A job that waits to be written, and where its caller waits.
struct Waiting {
    context: Context<Live>,
    submission: Submission,
    outcome: oneshot::Sender<Result<Enqueued, Error>>,
}

impl Intake {
    /// Accepts jobs into this store.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Desk { store, waiting: Mutex::default() }))
    }

    /// Accepts a job for the caller, unless its key was used within 24 hours. It is committed when this returns.
    pub async fn accept(&self, context: &Context<Live>, job: NewJob) -> Result<Enqueued, Error> {
        let submission = Submission::new(context.invocation(), job)?;
        let (outcome, written) = oneshot::channel();
        let tenant_id = context.tenant_id();
        let waiting = Waiting { context: context.clone(), submission, outcome };
        if self.0.line_up(tenant_id, waiting) {
            tokio::spawn(Arc::clone(&self.0).write_for(tenant_id.clone()));
        }
        written.await.map_err(Fault::new)?
    }
}

impl Desk {
    fn waiting(&self) -> MutexGuard<'_, HashMap<TenantId, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether nobody writes for the tenant yet.
    fn line_up(&self, tenant_id: &TenantId, waiting: Waiting) -> bool {
        let mut all = self.waiting();
        if let Some(others) = all.get_mut(tenant_id) {
            others.push(waiting);
            return false;
        }
        all.insert(tenant_id.clone(), vec![waiting]);
        true
    }

    /// Writes for a tenant until nothing waits.
    async fn write_for(self: Arc<Self>, tenant_id: TenantId) {
        while let Some(batch) = self.next(&tenant_id) {
            self.write(batch).await;
        }
    }

    fn next(&self, tenant_id: &TenantId) -> Option<Vec<Waiting>> {
        let mut all = self.waiting();
        let waiting = all.get_mut(tenant_id)?;
        if waiting.is_empty() {
            all.remove(tenant_id);
            return None;
        }
        let count = waiting.len().min(TOGETHER);
        Some(waiting.drain(..count).collect())
    }

    async fn write(&self, mut batch: Vec<Waiting>) {
        let Some(first) = batch.first() else { return };
        let submissions = batch.iter().map(|each| each.submission.clone()).collect();
        match self.enqueue(&first.context, submissions).await {
            Ok(outcomes) => {
                batch.into_iter().zip(outcomes).for_each(|(each, outcome)| each.tell(Ok(outcome)))
            }
            Err(error) if batch.len() == 1 => {
                if let Some(only) = batch.pop() {
                    only.tell(Err(error));
                }
            }
            Err(Error::Store(error)) if error.is_transient() => {
                let cause = error.to_string();
                batch.into_iter().for_each(|each| each.tell(Err(store::Error::unavailable(&*cause).into())));
            }
            // One that cannot be written must not cost the others anything.
            Err(_) => {
                for each in batch {
                    Box::pin(self.write(vec![each])).await;
                }
            }
        }
    }

    async fn enqueue(
        &self,
        context: &Context<Live>,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Enqueued>, Error> {
        self.store.write(context, move |tx| enqueue_all(tx, &submissions)).await
    }
}

impl Waiting {
    fn tell(self, outcome: Result<Enqueued, Error>) {
        // A caller that has gone does not want to know.
        let _ = self.outcome.send(outcome);
    }
}
