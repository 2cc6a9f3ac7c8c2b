//! The connection on which a node is told of new jobs, when it is lost: what was told meanwhile is found all the
//! same, and once it is back nobody waits.

use super::{Counted, SHORT, until};
use crate::jobs::Desk;
use argus_core::jobs::signals::Signals;
use argus_core::jobs::work::Registry;
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, run_on_postgres};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_secs(4);
/// How much later a busy machine may be.
const LATE: Duration = Duration::from_secs(4);
/// The sessions whose last statement it was to listen for jobs: those that have begun to a moment ago.
const LISTENING: &str = "SELECT CAST(pid AS TEXT) AS line FROM pg_stat_activity WHERE query LIKE '%LISTEN%argus_job%' \
    AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()";

#[test]
fn a_node_that_cannot_listen_finds_jobs_by_itself_and_is_woken_again_once_it_can() {
    run_on_postgres(async |mut installation: Installation| {
        let direct = installation.settings.store.url.clone();
        let proxy = installation.behind_a_proxy().await;
        installation.settings.store.deadlines = SHORT;
        let mut desk = Desk::open(installation).await;
        let (signals, done) = (Signals::default(), Counted::default());
        let settings = WorkerSettings { slots: 4, lease: Duration::from_secs(600), poll: POLL };
        let workers = Workers::start(
            desk.database.every_tenant.clone(),
            Arc::new(Registry::default().with(done.clone())),
            signals.clone(),
            desk.caller.clock.clone(),
            settings,
        );
        let (here, listener) = (signals.clone(), desk.database.listener.clone().unwrap());
        let exchange = tokio::spawn(async move { here.exchange(&listener).await });
        // A node without workers, which nothing is cut from.
        desk.installation.settings.store.url = direct;
        let (other, _) = desk.installation.database_and_identity();
        let there = Signals::default();
        let (elsewhere, listener) = (there.clone(), other.listener.clone().unwrap());
        let other_exchange = tokio::spawn(async move { elsewhere.exchange(&listener).await });
        let seen = Mutex::new(BTreeSet::new());
        let have_begun = async |sessions| {
            let mut seen = seen.lock().unwrap();
            seen.extend(desk.lines(LISTENING));
            seen.len() == sessions
        };
        until("both listen", async || have_begun(2).await).await;
        let job_of_the_other = async || {
            let began = Instant::now();
            let id = desk.job().await.id;
            there.enqueued();
            until("success", async || desk.status(&id).await == JobStatus::Succeeded).await;
            began.elapsed()
        };
        job_of_the_other().await;

        proxy.cut_whenever("LISTEN");
        proxy.cut();
        until("it is cut", async || proxy.caught() > 0).await;
        for _ in 0..2 {
            let took = job_of_the_other().await;
            assert!(took < POLL + LATE, "it was found after {took:?}");
        }
        proxy.let_pass();
        until("it listens again", async || have_begun(3).await).await;
        let began = Instant::now();
        for _ in 0..5 {
            job_of_the_other().await;
        }
        assert!(began.elapsed() < POLL, "five signals took {:?}", began.elapsed());
        assert_eq!(done.times(), 8);
        exchange.abort();
        other_exchange.abort();
        workers.stop(super::PATIENCE).await;
    });
}
