//! Somebody who reads for long, while jobs come and go: claims take no longer for it, and the metrics tell.

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
/// More than SQLite's log comes to by itself.
const LOG_BYTES: u64 = 8 * 1024 * 1024;

/// Jobs that come and go.
async fn churn(desk: &Desk, jobs: u64) {
    for _ in 0..jobs {
        let job = desk.job().await;
        let began = Instant::now();
        let claimed = desk.claim(1).await;
        assert!(began.elapsed() < CLAIM_MAX, "a claim took {:?}", began.elapsed());
        assert_eq!(claimed[0].lease.id, job.id);
        assert!(desk.end(&claimed[0].lease, Ending::Succeeded(None)).await);
    }
}

/// Whether so much is kept after all has been cleaned up that can be.
async fn keeps(desk: &Desk, jobs: u64) -> bool {
    if !desk.installation.is_sqlite() {
        desk.sql("VACUUM jobs");
    }
    let Uncleaned { dead_rows, log_bytes } = desk.database.uncleaned().await.unwrap();
    dead_rows >= jobs || log_bytes > LOG_BYTES
}

async fn a_snapshot_that_is_held_slows_no_claim_down_and_is_told_of(installation: Installation) {
    let desk = Desk::open(installation).await;
    let jobs = scale(400, 20_000);
    churn(&desk, jobs).await;
    until("nothing is kept", async || !keeps(&desk, jobs).await).await;
    let mut reader = desk.installation.connect();
    let begin = if desk.installation.is_sqlite() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ" };
    sql::execute(&mut reader, begin).unwrap();
    sql::lines(&mut reader, "SELECT id AS line FROM jobs").unwrap();
    churn(&desk, jobs).await;
    until("it is told of", async || keeps(&desk, jobs).await).await;
    sql::execute(&mut reader, "ROLLBACK").unwrap();
    until("nothing is kept any more", async || {
        churn(&desk, 1).await;
        !keeps(&desk, jobs).await
    })
    .await;
}
