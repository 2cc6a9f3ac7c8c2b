//! What the documents of one request may load. Resolvers reach the database through [`Data`] alone, and here alone the
//! scopes of the token are looked at: whichever way a document takes to an object (a field of the query, an interface, a
//! union, a fragment, another object), it ends here. Tenant and clearance are those of the context, as everywhere.
//!
//! Each request has a [`Data`] of its own, so that no two callers are ever in a batch, and what one has read nobody else
//! finds. Inside of a request, what is asked for at the same time is loaded in one statement.

use crate::error::Error;
use crate::profiles::Details;
use crate::{jobs, profiles, webhooks};
use argus_core::Store;
use argus_core::context::{Context, Live};
use argus_core::ids::{JobId, WebhookId};
use argus_openapi::types::jobs::Job;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::webhooks::Webhook;
use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

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

/// What is known of the one request.
struct Call {
    store: Store,
    context: Context<Live>,
    /// The first failure.
    failure: Mutex<Option<Failure>>,
}

/// The loaders of one request.
pub(super) struct Data {
    call: Arc<Call>,
    loader: DataLoader<ById, HashMapCache>,
}

/// What the loaders of one request have begun to load.
pub(super) struct Loads {
    begun: UnboundedReceiver<BoxFuture<'static, ()>>,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Loads {
    /// Drives a document, and what it loads, in one task and in turn: a load begins when every field has asked that can
    /// ask, and so knows all of them. With the document everything ends.
    pub(super) async fn drive<D: Future>(mut self, document: D) -> D::Output {
        let mut document = pin!(document);
        poll_fn(|context| {
            if let Poll::Ready(outcome) = document.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            loop {
                while let Poll::Ready(Some(load)) = self.begun.poll_next_unpin(context) {
                    self.running.push(load);
                }
                // Whoever waits for a load wakes this task.
                if !matches!(self.running.poll_next_unpin(context), Poll::Ready(Some(()))) {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// Loads objects of the caller's tenant by their identifiers.
struct ById(Arc<Call>);

/// Identifier of a profile, whatever it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ProfileId(pub(super) String);

impl Call {
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
}

impl Data {
    /// The loaders of a request, and what they load, which is to be driven beside the document.
    pub(super) fn of(store: &Store, context: &Context<Live>) -> (Self, Loads) {
        let (store, context) = (store.clone(), context.clone());
        let call = Arc::new(Call { store, context, failure: Mutex::default() });
        let (begun, loads) = mpsc::unbounded();
        // The other end goes with the request, and then nobody waits for what it would have loaded.
        let begin = move |load: BoxFuture<'static, ()>| drop(begun.unbounded_send(load));
        let loader = DataLoader::with_cache(ById(Arc::clone(&call)), begin, HashMapCache::default());
        let loads = Loads { begun: loads, running: FuturesUnordered::new() };
        (Self { call, loader: loader.delay(Duration::ZERO) }, loads)
    }

    /// The first failure, if there was one.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.call.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A profile of whatever kind.
    pub(super) async fn profile(&self, id: &str) -> Result<Option<Arc<Details>>, NotLoaded> {
        self.loader.load_one(ProfileId(id.to_owned())).await
    }

    /// A job.
    pub(super) async fn job(&self, id: &JobId) -> Result<Option<Arc<Job>>, NotLoaded> {
        self.loader.load_one(id.clone()).await
    }

    /// A subscription.
    pub(super) async fn webhook(&self, id: &WebhookId) -> Result<Option<Arc<Webhook>>, NotLoaded> {
        self.loader.load_one(id.clone()).await
    }

    /// The newest jobs.
    pub(super) async fn latest_jobs(&self, first: u32) -> Result<Vec<Arc<Job>>, NotLoaded> {
        let Call { store, context, .. } = &*self.call;
        self.call.require(Scope::JobsRead)?;
        let latest = self.call.loaded(jobs::latest(store, context, first).await)?;
        Ok(latest.into_iter().map(Arc::new).collect())
    }

    /// The newest subscriptions.
    pub(super) async fn latest_webhooks(&self, first: u32) -> Result<Vec<Arc<Webhook>>, NotLoaded> {
        let Call { store, context, .. } = &*self.call;
        self.call.require(Scope::WebhooksRead)?;
        let latest = self.call.loaded(webhooks::latest(store, context, first).await)?;
        Ok(latest.into_iter().map(Arc::new).collect())
    }
}

impl Loader<ProfileId> for ById {
    type Value = Arc<Details>;
    type Error = NotLoaded;

    async fn load(&self, ids: &[ProfileId]) -> Result<HashMap<ProfileId, Self::Value>, NotLoaded> {
        let Self(call) = self;
        call.require(Scope::ProfilesRead)?;
        let ids = ids.iter().map(|ProfileId(id)| id.clone()).collect();
        let found = call.loaded(profiles::view_all(&call.store, &call.context, ids).await)?;
        Ok(found.into_iter().map(|found| (ProfileId(found.profile.id.clone()), Arc::new(found))).collect())
    }
}

impl Loader<JobId> for ById {
    type Value = Arc<Job>;
    type Error = NotLoaded;

    async fn load(&self, ids: &[JobId]) -> Result<HashMap<JobId, Self::Value>, NotLoaded> {
        let Self(call) = self;
        call.require(Scope::JobsRead)?;
        let found = call.loaded(jobs::view_all(&call.store, &call.context, ids.to_vec()).await)?;
        Ok(found.into_iter().map(|(id, job)| (id, Arc::new(job))).collect())
    }
}

impl Loader<WebhookId> for ById {
    type Value = Arc<Webhook>;
    type Error = NotLoaded;

    async fn load(&self, ids: &[WebhookId]) -> Result<HashMap<WebhookId, Self::Value>, NotLoaded> {
        let Self(call) = self;
        call.require(Scope::WebhooksRead)?;
        let found = call.loaded(webhooks::view_all(&call.store, &call.context, ids.to_vec()).await)?;
        Ok(found.into_iter().map(|(id, webhook)| (id, Arc::new(webhook))).collect())
    }
}
