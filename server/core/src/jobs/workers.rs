//! A node's workers: they claim jobs as slots become free, keep the leases of what runs, write the ends in
//! batches, and do what is due for jobs that nobody has. What a job does is [`super::work`]'s business.

use super::lease::{self, Claim, Claimed, Ending, Lease, Turn};
use super::signals::{Registered, Signals};
use super::work::{Assignment, Progress, Registry};
use crate::Clock;
use crate::error::Error;
use crate::ids::JobId;
use crate::outbox::Happenings;
use crate::store::EveryTenant;
use futures::FutureExt;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How workers work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSettings {
    /// How many jobs a node works on at a time.
    pub slots: u32,
    /// After how much silence of its worker a job is taken from it. A worker speaks four times as often.
    pub lease: Duration,
    /// How often to look for jobs that no signal told of.
    pub poll: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { slots: 32, lease: Duration::from_secs(120), poll: Duration::from_secs(5) }
    }
}

/// How long to wait after the database did not answer.
const RETRY: Duration = Duration::from_millis(500);
/// How many ends are written in one statement.
const ENDS_MAX: usize = 500;
/// How long work that was told to stop may take for it.
const STOP_TIME: Duration = Duration::from_secs(2);
/// How long the last writes may take.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// The workers of a node. They end when this is dropped, and orderly by [`Self::stop`].
pub struct Workers {
    node: Arc<Node>,
    claiming: CancellationToken,
    tasks: Vec<AbortHandle>,
}

/// What the tasks of a node share.
struct Node {
    every_tenant: EveryTenant,
    registry: Arc<Registry>,
    signals: Signals,
    happenings: Happenings,
    clock: Clock,
    settings: WorkerSettings,
    slots: Arc<Semaphore>,
    held: Mutex<HashMap<Lease, Held>>,
    ends: mpsc::UnboundedSender<End>,
}

/// An attempt whose end is not written yet.
struct Held {
    stop: CancellationToken,
    progress: Arc<Progress>,
    written: u8,
}

/// An attempt that has ended, and what is free once that is written.
struct End {
    lease: Lease,
    ending: Ending,
    _slot: OwnedSemaphorePermit,
}

