//! Workers, with kinds of the tests' own: woken at once, stopped when nobody wants the result, and orderly at
//! the end.

use super::{Desk, Listening, job};
use argus_core::ids::JobId;
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::signals::Signals;
use argus_core::jobs::work::{Assignment, Registry, Unfinished, Work};
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::jobs::{NewJob, cancel};
use argus_core::outbox::Happenings;
use argus_core::store::Tx;
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, on_both_engines, run_on_postgres};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

on_both_engines! {
    a_signal_wakes_a_worker_at_once
    what_no_signal_told_of_is_found_all_the_same
    a_job_is_tried_again_after_a_passing_failure_and_given_up_after_the_last
    a_panic_costs_its_own_job_alone
    an_end_that_the_database_does_not_take_costs_its_own_job_alone
    a_cancelled_job_stops_its_work
    no_more_jobs_run_than_there_are_slots
    a_worker_that_is_told_to_stop_lets_its_jobs_end
    jobs_that_do_not_end_in_time_are_given_back
    a_kind_that_nobody_knows_fails
    a_long_job_keeps_its_lease_and_tells_how_far_it_is
}

/// Does nothing.
pub(super) struct Nothing;

impl Work for Nothing {
    const KIND: &'static str = "test.nothing";
    type Payload = serde_json::Value;

    async fn run(&self, _: &Assignment, _: Self::Payload) -> Result<Option<StoredResult>, Unfinished> {
        Ok(None)
    }
}

/// Waits until it may end, or is told to stop.
struct Waiting {
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    may_end: Arc<Semaphore>,
}

impl Work for Waiting {
    const KIND: &'static str = "test.waiting";
    type Payload = serde_json::Value;

    async fn run(&self, job: &Assignment, _: Self::Payload) -> Result<Option<StoredResult>, Unfinished> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        job.report(1, 4);
        let ended = job.stop.run_until_cancelled(self.may_end.acquire()).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        match ended {
            Some(permit) => permit.unwrap().forget(),
            None => return Err(Unfinished::Stopped),
        }
        Ok(None)
    }
}

/// Fails as its payload says.
struct Failing;

impl Work for Failing {
    const KIND: &'static str = "test.failing";
    type Payload = String;

    async fn run(&self, _: &Assignment, how: String) -> Result<Option<StoredResult>, Unfinished> {
        match &*how {
            "panic" => panic!("as it was told"),
            // PostgreSQL keeps no such text.
            "nul" => Err(Unfinished::failed("broken", "a\0b")),
            how => Err(Unfinished::transient("later", how.to_owned())),
        }
    }
}

/// Workers of these kinds.
struct Shop {
    desk: Desk,
    signals: Signals,
    workers: Option<Workers>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    may_end: Arc<Semaphore>,
}

impl Shop {
    async fn open(installation: Installation, settings: WorkerSettings) -> Self {
        let desk = Desk::open(installation).await;
        let (signals, running, most) = (Signals::default(), Arc::default(), Arc::default());
        let may_end = Arc::new(Semaphore::new(0));
        let waiting =
            Waiting { running: Arc::clone(&running), most: Arc::clone(&most), may_end: Arc::clone(&may_end) };
        let registry = Registry::default().with(Nothing).with(waiting).with(Failing);
        let (every_tenant, clock) = (desk.database.every_tenant.clone(), desk.caller.clock.clone());
        let workers = Workers::start(
            every_tenant,
            Arc::new(registry),
            signals.clone(),
            Happenings::default(),
            clock,
            settings,
        );
        Self { desk, signals, workers: Some(workers), running, most, may_end }
    }

    async fn enqueue(&self, kind: &'static str, payload: &str) -> JobId {
        let job = NewJob { kind, payload: payload.to_owned(), max_attempts: 2, ..job() };
        let argus_core::jobs::Enqueued::New(receipt) = self.desk.enqueue_as(&self.desk.caller, job).await
        else {
            panic!("it was there already")
        };
        receipt.id
    }

    async fn until(&self, id: &JobId, status: JobStatus) {
        until(async || self.desk.status(id).await == status).await;
    }

    async fn stop(&mut self, limit: Duration) -> usize {
        self.workers.take().unwrap().stop(limit).await
    }
}

/// Looks again and again, as long as only a broken service would need.
async fn until(holds: impl AsyncFn() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(tokio::time::Instant::now() < patience, "it does not come");
        tokio::task::yield_now().await;
    }
}

