//! The connection on which a node is told of new jobs, when it is lost: what was told meanwhile is found all the
//! same, and once it is back nobody waits.

use super::{Counted, SHORT, until};
use crate::black_box::jobs::{caller, ended, enqueue, export};
use crate::black_box::support::binary;
use crate::jobs::{Desk, Listening};
use argus_core::jobs::signals::Signals;
use argus_core::jobs::work::Registry;
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::outbox::Happenings;
use argus_core::store::StoreSettings;
use argus_openapi::types::jobs::JobStatus;
use argus_server::settings::Role;
use argus_tests::{Installation, TestServer, Worker, run_on_postgres};
use std::sync::Arc;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_secs(4);
/// How much later a busy machine may be.
const LATE: Duration = Duration::from_secs(4);

#[test]
fn a_node_that_cannot_listen_finds_jobs_by_itself_and_is_woken_again_once_it_can() {
    run_on_postgres(async |mut installation: Installation| {
        let direct = installation.settings.store.clone();
        let proxy = installation.behind_a_proxy().await;
        installation.settings.store.deadlines = SHORT;
        let mut desk = Desk::open(installation).await;
        let (signals, done) = (Signals::default(), Counted::default());
        let settings = WorkerSettings { slots: 4, lease: Duration::from_secs(600), poll: POLL };
        let workers = Workers::start(
            desk.database.every_tenant.clone(),
            Arc::new(Registry::default().with(done.clone())),
            signals.clone(),
            Happenings::default(),
            desk.caller.clock.clone(),
            settings,
        );
        let (here, listener) = (signals.clone(), desk.database.listener.clone().unwrap());
        let exchange = tokio::spawn(async move { here.exchange(&listener).await });
        // A node without workers, which nothing is cut from.
        desk.installation.settings.store = StoreSettings { deadlines: SHORT, ..direct };
        let (other, _) = desk.installation.database_and_identity();
        let there = Signals::default();
        let (elsewhere, listener) = (there.clone(), other.listener.clone().unwrap());
        let other_exchange = tokio::spawn(async move { elsewhere.exchange(&listener).await });
        let listening = Listening::default();
        until("both listen", async || listening.sessions(&desk.installation) >= 2).await;
        let job_of_the_other = async || {
            let began = Instant::now();
            let id = desk.job().await.id;
            there.enqueued();
            until("success", async || desk.status(&id).await == JobStatus::Succeeded).await;
            began.elapsed()
        };
        job_of_the_other().await;

        // A session that did not come to its end is followed by another one.
        let before = listening.sessions(&desk.installation);
        proxy.cut_whenever("LISTEN");
        proxy.cut();
        until("it is cut", async || proxy.caught() > 0).await;
        for _ in 0..2 {
            let took = job_of_the_other().await;
            assert!(took < POLL + LATE, "it was found after {took:?}");
        }
        proxy.let_pass();
        until("it listens again", async || listening.sessions(&desk.installation) > before).await;
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

#[test]
fn a_worker_behind_a_pooler_of_transactions_says_that_it_hears_nothing_and_finds_jobs_by_itself() {
    run_on_postgres(async |mut installation: Installation| {
        let direct = installation.settings.store.clone();
        let proxy = installation.behind_a_proxy().await;
        let pooled = std::mem::replace(&mut installation.settings.store, direct).url;
        installation.settings.role = Role::Api;
        let server = TestServer::from(installation);
        proxy.deafen();
        let worker = Worker::start(binary(), server.installation(), &["--database-url", pooled.expose()]);
        worker.await_log("notifications do not arrive on this connection");
        let caller = caller(&server).await;
        for _ in 0..2 {
            let job = ended(&caller, &enqueue(&caller, &export("csv")).await).await;
            assert_eq!(job["status"], "succeeded", "{job}");
        }
    });
}