impl Workers {
    /// Starts the workers of a node.
    pub fn start(
        every_tenant: EveryTenant,
        registry: Arc<Registry>,
        signals: Signals,
        happenings: Happenings,
        clock: Clock,
        settings: WorkerSettings,
    ) -> Self {
        let (ends, ended) = mpsc::unbounded_channel();
        let slots = Arc::new(Semaphore::new(settings.slots as usize));
        let node = Arc::new(Node {
            every_tenant,
            registry,
            signals,
            happenings,
            clock,
            settings,
            slots,
            held: Mutex::default(),
            ends,
        });
        let claiming = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(Arc::clone(&node).claim(claiming.clone())).abort_handle(),
            tokio::spawn(Arc::clone(&node).write_ends(ended)).abort_handle(),
            tokio::spawn(Arc::clone(&node).keep_leases()).abort_handle(),
            tokio::spawn(Arc::clone(&node).tend()).abort_handle(),
        ];
        Self { node, claiming, tasks }
    }

    /// Claims nothing more, lets running jobs end for as long as `limit`, and then gives them back, so that
    /// others can do them at once. Returns how many were given back.
    pub async fn stop(self, limit: Duration) -> usize {
        self.claiming.cancel();
        if self.node.is_idle_within(limit).await {
            return 0;
        }
        self.node.held().values().for_each(|held| held.stop.cancel());
        let unfinished = self.node.held().len();
        if !self.node.is_idle_within(STOP_TIME).await {
            self.node.give_back().await;
        }
        unfinished
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Node {
    fn held(&self) -> MutexGuard<'_, HashMap<Lease, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims jobs for free slots, for ever.
    async fn claim(self: Arc<Self>, stop: CancellationToken) {
        let mut turn = Turn::default();
        loop {
            let Some(slots) = stop.run_until_cancelled(self.free_slots()).await else { return };
            let more = match self.claim_for(slots, &mut turn).await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(cause = %error, "no jobs can be claimed for now");
                    sleep(RETRY).await;
                    true
                }
            };
            if !more {
                self.signals.set_free(self.slots.available_permits());
                let look = timeout(self.settings.poll, self.signals.work());
                if stop.run_until_cancelled(look).await.is_none() {
                    return;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// Every free slot, and at least one.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        self.signals.set_free(self.slots.available_permits());
        let first = Arc::clone(&self.slots).acquire_owned().await;
        let more = std::iter::from_fn(|| Arc::clone(&self.slots).try_acquire_owned().ok());
        first.into_iter().chain(more).collect()
    }

    /// Claims at most one job for each slot and begins with them; says whether there may be more.
    async fn claim_for(
        self: &Arc<Self>,
        slots: Vec<OwnedSemaphorePermit>,
        turn: &mut Turn,
    ) -> Result<bool, Error> {
        let (limit, time, begin) =
            (u32::try_from(slots.len()).unwrap_or(1), self.settings.lease, turn.clone());
        let claim = self.every_tenant.run(move |connection| lease::claim(connection, limit, time, &begin));
        let Claim { jobs, next, more } = claim.await?;
        *turn = next;
        for (claimed, slot) in jobs.into_iter().zip(slots) {
            self.begin(claimed, slot);
        }
        Ok(more)
    }

    /// Begins with a job.
    fn begin(self: &Arc<Self>, claimed: Claimed, slot: OwnedSemaphorePermit) {
        let (stop, progress) = (CancellationToken::new(), Arc::new(Progress::default()));
        let held = Held { stop: stop.clone(), progress: Arc::clone(&progress), written: 0 };
        self.held().insert(claimed.lease.clone(), held);
        let registered = self.signals.register(&claimed.lease, stop.clone());
        let job = Assignment::new(&claimed, self.clock.clone(), stop, progress);
        tokio::spawn(Arc::clone(self).run(claimed, job, registered, slot));
    }

    async fn run(
        self: Arc<Self>,
        claimed: Claimed,
        job: Assignment,
        _registered: Registered,
        slot: OwnedSemaphorePermit,
    ) {
        let done = AssertUnwindSafe(self.registry.run(&claimed, &job)).catch_unwind().await;
        let ending = done.unwrap_or_else(|_| fault());
        // Nobody receives it only when the node has stopped; then the lease ends by itself.
        let _ = self.ends.send(End { lease: claimed.lease, ending, _slot: slot });
    }

    /// Writes the ends of attempts, as many at a time as there are.
    async fn write_ends(self: Arc<Self>, mut ended: mpsc::UnboundedReceiver<End>) {
        let mut ends = Vec::new();
        while ended.recv_many(&mut ends, ENDS_MAX).await > 0 {
            let endings: Vec<(Lease, Ending)> =
                ends.iter().map(|end| (end.lease.clone(), end.ending.clone())).collect();
            self.write_surely(endings).await;
            let mut held = self.held();
            ends.drain(..).for_each(|end| drop(held.remove(&end.lease)));
        }
    }

    /// Writes ends, however long it takes: as long as the leases hold, nobody else can, and afterwards it changes
    /// nothing. One that the database will never take must not keep the others from being written, so that each is
    /// then written by itself, and that one as a failure whose text is ours.
    async fn write_surely(&self, endings: Vec<(Lease, Ending)>) {
        let mut open = vec![endings];
        while let Some(endings) = open.pop() {
            match self.write(endings.clone().into()).await {
                Ok(()) => self.happenings.told(),
                Err(error) if is_transient(&error) => {
                    tracing::warn!(cause = %error, "the ends of jobs cannot be written for now");
                    sleep(RETRY).await;
                    open.push(endings);
                }
                Err(_) if endings.len() > 1 => open.extend(endings.into_iter().map(|end| vec![end])),
                Err(error) => {
                    tracing::error!(cause = %error, "the end of a job is not one that can be written");
                    let failed =
                        |(lease, ending): (Lease, Ending)| (ending != fault()).then(|| (lease, fault()));
                    open.extend(endings.into_iter().next().and_then(failed).map(|end| vec![end]));
                }
            }
        }
    }

    async fn write(&self, endings: Arc<[(Lease, Ending)]>) -> Result<(), Error> {
        let count = endings.len();
        let written =
            self.every_tenant.run(move |connection| Ok::<_, Error>(lease::end(connection, &endings)?));
        let held = written.await?;
        if held.len() < count {
            tracing::info!(lost = count - held.len(), "attempts ended after their leases");
        }
        Ok(())
    }

    /// Keeps the leases of what runs, writes how far it is, and stops what lost its lease.
    async fn keep_leases(self: Arc<Self>) {
        let time = self.settings.lease;
        loop {
            sleep(time / 4).await;
            let began = Instant::now();
            while let Err(error) = self.keep_leases_once().await {
                tracing::warn!(cause = %error, "leases cannot be kept for now");
                if began.elapsed() > time {
                    break;
                }
                sleep(RETRY.min(time / 8)).await;
            }
        }
    }

    async fn keep_leases_once(&self) -> Result<(), Error> {
        let (mut leases, mut reports) = (Vec::new(), Vec::new());
        for (lease, held) in self.held().iter_mut() {
            leases.push(lease.clone());
            let percent = held.progress.percent();
            if percent > held.written {
                held.written = percent;
                reports.push((lease.clone(), percent));
            }
        }
        if leases.is_empty() {
            return Ok(());
        }
        let (asked, time) = (leases.clone(), self.settings.lease);
        let held: HashSet<JobId> = self
            .every_tenant
            .run(move |connection| {
                for (lease, percent) in &reports {
                    lease::progress(connection, lease, *percent)?;
                }
                Ok::<_, Error>(lease::extend(connection, &asked, time)?)
            })
            .await?
            .into_iter()
            .collect();
        for lease in leases.iter().filter(|lease| !held.contains(&lease.id)) {
            if let Some(lost) = self.held().get(lease) {
                lost.stop.cancel();
            }
        }
        Ok(())
    }

    /// Does what is due for jobs that no worker has.
    async fn tend(self: Arc<Self>) {
        let pause = (self.settings.lease / 60).clamp(Duration::from_millis(50), Duration::from_secs(2));
        loop {
            sleep(pause).await;
            let due = self.every_tenant.run(|connection| {
                let reaped = lease::reap(connection)?;
                Ok::<_, Error>((reaped, lease::wake(connection)?))
            });
            match due.await {
                Ok((reaped, woken)) => {
                    if reaped.requeued + reaped.failed > 0 {
                        tracing::warn!(
                            requeued = reaped.requeued,
                            failed = reaped.failed,
                            "leases nobody kept"
                        );
                    }
                    if reaped.failed > 0 {
                        self.happenings.told();
                    }
                    if reaped.requeued + woken > 0 {
                        self.signals.enqueued();
                    }
                }
                Err(error) => tracing::warn!(cause = %error, "nothing can be done about old leases for now"),
            }
        }
    }

    async fn is_idle_within(&self, limit: Duration) -> bool {
        timeout(limit, self.slots.acquire_many(self.settings.slots)).await.is_ok()
    }

    /// Gives back what is held, so that the leases need not run out.
    async fn give_back(&self) {
        let endings: Arc<[_]> = self.held().keys().map(|lease| (lease.clone(), Ending::Released)).collect();
        match timeout(LAST_WRITE, self.write(endings)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(cause = %error, "jobs are not given back; their leases run out"),
            Err(_) => tracing::warn!("jobs are not given back in time; their leases run out"),
        }
    }
}

/// The end of a job that met a defect of this side.
fn fault() -> Ending {
    Ending::Failed { code: "internal".to_owned(), message: "a fault on this side".to_owned() }
}

fn is_transient(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.is_transient())
}
