//! Much that its time is over for: each pass takes a little of it, what was removed before an interruption is
//! gone, and claims do not wait meanwhile.

use super::until;
use crate::jobs::Desk;
use argus_core::jobs::lease::Ending;
use argus_core::objects::Place;
use argus_core::{Clock, Objects};
use argus_partner::sweeper::{Sweeper, Swept};
use argus_tests::{Installation, on_both_engines, scale};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

on_both_engines! {
    what_cannot_be_removed_keeps_nothing_else_from_it_and_is_removed_later
    whatever_is_over_is_removed_in_short_steps_that_an_interruption_does_not_undo
}

/// More than one pass takes.
const STUCK: usize = 501;
/// How often it is interrupted.
const INTERRUPTIONS: usize = 3;
/// The longest that a claim may take beside it; one that waited for all of it would take far longer.
const CLAIM_MAX: Duration = Duration::from_secs(2);
/// How many claims tell how long they usually take.
const USUAL: usize = 100;
/// What a claim takes more or less by chance: a wait for the disk.
const NOISE: Duration = Duration::from_millis(20);

/// Jobs that ended 31 days ago, with a key and the name of a result.
fn expired(desk: &Desk, jobs: usize) -> String {
    let now = chrono::Utc::now().timestamp_micros();
    let day = 24 * 3600 * 1_000_000_i64;
    let (then, due) = (now - 31 * day, now - day);
    let principal = &desk.caller.principal;
    let (tenant_id, organization_id) = (&principal.tenant_id, &principal.organization_id);
    let numbers = |then: &str| {
        format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {jobs}) {then}"
        )
    };
    let id = "'01JX0000000000' || CAST(100000000000 + n AS TEXT)";
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let of_jobs = format!(
        "INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, idempotency_key, \
         traceparent, status, attempts, max_attempts, created_at, updated_at, completed_at, cleanup_at, result_key) \
         SELECT {id}, '{tenant_id}', '{organization_id}', 'operator', 'test.nothing', '{{}}', 'standard', \
         'key ' || CAST(n AS TEXT), '{trace}', 'succeeded', 1, 3, {then}, {then}, {then}, {due} + n, \
         'results/{tenant_id}/' || {id} || '.json' FROM numbers"
    );
    let of_outbox = format!(
        "INSERT INTO outbox (tenant_id, event, subject, traceparent, occurred_at) \
         SELECT '{tenant_id}', 'job.succeeded', {id}, '{trace}', {then} FROM numbers"
    );
    format!("{}; {}", numbers(&of_jobs), numbers(&of_outbox))
}

fn objects(desk: &Desk) -> Objects {
    let pepper = Arc::new(argus_core::pepper::Pepper::open(&desk.installation.data_dir()).unwrap());
    Objects::open(&desk.installation.settings.objects, pepper, Clock::system()).unwrap()
}

/// How much of the jobs is to be removed.
fn left(desk: &Desk) -> usize {
    let count = "SELECT CAST(count(cleanup_at) + count(idempotency_key) + count(result_key) AS TEXT) AS line FROM jobs";
    desk.lines(count)[0].parse().unwrap()
}

/// Sweeps until it would rest.
fn sweep(desk: &Desk, objects: &Objects) -> JoinHandle<()> {
    let mut sweeper = Sweeper::new(desk.database.every_tenant.clone(), objects.clone());
    tokio::spawn(async move { while sweeper.sweep().await.unwrap() != Swept::default() {} })
}

async fn what_cannot_be_removed_keeps_nothing_else_from_it_and_is_removed_later(installation: Installation) {
    let desk = Desk::open(installation).await;
    let objects = objects(&desk);
    desk.sql(&expired(&desk, STUCK + 10));
    let Place::Directory { path: directory, .. } = &desk.installation.settings.objects.place else {
        panic!("a directory");
    };
    // As a file that cannot be removed: a directory that has something in it.
    let keys = desk.lines("SELECT result_key AS line FROM jobs ORDER BY id");
    let stuck: Vec<PathBuf> = keys[..STUCK].iter().map(|key| directory.join(key).join("in it")).collect();
    stuck.iter().for_each(|path| std::fs::create_dir_all(path).unwrap());
    sweep(&desk, &objects).await.unwrap();
    assert_eq!(left(&desk), 2 * STUCK, "when to look again, and the name of the result");
    stuck.iter().for_each(|path| std::fs::remove_dir_all(path.parent().unwrap()).unwrap());
    sweep(&desk, &objects).await.unwrap();
    assert_eq!(left(&desk), 0);
}

async fn whatever_is_over_is_removed_in_short_steps_that_an_interruption_does_not_undo(
    installation: Installation,
) {
    let desk = Desk::open(installation).await;
    let objects = objects(&desk);
    desk.sql(&expired(&desk, scale(3_000, 100_000)));
    let left = || left(&desk);
    let sweep = || sweep(&desk, &objects);
    let mut before = left();
    for _ in 0..INTERRUPTIONS {
        let sweeping = sweep();
        until("something is removed", async || left() < before).await;
        sweeping.abort();
        assert!(sweeping.await.unwrap_err().is_cancelled());
        let after = left();
        assert!(after < before && after > 0, "{after} of {before}");
        before = after;
    }
    let mut usual = Vec::new();
    for _ in 0..USUAL {
        usual.push(claim_time(&desk).await);
    }
    let sweeping = sweep();
    let mut beside = Vec::new();
    while !sweeping.is_finished() {
        beside.push(claim_time(&desk).await);
    }
    sweeping.await.unwrap();
    assert_eq!(left(), 0);
    let slowest = beside.iter().max().unwrap();
    assert!(*slowest < CLAIM_MAX, "a claim took {slowest:?}");
    // Of a few claims beside a few passes nothing can be said.
    if scale(false, true) {
        let (usual, beside) = (p99(usual), p99(beside));
        assert!(beside < usual * 2 + NOISE, "{beside:?}, and {usual:?} without sweeping");
    }
}

/// How long a claim takes of a job that was just enqueued.
async fn claim_time(desk: &Desk) -> Duration {
    let job = desk.job().await;
    let began = Instant::now();
    let claimed = desk.claim(1).await;
    let took = began.elapsed();
    assert_eq!(claimed[0].lease.id, job.id);
    assert!(desk.end(&claimed[0].lease, Ending::Succeeded(None)).await);
    took
}

/// The time that one of a hundred takes longer than.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}
