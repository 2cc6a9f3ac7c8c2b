//! Writing for many callers together. While one transaction of a tenant is on its way to the disk, what arrives
//! meanwhile waits, and the next one writes all of it: with many callers, one wait for the disk serves many, and with
//! one caller nobody waits for company. What is written is decided by whoever submits it.

use super::error::{Error, Failure};
use super::{Store, Tx};
use crate::context::{Context, Live};
use crate::ids::TenantId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How much one transaction writes at most.
const MOST: usize = 64;

/// Something that callers of a tenant want written, and that can be written for several of them at once. The call that
/// a [`Tx`] names is then that of one of them alone: what is to be known of a caller, the submission carries itself.
pub trait Submission: Clone + Send + Sync + 'static {
    /// What became of it.
    type Outcome: Send + 'static;
    /// Why it was not written.
    type Error: Failure + Send + 'static;

    /// Writes all of them; the outcomes are in their order.
    fn write_all(tx: &mut Tx<'_>, submissions: &[Self]) -> Result<Vec<Self::Outcome>, Self::Error>;
}

/// Where submissions are handed in. Clones share it.
pub struct Together<S: Submission>(Arc<Desk<S>>);

struct Desk<S: Submission> {
    store: Store,
    /// What waits, by tenant. A tenant stands here for as long as somebody writes for it.
    waiting: Mutex<HashMap<TenantId, Vec<Waiting<S>>>>,
}

/// A submission, and where its caller waits.
struct Waiting<S: Submission> {
    context: Context<Live>,
    submission: S,
    outcome: oneshot::Sender<Result<S::Outcome, S::Error>>,
}

impl<S: Submission> Clone for Together<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Submission> std::fmt::Debug for Together<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

impl<S: Submission> Together<S> {
    /// Writes into this store.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Desk { store, waiting: Mutex::default() }))
    }

    /// Writes it. It is committed when this returns.
    pub async fn write(&self, context: &Context<Live>, submission: S) -> Result<S::Outcome, S::Error> {
        let (outcome, written) = oneshot::channel();
        let tenant_id = context.tenant_id();
        let waiting = Waiting { context: context.clone(), submission, outcome };
        if self.0.line_up(tenant_id, waiting) {
            tokio::spawn(Arc::clone(&self.0).write_for(tenant_id.clone()));
        }
        written.await.map_err(Error::permanent)?
    }
}

impl<S: Submission> Desk<S> {
    fn waiting(&self) -> MutexGuard<'_, HashMap<TenantId, Vec<Waiting<S>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether nobody writes for the tenant yet.
    fn line_up(&self, tenant_id: &TenantId, waiting: Waiting<S>) -> bool {
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

    fn next(&self, tenant_id: &TenantId) -> Option<Vec<Waiting<S>>> {
        let mut all = self.waiting();
        let waiting = all.get_mut(tenant_id)?;
        if waiting.is_empty() {
            all.remove(tenant_id);
            return None;
        }
        let count = waiting.len().min(MOST);
        Some(waiting.drain(..count).collect())
    }

    async fn write(&self, mut batch: Vec<Waiting<S>>) {
        let Some(first) = batch.first() else { return };
        let submissions: Vec<S> = batch.iter().map(|each| each.submission.clone()).collect();
        // Each counts, whichever of them the transaction names.
        let calls = batch.iter().filter_map(|each| each.context.metered_call()).cloned().collect();
        let write_all = move |tx: &mut Tx<'_>| S::write_all(tx, &submissions);
        let written = self.store.write_for(&first.context, calls, write_all).await;
        match written {
            Ok(outcomes) => {
                batch.into_iter().zip(outcomes).for_each(|(each, outcome)| each.tell(Ok(outcome)))
            }
            Err(error) if batch.len() == 1 => {
                if let Some(only) = batch.pop() {
                    only.tell(Err(error));
                }
            }
            Err(error) if error.store_error().is_some_and(Error::is_transient) => {
                let cause = error.store_error().map(ToString::to_string).unwrap_or_default();
                batch.into_iter().for_each(|each| each.tell(Err(Error::unavailable(&*cause).into())));
            }
            // One that cannot be written must not cost the others anything.
            Err(_) => {
                for each in batch {
                    Box::pin(self.write(vec![each])).await;
                }
            }
        }
    }
}

impl<S: Submission> Waiting<S> {
    fn tell(self, outcome: Result<S::Outcome, S::Error>) {
        // A caller that has gone does not want to know.
        let _ = self.outcome.send(outcome);
    }
}
