//! What a node does for deliveries, for as long as it runs: it turns events into deliveries, claims what is due, sends
//! it, writes in batches how that ended, and does what is due for deliveries that nobody has.

use super::attempt::{Attempts, Made};
use super::fan_out::{self, fan_out};
use super::lanes::{Lanes, Ticket};
use super::lease::{self, Claim, Claimed, Ending, Health, Lease, Open, Room, Turn};
use crate::Clock;
use crate::error::Error;
use crate::objects::Objects;
use crate::outbox::Happenings;
use crate::store::EveryTenant;
use futures::FutureExt;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How couriers work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CourierSettings {
    /// How many deliveries a node has claimed at a time.
    pub slots: u32,
    /// For how long a claim counts. It must outlast an attempt.
    pub lease: Duration,
    /// How often to look for what no signal told of.
    pub poll: Duration,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self { slots: 512, lease: Duration::from_secs(30), poll: Duration::from_millis(500) }
    }
}

/// How long to wait after the database did not answer.
const RETRY: Duration = Duration::from_millis(500);
/// Which part of a lease a delivery may stand in line for; an attempt must fit into the rest.
const LINE_PART: u32 = 4;
/// How many ends are written in one statement.
const ENDS_MAX: usize = 500;
/// How long the last writes may take.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// The couriers of a node. They end when this is dropped, and orderly by [`Self::stop`].
pub struct Couriers {
    node: Arc<Node>,
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
    /// Deliveries may be there that no claim has seen.
    unseen: AtomicBool,
    /// It may be worth while to claim.
    due: Notify,
    /// Nothing more is claimed, and nothing is begun with.
    stopping: CancellationToken,
    slots: Arc<Semaphore>,
    lanes: Lanes,
    held: Mutex<HashSet<Lease>>,
    ends: mpsc::UnboundedSender<End>,
}

