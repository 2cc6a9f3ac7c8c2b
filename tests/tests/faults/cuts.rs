//! Connections to PostgreSQL that are cut in the middle of what is done with them: before it arrives, and after it
//! is done but before anybody hears of it. What was accepted is there once and ends once.

use super::{Counted, PATIENCE, SHORT, assert_told_once, lines, until};
use crate::black_box::jobs::{caller, import, profile, with_key};
use crate::jobs::Desk;
use argus_core::ids::{JobId, random};
use argus_core::jobs::signals::Signals;
use argus_core::jobs::work::Registry;
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::outbox::Happenings;
use argus_openapi::types::jobs::JobStatus;
use argus_server::settings::Role;
use argus_tests::{
    Caller, Cut, Installation, Proxy, TestServer, keep_what_is_told, run_on_postgres, scale, sql,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(2);

#[test]
fn a_commit_that_is_cut_makes_one_job_when_the_request_is_sent_again() {
    run_on_postgres(async |mut installation: Installation| {
        let proxy = installation.behind_a_proxy().await;
        installation.settings.store.deadlines = SHORT;
        installation.settings.role = Role::Api;
        let server = TestServer::from(installation);
        let caller = caller(&server).await;
        let job = import(&json!([profile("p1")]));
        for (round, (cut, accepted)) in [(Cut::Before, 201), (Cut::After, 200)].into_iter().enumerate() {
            let key = format!("k{round}");
            with_key(&caller, &format!("before {key}"), &job).await.expect(201);
            let before = lines(&server, "SELECT id AS line FROM jobs").len();
            proxy.cut_at("COMMIT", cut);
            let refused = with_key(&caller, &key, &job).await;
            refused.expect_error(503, "unavailable");
            assert_eq!((proxy.caught(), refused.header("retry-after")), (round + 1, "1"));
            let jobs = || lines(&server, "SELECT id AS line FROM jobs").len() - before;
            assert_eq!(jobs(), usize::from(cut == Cut::After), "{cut:?}");
            let id = with_key(&caller, &key, &job).await.expect(accepted).text("id");
            assert_eq!(jobs(), 1, "{cut:?}");
            caller.get(&format!("/v1/jobs/{id}")).await.expect(200);
        }
    });
}

/// Workers behind a proxy.
struct Shop {
    desk: Desk,
    proxy: Proxy,
    signals: Signals,
    done: Counted,
    workers: Workers,
}

impl Shop {
    async fn open(mut installation: Installation) -> Self {
        let proxy = installation.behind_a_proxy().await;
        installation.settings.store.deadlines = SHORT;
        let desk = Desk::open(installation).await;
        let (signals, done) = (Signals::default(), Counted::default());
        let registry = Arc::new(Registry::default().with(done.clone()));
        let (every_tenant, clock) = (desk.database.every_tenant.clone(), desk.caller.clock.clone());
        let settings = WorkerSettings { slots: 4, lease: LEASE, poll: Duration::from_secs(600) };
        let workers =
            Workers::start(every_tenant, registry, signals.clone(), Happenings::default(), clock, settings);
        Self { desk, proxy, signals, done, workers }
    }

    async fn job(&self) -> JobId {
        let receipt = self.desk.job().await;
        self.signals.enqueued();
        receipt.id
    }

    async fn succeeds(&self, id: &JobId) {
        until("success", async || self.desk.status(id).await == JobStatus::Succeeded).await;
    }

    /// A job on whose way a connection is cut: how often it was claimed and done.
    async fn cut(&self, text: &'static str, cut: Cut) -> (String, usize) {
        let (caught, done) = (self.proxy.caught(), self.done.times());
        self.proxy.cut_at(text, cut);
        let id = self.job().await;
        self.succeeds(&id).await;
        assert_eq!(self.proxy.caught(), caught + 1, "{text}");
        assert_eq!(self.desk.told(&id), ["job.succeeded"], "{text}");
        let attempts = format!("SELECT CAST(attempts AS TEXT) AS line FROM jobs WHERE id = '{id}'");
        (self.desk.lines(&attempts).remove(0), self.done.times() - done)
    }
}

#[test]
fn a_claim_or_an_end_that_is_cut_leaves_each_job_with_one_end() {
    run_on_postgres(async |installation: Installation| {
        let shop = Shop::open(installation).await;
        let first = shop.job().await;
        shop.succeeds(&first).await;
        let claim = "WITH picked AS MATERIALIZED";
        assert_eq!(shop.cut(claim, Cut::Before).await, ("1".to_owned(), 1));
        // The attempt that nobody heard of is taken back after its lease.
        assert_eq!(shop.cut(claim, Cut::After).await, ("2".to_owned(), 1));
        for cut in [Cut::Before, Cut::After] {
            assert_eq!(shop.cut("WITH ended AS", cut).await, ("1".to_owned(), 1), "{cut:?}");
        }
        assert_eq!(shop.workers.stop(PATIENCE).await, 0);
    });
}

/// How long a client may go on between two cuts, in milliseconds.
const PAUSE_MAX: u64 = 40;
const CLIENTS: usize = 6;

/// Posts jobs, each under a key of its own and as often as it takes, and returns what was accepted.
pub(super) async fn post_until(caller: Caller, client: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut accepted = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let job = import(&json!([profile(&format!("p{client}-{}", accepted.len()))]));
        let key = format!("{client}-{}", accepted.len());
        loop {
            let answer = with_key(&caller, &key, &job).await;
            match answer.status.as_u16() {
                200 | 201 => break accepted.push(answer.text("id")),
                503 => {
                    answer.expect_error(503, "unavailable");
                    assert_eq!(answer.header("retry-after"), "1");
                }
                _ => panic!("{answer:?}"),
            }
        }
    }
    accepted
}

