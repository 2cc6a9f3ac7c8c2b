//! What the documents of one request may load. Resolvers reach the database through [`Data`] alone, and here alone the
//! scopes of the token are looked at: whichever way a document takes to an object (a field of the query, an interface, a
//! union, a fragment, another object), it ends here. Tenant and clearance are those of the context, as everywhere.
//!
//! Each request has a [`Data`] of its own, so that no two callers are ever in a batch, and what one has read nobody else
//! finds. Inside of a request, what is asked for at the same time is loaded in one statement.

use super::batch::Batch;
use crate::error::Error;
use crate::profiles::Details;
use crate::{jobs, profiles, webhooks};
use argus_core::Store;
use argus_core::context::{Context, Live};
use argus_core::ids::{JobId, WebhookId};
use argus_openapi::types::jobs::Job;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::webhooks::Webhook;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// Why something was not loaded. Resolvers are told only that it was not.
#[derive(Debug)]
pub(super) enum Failure {
    /// The token lacks the scope.
    Scope(Scope),
    /// The domain did not do it.
    Domain(Error),
}

/// It was not loaded; why is kept with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not loaded")]
pub(super) struct NotLoaded;

/// What the documents of one request may load, and what was loaded of it.
pub(super) struct Data {
    store: Store,
    context: Context<Live>,
    profiles: Batch<String, Arc<Details>>,
    jobs: Batch<JobId, Arc<Job>>,
    webhooks: Batch<WebhookId, Arc<Webhook>>,
    /// The first failure.
    failure: Mutex<Option<Failure>>,
}

impl Data {
    /// Of a request, of which nothing is loaded yet.
    pub(super) fn of(store: &Store, context: &Context<Live>) -> Self {
        let (store, context) = (store.clone(), context.clone());
        let (profiles, jobs, webhooks) = (Batch::default(), Batch::default(), Batch::default());
        Self { store, context, profiles, jobs, webhooks, failure: Mutex::default() }
    }

    /// Drives a document, and what it loads, in turn: a load begins when every field has asked that can ask, and so
    /// knows all of them.
    pub(super) async fn drive<D: Future>(&self, document: D) -> D::Output {
        let mut document = pin!(document);
        loop {
            let as_far_as_it_goes = poll_fn(|context| match document.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if self.is_asked() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            match as_far_as_it_goes.await {
                Some(outcome) => return outcome,
                None => self.load().await,
            }
        }
    }

    fn is_asked(&self) -> bool {
        self.profiles.is_asked() || self.jobs.is_asked() || self.webhooks.is_asked()
    }

    /// Loads what was asked for, in one statement for each kind of object.
    async fn load(&self) {
        let Self { store, context, .. } = self;
        let profiles = self.profiles.load(async |ids: Vec<String>| {
            self.require(Scope::ProfilesRead)?;
            let found = self.loaded(profiles::view_all(store, context, ids).await)?;
            Ok(found.into_iter().map(|found| (found.profile.id.clone(), Arc::new(found))).collect())
        });
        let jobs = self.jobs.load(async |ids| {
            self.require(Scope::JobsRead)?;
            let found = self.loaded(jobs::view_all(store, context, ids).await)?;
            Ok(found.into_iter().map(|(id, job)| (id, Arc::new(job))).collect())
        });
        let webhooks = self.webhooks.load(async |ids| {
            self.require(Scope::WebhooksRead)?;
            let found = self.loaded(webhooks::view_all(store, context, ids).await)?;
            Ok(found.into_iter().map(|(id, webhook)| (id, Arc::new(webhook))).collect())
        });
        futures::join!(profiles, jobs, webhooks);
    }

    fn require(&self, scope: Scope) -> Result<(), NotLoaded> {
        if self.context.principal.holds(scope) { Ok(()) } else { Err(self.fail(Failure::Scope(scope))) }
    }

    fn fail(&self, failure: Failure) -> NotLoaded {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        NotLoaded
    }

    fn loaded<T>(&self, outcome: Result<T, Error>) -> Result<T, NotLoaded> {
        outcome.map_err(|error| self.fail(Failure::Domain(error)))
    }

    /// The first failure, if there was one.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A profile of whatever kind.
    pub(super) async fn profile(&self, id: &str) -> Result<Option<Arc<Details>>, NotLoaded> {
        self.profiles.get(id.to_owned()).await
    }

    /// A job.
    pub(super) async fn job(&self, id: &JobId) -> Result<Option<Arc<Job>>, NotLoaded> {
        self.jobs.get(id.clone()).await
    }

    /// A subscription.
    pub(super) async fn webhook(&self, id: &WebhookId) -> Result<Option<Arc<Webhook>>, NotLoaded> {
        self.webhooks.get(id.clone()).await
    }

    /// The newest jobs.
    pub(super) async fn latest_jobs(&self, first: u32) -> Result<Vec<Arc<Job>>, NotLoaded> {
        self.require(Scope::JobsRead)?;
        let latest = self.loaded(jobs::latest(&self.store, &self.context, first).await)?;
        Ok(latest.into_iter().map(Arc::new).collect())
    }

    /// The newest subscriptions.
    pub(super) async fn latest_webhooks(&self, first: u32) -> Result<Vec<Arc<Webhook>>, NotLoaded> {
        self.require(Scope::WebhooksRead)?;
        let latest = self.loaded(webhooks::latest(&self.store, &self.context, first).await)?;
        Ok(latest.into_iter().map(Arc::new).collect())
    }
}