const NEVER: WorkerSettings =
    WorkerSettings { slots: 4, lease: Duration::from_secs(600), poll: Duration::from_secs(600) };

async fn a_signal_wakes_a_worker_at_once(installation: Installation) {
    let mut shop = Shop::open(installation, NEVER).await;
    for _ in 0..3 {
        let id = shop.enqueue("test.nothing", "{}").await;
        shop.signals.enqueued();
        shop.until(&id, JobStatus::Succeeded).await;
        assert_eq!(shop.desk.told(&id), ["job.succeeded"]);
    }
    assert_eq!(shop.stop(super::LONG).await, 0);
}

async fn what_no_signal_told_of_is_found_all_the_same(installation: Installation) {
    let settings = WorkerSettings { poll: Duration::from_millis(20), ..NEVER };
    let mut shop = Shop::open(installation, settings).await;
    let id = shop.enqueue("test.nothing", "{}").await;
    shop.until(&id, JobStatus::Succeeded).await;
    shop.stop(super::LONG).await;
}

async fn a_job_is_tried_again_after_a_passing_failure_and_given_up_after_the_last(
    installation: Installation,
) {
    let settings = WorkerSettings { lease: Duration::from_secs(3), ..NEVER };
    let mut shop = Shop::open(installation, settings).await;
    let id = shop.enqueue("test.failing", "\"the source is away\"").await;
    shop.signals.enqueued();
    until(async || shop.desk.view(&id).await.error.is_some()).await;
    shop.desk.sql("UPDATE jobs SET due_at = 1 WHERE due_at IS NOT NULL");
    shop.until(&id, JobStatus::Failed).await;
    let (code, message) = shop.desk.view(&id).await.error.unwrap();
    assert_eq!((&*code, &*message), ("later", "the source is away; given up after 2 attempts"));
    shop.stop(super::LONG).await;
}

async fn a_panic_costs_its_own_job_alone(installation: Installation) {
    let mut shop = Shop::open(installation, WorkerSettings { slots: 1, ..NEVER }).await;
    let (broken, whole) =
        (shop.enqueue("test.failing", "\"panic\"").await, shop.enqueue("test.nothing", "{}").await);
    shop.signals.enqueued();
    shop.until(&broken, JobStatus::Failed).await;
    shop.until(&whole, JobStatus::Succeeded).await;
    shop.stop(super::LONG).await;
}

async fn an_end_that_the_database_does_not_take_costs_its_own_job_alone(installation: Installation) {
    let mut shop = Shop::open(installation, NEVER).await;
    let broken = shop.enqueue("test.failing", "\"nul\"").await;
    let whole = shop.enqueue("test.nothing", "{}").await;
    shop.signals.enqueued();
    shop.until(&whole, JobStatus::Succeeded).await;
    shop.until(&broken, JobStatus::Failed).await;
    assert_eq!(shop.stop(super::LONG).await, 0);
}

async fn a_cancelled_job_stops_its_work(installation: Installation) {
    let mut shop = Shop::open(installation, NEVER).await;
    let id = shop.enqueue("test.waiting", "{}").await;
    shop.signals.enqueued();
    until(async || shop.running.load(Ordering::SeqCst) == 1).await;
    let cancelled = id.clone();
    let work = move |tx: &mut Tx<'_>| cancel(tx, &cancelled);
    shop.desk.database.requests.write(&shop.desk.caller, work).await.unwrap();
    shop.signals.cancelled(&id);
    until(async || shop.running.load(Ordering::SeqCst) == 0).await;
    assert_eq!(shop.stop(super::LONG).await, 0);
    assert_eq!(shop.desk.status(&id).await, JobStatus::Cancelled);
    assert_eq!(shop.desk.told(&id), ["job.cancelled"]);
}

async fn no_more_jobs_run_than_there_are_slots(installation: Installation) {
    let mut shop = Shop::open(installation, WorkerSettings { slots: 3, ..NEVER }).await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(shop.enqueue("test.waiting", "{}").await);
        shop.signals.enqueued();
    }
    until(async || shop.running.load(Ordering::SeqCst) == 3).await;
    let running = "SELECT id AS line FROM jobs WHERE status = 'running'";
    assert_eq!(shop.desk.lines(running).len(), 3, "nothing is claimed that has to wait for a slot");
    shop.may_end.add_permits(12);
    for id in &ids {
        shop.until(id, JobStatus::Succeeded).await;
    }
    assert_eq!(shop.most.load(Ordering::SeqCst), 3);
    shop.stop(super::LONG).await;
}

