//! What a new job costs workers that have nothing else to do: however many slots are free, they look a few times. On
//! PostgreSQL a node tells others only when it has no slot itself, and then each looks once.

use super::working::Nothing;
use super::{Desk, LONG, Listening};
use argus_core::jobs::signals::Signals;
use argus_core::jobs::work::Registry;
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::outbox::Happenings;
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, Statements, on_both_engines, run_on_postgres};
use std::sync::Arc;
use std::time::Duration;

on_both_engines! {
    a_job_with_fifty_free_slots_costs_a_few_claims
}

/// What every claim begins with: a look for the tenants of whom something waits.
const CLAIM: &str = "WITH RECURSIVE turn (tenant_id, place)";
/// How many a job may cost a node: one finds it, and a signal may be there twice.
const FEW: usize = 3;
const JOBS: usize = 10;

/// Workers with half of the slots, and connections of their own; they look for nothing in the time of a test unless
/// they are told.
fn node(desk: &Desk, signals: &Signals) -> Workers {
    let (database, _) = desk.installation.database_and_identity();
    let settings = WorkerSettings { slots: 25, lease: LONG, poll: LONG };
    let registry = Arc::new(Registry::default().with(Nothing));
    let clock = desk.caller.clock.clone();
    Workers::start(database.every_tenant, registry, signals.clone(), Happenings::default(), clock, settings)
}

/// Has a job done of which this node is told.
async fn do_one(desk: &Desk, told: &Signals) {
    let id = desk.job().await.id;
    told.enqueued();
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    while desk.status(&id).await != JobStatus::Succeeded {
        assert!(tokio::time::Instant::now() < patience, "it is not done");
        tokio::task::yield_now().await;
    }
}

async fn a_job_with_fifty_free_slots_costs_a_few_claims(installation: Installation) {
    let claims = Statements::with(CLAIM, &installation);
    let desk = Desk::open(installation).await;
    let signals = [Signals::default(), Signals::default()];
    let workers = signals.each_ref().map(|signals| node(&desk, signals));
    // As long as they begin, they look.
    for signals in &signals {
        do_one(&desk, signals).await;
    }
    let before = claims.asked();
    assert!(before > 0, "they are counted");
    for number in 0..JOBS {
        do_one(&desk, &signals[number % 2]).await;
    }
    let claimed = claims.asked() - before;
    assert!(claimed <= FEW * JOBS, "{JOBS} jobs cost {claimed} claims");
    for workers in workers {
        assert_eq!(workers.stop(LONG).await, 0);
    }
}

#[test]
fn a_job_that_is_told_to_every_node_costs_each_a_few_claims() {
    run_on_postgres(async |installation: Installation| {
        let claims = Statements::with(CLAIM, &installation);
        let desk = Desk::open(installation).await;
        // The one that is told of it has no workers, so that it tells the others.
        let signals = [Signals::default(), Signals::default(), Signals::default()];
        let workers = signals[1..].iter().map(|signals| node(&desk, signals)).collect::<Vec<_>>();
        let mut exchanges = Vec::new();
        for signals in &signals {
            let (database, _) = desk.installation.database_and_identity();
            let (signals, listener) = (signals.clone(), database.listener.unwrap());
            exchanges.push(tokio::spawn(async move { signals.exchange(&listener).await }));
        }
        let listening = Listening::default();
        let patience = tokio::time::Instant::now() + Duration::from_secs(60);
        while listening.sessions(&desk.installation) < signals.len() {
            assert!(tokio::time::Instant::now() < patience, "they do not listen");
            tokio::task::yield_now().await;
        }
        do_one(&desk, &signals[0]).await;
        let before = claims.asked();
        for _ in 0..JOBS {
            do_one(&desk, &signals[0]).await;
        }
        let claimed = claims.asked() - before;
        assert!(claimed <= FEW * JOBS * workers.len(), "{JOBS} jobs cost {claimed} claims");
        exchanges.iter().for_each(|exchange| exchange.abort());
        for workers in workers {
            assert_eq!(workers.stop(LONG).await, 0);
        }
    });
}