/// Where claims look next.
#[derive(Default)]
struct Search {
    turn: Turn,
    /// When all receivers were looked at, not only those of which more was known to be there.
    looked_at: Option<Instant>,
    /// Whether the last claim was for those alone.
    was_direct: bool,
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
            unseen: AtomicBool::new(true),
            due: Notify::new(),
            stopping: CancellationToken::new(),
            slots: Arc::new(Semaphore::new(settings.slots as usize)),
            lanes: Lanes::default(),
            held: Mutex::default(),
            ends,
        });
        let tasks = vec![
            tokio::spawn(Arc::clone(&node).fan_out()).abort_handle(),
            tokio::spawn(Arc::clone(&node).claim()).abort_handle(),
            tokio::spawn(Arc::clone(&node).write_ends(ended)).abort_handle(),
            tokio::spawn(Arc::clone(&node).tend()).abort_handle(),
        ];
        Self { node, tasks }
    }

    /// Claims nothing more, lets attempts end for as long as `limit`, and then gives back what is left, so that others
    /// can attempt it at once. Returns how many were given back.
    pub async fn stop(self, limit: Duration) -> usize {
        self.node.stopping.cancel();
        self.node.happenings.set_free(0);
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
                    self.look();
                    if fanned.events == fan_out::BATCH {
                        continue;
                    }
                }
                Err(error) => {
                    tracing::warn!(cause = %error, "events wait to be told");
                    sleep(RETRY).await;
                }
            }
            // A hint may be lost, and nobody tells of what other processes do with a file.
            let _ = timeout(self.settings.poll, self.happenings.next()).await;
        }
    }

    /// There may be deliveries that no claim has seen.
    fn look(&self) {
        self.unseen.store(true, Ordering::Relaxed);
        self.due.notify_one();
    }

    /// Claims deliveries for free slots, for ever.
    async fn claim(self: Arc<Self>) {
        let mut search = Search::default();
        loop {
            let Some(slots) = self.stopping.run_until_cancelled(self.free_slots()).await else { return };
            if let Err(error) = self.claim_for(slots, &mut search).await {
                tracing::warn!(cause = %error, "no deliveries can be claimed for now");
                sleep(RETRY).await;
                self.look();
            }
            self.happenings.set_free(self.slots.available_permits());
            let look = timeout(self.settings.poll, self.due.notified());
            match self.stopping.run_until_cancelled(look).await {
                None => return,
                Some(Ok(())) => {}
                // Nobody tells of deliveries that another node has given back.
                Some(Err(_)) => self.unseen.store(true, Ordering::Relaxed),
            }
        }
    }

    /// Every free slot, and at least one.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        self.happenings.set_free(self.slots.available_permits());
        let first = Arc::clone(&self.slots).acquire_owned().await;
        let more = std::iter::from_fn(|| Arc::clone(&self.slots).try_acquire_owned().ok());
        first.into_iter().chain(more).collect()
    }

    /// Claims at most one delivery for each slot and begins with them: for receivers of which more is known to be
    /// there, or, in turn, for whoever has any.
    async fn claim_for(
        self: &Arc<Self>,
        slots: Vec<OwnedSemaphorePermit>,
        search: &mut Search,
    ) -> Result<(), Error> {
        let open = self.lanes.open();
        let is_old = search.looked_at.is_none_or(|at| at.elapsed() >= self.settings.poll);
        let is_to_look = is_old || self.unseen.load(Ordering::Relaxed);
        let claim = if is_to_look && (search.was_direct || open.is_empty()) {
            self.look_around(slots.len(), search).await?
        } else if open.is_empty() {
            return Ok(());
        } else {
            search.was_direct = true;
            self.claim_more(slots.len(), open).await?
        };
        for (claimed, slot) in claim.deliveries.into_iter().zip(slots) {
            let ticket = self.lanes.enter(&claimed.lane);
            self.held().insert(claimed.lease.clone());
            tokio::spawn(Arc::clone(self).attempt(claimed, ticket, slot));
        }
        // What has left a lane while the claim was on its way could not know that there is more for it.
        if self.unseen.load(Ordering::Relaxed) || !self.lanes.open().is_empty() {
            self.due.notify_one();
        }
        Ok(())
    }

    /// Looks for deliveries of whomever.
    async fn look_around(&self, slots: usize, search: &mut Search) -> Result<Claim, Error> {
        self.unseen.store(false, Ordering::Relaxed);
        let (lanes, each) = self.lanes.free();
        let room = Room { limit: u32::try_from(slots).unwrap_or(1), each, lanes };
        let (time, begin) = (self.settings.lease, search.turn.clone());
        let claim = self.every_tenant.run(move |connection| lease::claim(connection, &room, time, &begin));
        let mut claim = claim.await?;
        *search = Search { turn: claim.next.clone(), looked_at: Some(Instant::now()), was_direct: false };
        self.lanes.note(std::mem::take(&mut claim.seen));
        self.unseen.fetch_or(claim.more && !claim.deliveries.is_empty(), Ordering::Relaxed);
        Ok(claim)
    }

    /// Claims for receivers of which more is known to be there.
    async fn claim_more(&self, slots: usize, open: Vec<Open>) -> Result<Claim, Error> {
        let (limit, time) = (u32::try_from(slots).unwrap_or(1), self.settings.lease);
        let claim =
            self.every_tenant.run(move |connection| lease::claim_from(connection, &open, limit, time));
        let mut claim = claim.await?;
        self.lanes.note(std::mem::take(&mut claim.seen));
        Ok(claim)
    }

    async fn attempt(self: Arc<Self>, claimed: Claimed, mut ticket: Ticket, slot: OwnedSemaphorePermit) {
        let admitted = ticket.admitted(self.settings.lease / LINE_PART);
        let made = if self.stopping.run_until_cancelled(admitted).await == Some(true) {
            AssertUnwindSafe(self.attempts.make(&claimed)).catch_unwind().await
        } else {
            Ok(Made::without(Ending::Released))
        };
        // After a defect the lease runs out by itself, which keeps it from being met again at once.
        let Ok(Made { ending, health, verdict }) = made else {
            self.held().remove(&claimed.lease);
            return;
        };
        if ticket.leave(verdict) {
            self.due.notify_one();
        }
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
                        self.look();
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
