//! What a node does for deliveries, for as long as it runs: it turns events into deliveries, claims what is due, sends
//! it, writes in batches how that ended, and does what is due for deliveries that nobody has.

use super::attempt::Attempts;
use super::fan_out::{self, fan_out};
use super::lanes::Lanes;
use super::lease::{self, Claim, Claimed, Ending, Health, Lease, Room, Turn};
use crate::Clock;
use crate::error::Error;
use crate::objects::Objects;
use crate::outbox::Happenings;
use crate::store::EveryTenant;
use futures::FutureExt;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How couriers work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CourierSettings {
    /// How many attempts a node makes at a time.
    pub slots: u32,
    /// For how long a claim counts. It must outlast an attempt.
    pub lease: Duration,
    /// How often to look for what no signal told of.
    pub poll: Duration,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self { slots: 256, lease: Duration::from_secs(30), poll: Duration::from_millis(500) }
    }
}

/// How long to wait after the database did not answer.
const RETRY: Duration = Duration::from_millis(500);
/// How many ends are written in one statement.
const ENDS_MAX: usize = 500;
/// How long the last writes may take.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// The couriers of a node. They end when this is dropped, and orderly by [`Self::stop`].
pub struct Couriers {
    node: Arc<Node>,
    claiming: CancellationToken,
    tasks: Vec<AbortHandle>,
}

/// What the tasks of a node share.
struct Node {
    every_tenant: EveryTenant,
    objects: Objects,
    attempts: Attempts,
    clock: Clock,
    settings: CourierSettings,
    happenings: Happenings,
    due: Notify,
    slots: Arc<Semaphore>,
    lanes: Lanes,
    held: Mutex<HashSet<Lease>>,
    ends: mpsc::UnboundedSender<End>,
}

/// An attempt that has ended, and what is free once that is written.
struct End {
    lease: Lease,
    ending: Ending,
    webhook: Option<(String, Health)>,
    _slot: OwnedSemaphorePermit,
}

impl Couriers {
    /// Starts the couriers of a node.
    pub fn start(
        every_tenant: EveryTenant,
        objects: Objects,
        attempts: Attempts,
        happenings: Happenings,
        settings: CourierSettings,
    ) -> Self {
        let (ends, ended) = mpsc::unbounded_channel();
        let node = Arc::new(Node {
            every_tenant,
            objects,
            clock: attempts.clock.clone(),
            attempts,
            settings,
            happenings,
            due: Notify::new(),
            slots: Arc::new(Semaphore::new(settings.slots as usize)),
            lanes: Lanes::default(),
            held: Mutex::default(),
            ends,
        });
        let claiming = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(Arc::clone(&node).fan_out()).abort_handle(),
            tokio::spawn(Arc::clone(&node).claim(claiming.clone())).abort_handle(),
            tokio::spawn(Arc::clone(&node).write_ends(ended)).abort_handle(),
            tokio::spawn(Arc::clone(&node).tend()).abort_handle(),
        ];
        Self { node, claiming, tasks }
    }

    /// Claims nothing more, lets attempts end for as long as `limit`, and then gives back what is left, so that others
    /// can attempt it at once. Returns how many were given back.
    pub async fn stop(self, limit: Duration) -> usize {
        self.claiming.cancel();
        let all = self.node.settings.slots;
        if timeout(limit, self.node.slots.acquire_many(all)).await.is_ok() {
            return 0;
        }
        self.node.give_back().await
    }
}

impl Drop for Couriers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Node {
    fn held(&self) -> std::sync::MutexGuard<'_, HashSet<Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns events into deliveries, for ever.
    async fn fan_out(self: Arc<Self>) {
        loop {
            let (clock, objects) = (self.clock.clone(), self.objects.clone());
            let fanned =
                self.every_tenant.transaction(move |connection| fan_out(connection, &clock, &objects));
            match fanned.await {
                Ok(fanned) => {
                    // A delivery that was queued without an event is told of in the same way.
                    self.due.notify_one();
                    if fanned.events == fan_out::BATCH {
                        continue;
                    }
                }
                Err(error) => {
                    tracing::warn!(cause = %error, "events wait to be told");
                    sleep(RETRY).await;
                }
            }
            // Nobody tells of what other nodes do.
            let _ = timeout(self.settings.poll, self.happenings.next()).await;
        }
    }

