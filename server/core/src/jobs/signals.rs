//! How nodes tell each other that there is something to do: jobs, events to tell of, revoked tokens. A signal is a hint that saves
//! waiting: what is true stands in the tables, and workers and couriers look there now and then whatever happens.

use super::lease::Lease;
use crate::ids;
use crate::ids::JobId;
use crate::outbox::Happenings;
use crate::revocations::REVOKED;
use crate::store::{Error, Listener, Notification, Notifications};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Where other nodes are told of new jobs.
const ENQUEUED: &str = "argus_job_enqueued";
/// Where they are told of new events.
const RECORDED: &str = "argus_event_recorded";
/// Where they are told which job was cancelled.
const CANCELLED: &str = "argus_job_cancelled";
/// Where a node finds out whether it hears anything at all.
const PROBE: &str = "argus_probe";
/// How long its own notification may take to arrive.
const PROBE_TIME: Duration = Duration::from_secs(2);
/// At most one notification of new jobs goes out in this time.
const PAUSE: Duration = Duration::from_millis(2);
/// How long to wait before listening again after the connection was lost.
const RETRY: Duration = Duration::from_secs(1);
/// After how long a silence the connection is asked whether it still leads anywhere.
const SILENCE: Duration = Duration::from_secs(5);
/// How many cancelled jobs may wait to be told; more are found by the workers' heartbeats.
const CANCELLED_MAX: usize = 1_000;

/// The signals of one node. Clones share them.
#[derive(Clone, Default)]
pub struct Signals(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Something may be there to be claimed.
    work: Notify,
    /// Something is to be told to other nodes.
    outgoing: Notify,
    /// Whether new jobs are to be told.
    untold: std::sync::atomic::AtomicBool,
    cancelled: Mutex<Vec<JobId>>,
    /// Slots of this node's workers that nobody uses.
    free: AtomicUsize,
    running: Mutex<HashMap<JobId, Vec<(i64, CancellationToken)>>>,
    happenings: Happenings,
    /// Tokens may have been revoked.
    revoked: Notify,
}

impl Signals {
    /// Signals that take what has happened to other nodes, too.
    pub fn beside(happenings: Happenings) -> Self {
        Self(Arc::new(Shared { happenings, ..Shared::default() }))
    }

    /// A job was accepted, and its transaction has been committed.
    pub fn enqueued(&self) {
        self.0.work.notify_one();
        if self.0.free.load(Ordering::Relaxed) == 0 {
            self.0.untold.store(true, Ordering::Relaxed);
            self.0.outgoing.notify_one();
        }
    }

    /// A running job was cancelled, and the transaction has been committed.
    pub fn cancelled(&self, id: &JobId) {
        if self.stop(id) {
            return;
        }
        let mut cancelled = self.0.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        if cancelled.len() < CANCELLED_MAX {
            cancelled.push(id.clone());
            self.0.outgoing.notify_one();
        }
    }

    /// Waits until tokens may have been revoked on some node.
    pub async fn revoked(&self) {
        self.0.revoked.notified().await;
    }

    /// Waits until there may be work.
    pub(super) async fn work(&self) {
        self.0.work.notified().await;
    }

    /// Says that there may be work.
    pub(super) fn look(&self) {
        self.0.work.notify_one();
    }

    pub(super) fn set_free(&self, slots: usize) {
        self.0.free.store(slots, Ordering::Relaxed);
    }

    /// Lets an attempt be stopped from outside, for as long as the returned guard lives.
    pub(super) fn register(&self, lease: &Lease, stop: CancellationToken) -> Registered {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.entry(lease.id.clone()).or_default().push((lease.token, stop));
        Registered { signals: self.clone(), lease: lease.clone() }
    }

    /// Stops what this node does for a job; says whether it did anything.
    fn stop(&self, id: &JobId) -> bool {
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        let attempts = running.get(id);
        attempts.into_iter().flatten().for_each(|(_, stop)| stop.cancel());
        attempts.is_some()
    }

    /// Exchanges signals with the other nodes of the database, for as long as this is polled.
    pub async fn exchange(&self, listener: &Listener) {
        loop {
            if let Err(error) = self.listen(listener).await {
                tracing::warn!(cause = %error, "no signals of other nodes for now; workers look by themselves");
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn listen(&self, listener: &Listener) -> Result<(), Error> {
        let mut notifications = listener.listen(&[ENQUEUED, RECORDED, REVOKED, CANCELLED, PROBE]).await?;
        // What was told while nobody listened is lost.
        self.look();
        self.0.happenings.heard();
        self.0.revoked.notify_one();
        let own = argus_wire::hex::encode(&ids::random::<16>().map_err(Error::unavailable)?);
        listener.notify_from_elsewhere(PROBE, &own).await?;
        match tokio::time::timeout(PROBE_TIME, self.hear(&mut notifications, &own)).await {
            Ok(heard) => heard?,
            Err(_) => tracing::warn!(
                "notifications do not arrive on this connection; a pooler that gives each transaction another session \
                 swallows them. What other nodes have accepted is found by looking for it"
            ),
        }
        self.pass_on(&mut notifications).await
    }

    /// Waits until the node's own notification has arrived, which came as those of others do.
    async fn hear(&self, notifications: &mut Notifications, own: &str) -> Result<(), Error> {
        loop {
            let notification = notifications.next().await?;
            if notification.channel == PROBE && notification.payload == own {
                return Ok(());
            }
            self.heed(&notification);
        }
    }

    fn heed(&self, notification: &Notification) {
        match &*notification.channel {
            ENQUEUED => self.look(),
            RECORDED => self.0.happenings.heard(),
            REVOKED => self.0.revoked.notify_one(),
            CANCELLED => {
                if let Ok(id) = notification.payload.parse() {
                    self.stop(&id);
                }
            }
            _ => {}
        }
    }

    async fn pass_on(&self, notifications: &mut Notifications) -> Result<(), Error> {
        loop {
            while let Some(notification) = notifications.take().await? {
                self.heed(&notification);
            }
            tokio::select! {
                arrived = notifications.wait() => arrived?,
                () = self.0.outgoing.notified() => self.tell(notifications).await?,
                () = self.0.happenings.outgoing() => self.tell(notifications).await?,
                () = tokio::time::sleep(SILENCE) => notifications.check().await?,
            }
        }
    }

    async fn tell(&self, notifications: &mut Notifications) -> Result<(), Error> {
        if self.0.untold.swap(false, Ordering::Relaxed) {
            notifications.notify(ENQUEUED, "").await?;
        }
        if self.0.happenings.take_untold() {
            notifications.notify(RECORDED, "").await?;
        }
        let cancelled = std::mem::take(&mut *self.0.cancelled.lock().unwrap_or_else(PoisonError::into_inner));
        for id in cancelled {
            notifications.notify(CANCELLED, id.as_str()).await?;
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// An attempt that can be stopped from outside.
pub(super) struct Registered {
    signals: Signals,
    lease: Lease,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut running = self.signals.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempts) = running.get_mut(&self.lease.id) {
            attempts.retain(|(token, _)| *token != self.lease.token);
            if attempts.is_empty() {
                running.remove(&self.lease.id);
            }
        }
    }
}