async fn a_worker_that_is_told_to_stop_lets_its_jobs_end(installation: Installation) {
    let mut shop = Shop::open(installation, NEVER).await;
    let id = shop.enqueue("test.waiting", "{}").await;
    shop.signals.enqueued();
    until(async || shop.running.load(Ordering::SeqCst) == 1).await;
    let may_end = Arc::clone(&shop.may_end);
    let stopping = tokio::spawn(shop.workers.take().unwrap().stop(super::LONG));
    let later = shop.enqueue("test.nothing", "{}").await;
    shop.signals.enqueued();
    may_end.add_permits(1);
    assert_eq!(stopping.await.unwrap(), 0);
    assert_eq!(shop.desk.status(&id).await, JobStatus::Succeeded);
    assert_eq!(shop.desk.status(&later).await, JobStatus::Queued, "nothing new is begun");
}

async fn jobs_that_do_not_end_in_time_are_given_back(installation: Installation) {
    let mut shop = Shop::open(installation, NEVER).await;
    let id = shop.enqueue("test.waiting", "{}").await;
    shop.signals.enqueued();
    until(async || shop.running.load(Ordering::SeqCst) == 1).await;
    assert_eq!(shop.stop(Duration::from_millis(10)).await, 1);
    assert_eq!(shop.desk.status(&id).await, JobStatus::Queued);
    assert_eq!(shop.desk.claim(1).await.remove(0).attempt, 1, "it counts as not tried");
}

async fn a_kind_that_nobody_knows_fails(installation: Installation) {
    let mut shop = Shop::open(installation, NEVER).await;
    let id = shop.enqueue("test.unknown", "{}").await;
    shop.signals.enqueued();
    shop.until(&id, JobStatus::Failed).await;
    assert_eq!(shop.desk.view(&id).await.error.unwrap().0, "unknown_kind");
    shop.stop(super::LONG).await;
}

async fn a_long_job_keeps_its_lease_and_tells_how_far_it_is(installation: Installation) {
    let settings = WorkerSettings { lease: Duration::from_secs(2), ..NEVER };
    let mut shop = Shop::open(installation, settings).await;
    let id = shop.enqueue("test.waiting", "{}").await;
    shop.signals.enqueued();
    let lease_until = "SELECT CAST(lease_until AS TEXT) AS line FROM jobs WHERE status = 'running'";
    until(async || shop.desk.view(&id).await.progress_pct == 25).await;
    let first = shop.desk.lines(lease_until);
    until(async || {
        let now = shop.desk.lines(lease_until);
        assert_eq!(now.len(), 1, "it was taken away");
        now != first
    })
    .await;
    shop.may_end.add_permits(1);
    shop.until(&id, JobStatus::Succeeded).await;
    assert_eq!(shop.most.load(Ordering::SeqCst), 1, "and it was done once");
    shop.stop(super::LONG).await;
}

#[test]
fn nodes_tell_each_other_of_new_and_of_cancelled_jobs() {
    run_on_postgres(|installation: Installation| async {
        let mut shop = Shop::open(installation, NEVER).await;
        // A node without workers, with a database of its own.
        let (other, _) = shop.desk.installation.database_and_identity();
        let (here, there) = (shop.signals.clone(), Signals::default());
        let listener = shop.desk.database.listener.clone().unwrap();
        let exchange = tokio::spawn(async move { here.exchange(&listener).await });
        let elsewhere = there.clone();
        let listener = other.listener.clone().unwrap();
        let other_exchange = tokio::spawn(async move { elsewhere.exchange(&listener).await });
        let listening = Listening::default();
        until(async || listening.sessions(&shop.desk.installation) >= 2).await;

        let id = shop.enqueue("test.waiting", "{}").await;
        there.enqueued();
        until(async || shop.running.load(Ordering::SeqCst) == 1).await;
        let cancelled = id.clone();
        let work = move |tx: &mut Tx<'_>| cancel(tx, &cancelled);
        other.requests.write(&shop.desk.caller, work).await.unwrap();
        there.cancelled(&id);
        until(async || shop.running.load(Ordering::SeqCst) == 0).await;
        assert_eq!(shop.desk.status(&id).await, JobStatus::Cancelled);
        exchange.abort();
        other_exchange.abort();
        shop.stop(super::LONG).await;
    });
}