#[test]
fn what_is_accepted_is_there_once_and_ends_once_however_often_connections_are_cut() {
    run_on_postgres(async |mut installation: Installation| {
        let proxy = installation.behind_a_proxy().await;
        installation.settings.store.deadlines = SHORT;
        installation.settings.workers =
            WorkerSettings { slots: 8, lease: LEASE, poll: Duration::from_millis(500) };
        let server = TestServer::from(installation);
        let other = server.another_node();
        let caller = caller(&server).await;
        keep_what_is_told(&mut server.connect());
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let caller = if client % 2 == 0 { caller.clone() } else { caller.at(&other) };
                tokio::spawn(post_until(caller, client, Arc::clone(&stop)))
            })
            .collect();
        let mut database = server.connect();
        let end = |limit: &str| {
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_stat_activity \
                 WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() \
                 ORDER BY random() LIMIT {limit})"
            )
        };
        for cut in 0..scale(60, 600) {
            let [chance] = random::<1>().unwrap();
            tokio::time::sleep(Duration::from_millis(u64::from(chance) % PAUSE_MAX)).await;
            match cut % 3 {
                0 => proxy.cut(),
                1 => sql::execute(&mut database, &end("2")).unwrap(),
                _ => sql::execute(&mut database, &end("ALL")).unwrap(),
            }
        }
        stop.store(true, Ordering::SeqCst);
        let mut accepted = Vec::new();
        for client in clients {
            accepted.extend(client.await.unwrap());
        }
        assert!(accepted.len() > CLIENTS, "{} were accepted", accepted.len());
        let open = "SELECT id AS line FROM jobs WHERE status IN ('queued', 'running')";
        until("the end of every job", async || lines(&server, open).is_empty()).await;
        let there = lines(&server, "SELECT id AS line FROM jobs");
        assert_eq!(there.len(), accepted.len(), "one job for each key");
        let [there, accepted] = [there, accepted].map(BTreeSet::from_iter);
        assert_eq!(there, accepted);
        assert_told_once(&server);
        let failed = "SELECT DISTINCT error_code AS line FROM jobs WHERE status = 'failed'";
        let passing = |code: &String| code == "lease_lost" || code == "store_unavailable";
        assert!(lines(&server, failed).iter().all(passing), "{:?}", lines(&server, failed));
        // Every connection of the pools is as good as new.
        let asked = (0..40).map(|_| caller.get("/v1/jobs?limit=1"));
        for answer in futures::future::join_all(asked).await {
            answer.expect(200);
        }
    });
}
