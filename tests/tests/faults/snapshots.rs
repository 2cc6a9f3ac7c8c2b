//! Somebody who reads for long, while jobs come and go: claims take as long as ever, and the metrics tell.

use super::until;
use crate::jobs::Desk;
use argus_core::jobs::lease::Ending;
use argus_core::store::Uncleaned;
use argus_tests::{Installation, on_both_engines, scale, sql};
use std::time::{Duration, Instant};

on_both_engines! {
    a_snapshot_that_is_held_slows_no_claim_down_and_is_told_of
}

/// The longest that a claim may take beside it.
const CLAIM_MAX: Duration = Duration::from_secs(2);

async fn a_snapshot_that_is_held_slows_no_claim_down_and_is_told_of(installation: Installation) {
    let desk = Desk::open(installation).await;
    let mut reader = desk.installation.connect();
    let begin = if desk.installation.is_sqlite() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ" };
    sql::execute(&mut reader, begin).unwrap();
    sql::lines(&mut reader, "SELECT id AS line FROM jobs").unwrap();
    let churned = scale(200, 20_000);
    for _ in 0..churned {
        let job = desk.job().await;
        let began = Instant::now();
        let claimed = desk.claim(1).await;
        assert!(began.elapsed() < CLAIM_MAX, "a claim took {:?}", began.elapsed());
        assert_eq!(claimed[0].lease.id, job.id);
        assert!(desk.end(&claimed[0].lease, Ending::Succeeded(None)).await);
    }
    // Each job is changed twice.
    until("what cannot be cleaned up", async || {
        let Uncleaned { dead_rows, log_pages } = desk.database.uncleaned().await.unwrap();
        dead_rows.max(log_pages) >= churned
    })
    .await;
    sql::execute(&mut reader, "ROLLBACK").unwrap();
    if desk.installation.is_sqlite() {
        // Whoever writes after a checkpoint begins the log anew.
        until("a log that begins anew", async || {
            desk.job().await;
            desk.database.uncleaned().await.unwrap().log_pages < churned
        })
        .await;
    }
}
