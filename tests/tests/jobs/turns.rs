//! Claims: no job twice, no more than asked for, and tenants take turns.

use super::{Desk, LONG, job};
use argus_core::Context;
use argus_core::context::Live;
use argus_core::jobs::enqueue;
use argus_core::jobs::lease::{self, Turn};
use argus_core::store::{AnyConnection, Tx};
use argus_tests::{Installation, on_both_engines, run_on_postgres, sql};
use std::collections::HashSet;

on_both_engines! {
    the_oldest_jobs_of_a_tenant_come_first
    claimers_at_the_same_time_never_get_the_same_job
    a_tenant_with_many_jobs_does_not_keep_another_waiting
    a_tenant_alone_gets_every_slot
    with_more_tenants_than_slots_each_has_its_turn
}

async fn many(desk: &Desk, caller: &Context<Live>, count: usize) {
    let work = move |tx: &mut Tx<'_>| {
        for _ in 0..count {
            enqueue(tx, &job())?;
        }
        Ok::<_, argus_core::Error>(())
    };
    desk.database.requests.write(caller, work).await.unwrap();
}

async fn the_oldest_jobs_of_a_tenant_come_first(installation: Installation) {
    let desk = Desk::open(installation).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(desk.job().await.id);
    }
    for pair in ids.chunks(2) {
        let claimed: HashSet<_> = desk.claim(2).await.into_iter().map(|job| job.lease.id).collect();
        assert_eq!(claimed, pair.iter().cloned().collect());
    }
}

async fn claimers_at_the_same_time_never_get_the_same_job(installation: Installation) {
    let desk = Desk::open(installation).await;
    let jobs = 800;
    many(&desk, &desk.caller, jobs).await;
    let claimers = (0..8).map(|_| async {
        let mut ids = Vec::new();
        loop {
            let claimed = desk.claim(7).await;
            assert!(claimed.len() <= 7);
            if claimed.is_empty() {
                return ids;
            }
            ids.extend(claimed.into_iter().map(|job| job.lease.id));
        }
    });
    let claimed: Vec<_> = futures::future::join_all(claimers).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), jobs);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), jobs);
}

async fn a_tenant_with_many_jobs_does_not_keep_another_waiting(installation: Installation) {
    let desk = Desk::open(installation).await;
    many(&desk, &desk.caller, 500).await;
    let stranger = desk.stranger().await;
    let mut turn = Turn::default();
    for _ in 0..10 {
        turn = desk.claim_for(4, LONG, &turn).await.next;
    }
    let theirs = desk.job_of(&stranger).await.id;
    // One slot is free at a time, which is the hardest case.
    for claims in 1..=4 {
        let claim = desk.claim_for(1, LONG, &turn).await;
        turn = claim.next;
        if claim.jobs.iter().any(|job| job.lease.id == theirs) {
            return;
        }
        assert!(claims < 4, "after {claims} claims it has not begun");
    }
}

async fn a_tenant_alone_gets_every_slot(installation: Installation) {
    let desk = Desk::open(installation).await;
    many(&desk, &desk.caller, 50).await;
    let claim = desk.claim_for(20, LONG, &Turn::default()).await;
    assert_eq!((claim.jobs.len(), claim.more), (20, true));
    let claim = desk.claim_for(100, LONG, &claim.next).await;
    assert_eq!((claim.jobs.len(), claim.more), (30, false), "and nobody looks again when that was all");
}

async fn with_more_tenants_than_slots_each_has_its_turn(installation: Installation) {
    let desk = Desk::open(installation).await;
    let mut tenants = HashSet::new();
    for _ in 0..7 {
        let stranger = desk.stranger().await;
        many(&desk, &stranger, 5).await;
        tenants.insert(stranger.tenant_id().clone());
    }
    let (mut turn, mut served) = (Turn::default(), HashSet::new());
    for _ in 0..4 {
        let claim = desk.claim_for(2, LONG, &turn).await;
        served.extend(claim.jobs.into_iter().map(|job| job.principal.tenant_id));
        turn = claim.next;
    }
    assert_eq!(served, tenants);
}

#[test]
fn a_claim_keeps_to_its_limit_even_when_postgres_runs_sub_selects_for_each_row() {
    run_on_postgres(|installation: Installation| async {
        let desk = Desk::open(installation).await;
        many(&desk, &desk.caller, 300).await;
        let claimed = desk.database.every_tenant.run(|connection| {
            sql::execute(
                connection,
                "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off",
            )?;
            let claimed = lease::claim(connection, 5, LONG, &Turn::default())?.jobs.len();
            sql::execute(connection, "RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material")?;
            assert!(matches!(connection, AnyConnection::Pg(_)));
            Ok::<_, argus_core::Error>(claimed)
        });
        assert_eq!(claimed.await.unwrap(), 5);
        assert_eq!(desk.lines("SELECT id AS line FROM jobs WHERE status = 'running'").len(), 5);
    });
}