    /// Claims deliveries for free slots, for ever.
    async fn claim(self: Arc<Self>, stop: CancellationToken) {
        let mut turn = Turn::default();
        loop {
            let Some(slots) = stop.run_until_cancelled(self.free_slots()).await else { return };
            let more = match self.claim_for(slots, &mut turn).await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(cause = %error, "no deliveries can be claimed for now");
                    sleep(RETRY).await;
                    true
                }
            };
            let look = timeout(self.settings.poll, self.due.notified());
            if !more && stop.run_until_cancelled(look).await.is_none() || stop.is_cancelled() {
                return;
            }
        }
    }

    /// Every free slot, and at least one.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let first = Arc::clone(&self.slots).acquire_owned().await;
        let more = std::iter::from_fn(|| Arc::clone(&self.slots).try_acquire_owned().ok());
        first.into_iter().chain(more).collect()
    }

    /// Claims at most one delivery for each slot and begins with them; says whether there may be more.
    async fn claim_for(
        self: &Arc<Self>,
        slots: Vec<OwnedSemaphorePermit>,
        turn: &mut Turn,
    ) -> Result<bool, Error> {
        let (lanes, each) = self.lanes.free();
        let room = Room { limit: u32::try_from(slots.len()).unwrap_or(1), each, lanes };
        let (time, begin) = (self.settings.lease, turn.clone());
        let claim =
            self.every_tenant.run(move |connection| lease::claim(connection, &room, time, &begin)).await?;
        let Claim { deliveries, next, more } = claim;
        *turn = next;
        let more = more && !deliveries.is_empty();
        for (claimed, slot) in deliveries.into_iter().zip(slots) {
            self.lanes.begin(&claimed.lane);
            self.held().insert(claimed.lease.clone());
            tokio::spawn(Arc::clone(self).attempt(claimed, slot));
        }
        Ok(more)
    }

    async fn attempt(self: Arc<Self>, claimed: Claimed, slot: OwnedSemaphorePermit) {
        let made = AssertUnwindSafe(self.attempts.make(&claimed)).catch_unwind().await;
        let (ending, health, verdict) = match made {
            Ok(made) => (made.ending, made.health, made.verdict),
            // The lease runs out by itself, and keeps a defect from being met again at once.
            Err(_) => {
                self.lanes.end(&claimed.lane, super::lanes::Verdict::Unknown);
                self.held().remove(&claimed.lease);
                return;
            }
        };
        self.lanes.end(&claimed.lane, verdict);
        // There is room in the lane again.
        self.due.notify_one();
        let webhook = claimed.webhook_id.zip(health);
        // Nobody receives it only when the node has stopped; then the lease ends by itself.
        let _ = self.ends.send(End { lease: claimed.lease, ending, webhook, _slot: slot });
    }

    /// Writes the ends of attempts, as many at a time as there are.
    async fn write_ends(self: Arc<Self>, mut ended: mpsc::UnboundedReceiver<End>) {
        let mut ends = Vec::new();
        while ended.recv_many(&mut ends, ENDS_MAX).await > 0 {
            let endings: Arc<[(Lease, Ending)]> =
                ends.iter().map(|end| (end.lease.clone(), end.ending.clone())).collect();
            // A subscription needs to be told once in a batch, and the last word counts.
            let health: HashMap<String, Health> = ends.iter().filter_map(|end| end.webhook.clone()).collect();
            while let Err(error) = self.write(Arc::clone(&endings), health.clone()).await {
                tracing::warn!(cause = %error, "the ends of deliveries cannot be written for now");
                if !matches!(&error, Error::Store(error) if error.is_transient()) {
                    // Their leases run out, and they are attempted again.
                    break;
                }
                sleep(RETRY).await;
            }
            let mut held = self.held();
            for end in ends.drain(..) {
                held.remove(&end.lease);
            }
        }
    }

    async fn write(
        &self,
        endings: Arc<[(Lease, Ending)]>,
        health: HashMap<String, Health>,
    ) -> Result<(), Error> {
        let count = endings.len();
        let written = self.every_tenant.run(move |connection| {
            let held = lease::settle(connection, &endings)?;
            for (webhook_id, health) in &health {
                lease::note_health(connection, webhook_id, *health)?;
            }
            Ok::<_, Error>(held.len())
        });
        let held = written.await?;
        if held < count {
            tracing::info!(lost = count - held, "attempts ended after their leases");
        }
        Ok(())
    }

    /// Does what is due for deliveries that nobody has.
    async fn tend(self: Arc<Self>) {
        let pause = (self.settings.lease / 60).clamp(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            sleep(pause).await;
            let due = self.every_tenant.run(|connection| {
                let reaped = lease::reap(connection)?;
                Ok::<_, Error>((reaped, lease::wake(connection)?))
            });
            match due.await {
                Ok((reaped, woken)) => {
                    if reaped > 0 {
                        tracing::warn!(reaped, "deliveries whose attempt ended without a word");
                    }
                    if reaped + woken > 0 {
                        self.due.notify_one();
                    }
                }
                Err(error) => {
                    tracing::warn!(cause = %error, "nothing can be done about old attempts for now")
                }
            }
        }
    }

    /// Gives back what is held, so that the leases need not run out; says how much.
    async fn give_back(&self) -> usize {
        let endings: Arc<[_]> = self.held().iter().map(|lease| (lease.clone(), Ending::Released)).collect();
        let count = endings.len();
        match timeout(LAST_WRITE, self.write(endings, HashMap::new())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(cause = %error, "deliveries are not given back; their leases run out")
            }
            Err(_) => tracing::warn!("deliveries are not given back in time; their leases run out"),
        }
        count
    }
}
