//! Workers that are killed in the middle of jobs: none is lost, none ends twice, none waits longer than its
//! lease, and what succeeded is whole.

use super::{assert_results_are_whole, assert_told_once, lines, remove_unfinished, until};
use crate::black_box::jobs::{caller, import};
use crate::black_box::support::binary;
use argus_server::settings::Role;
use argus_tests::{
    Installation, TOLD, TestServer, Worker, keep_what_is_told, run_on_postgres, run_on_sqlite, scale, sql,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

const JOBS: usize = 40;
const PROFILES: usize = 150;
const LEASE_SECONDS: &str = "1";
/// How long after its lease a job may have nobody: as long as it takes to start workers on a busy machine, since
/// it is they who look.
const OVERDUE: Duration = Duration::from_secs(10);

fn start(server: &TestServer) -> Worker {
    let arguments = ["--lease-seconds", LEASE_SECONDS, "--worker-slots", "2"];
    Worker::start(binary(), server.installation(), &arguments)
}

#[test]
fn no_job_is_lost_or_ends_twice_when_workers_are_killed_on_postgres() {
    run_on_postgres(kill_workers);
}

#[test]
fn no_job_is_lost_or_ends_twice_when_workers_are_killed_on_sqlite() {
    run_on_sqlite(kill_workers);
}

async fn kill_workers(mut installation: Installation) {
    installation.settings.role = Role::Api;
    let server = TestServer::from(installation);
    let caller = caller(&server).await;
    keep_what_is_told(&mut server.connect());
    for job in 0..JOBS {
        let profiles: Value = (0..PROFILES)
            .map(|row| json!({"id": format!("p{job}-{row}"), "kind": "device", "display_name": "A device"}))
            .collect();
        caller.post("/v1/jobs", &import(&profiles)).await.expect(201);
    }
    let running = "SELECT CAST(lease_until AS TEXT) AS line FROM jobs WHERE status = 'running'";
    let open = "SELECT id AS line FROM jobs WHERE status IN ('queued', 'running')";
    let attempts = "SELECT CAST(lease AS TEXT) AS line FROM jobs WHERE status = 'running'";
    let (mut seen, mut killed_at_work) = (HashSet::new(), 0);
    let mut workers = [start(&server), start(&server)];
    for kill in 0..scale(20, 200) {
        // In the middle of an attempt that has begun since the last kill, if a job is left.
        until("a job at work", async || {
            assert_none_is_overdue(&lines(&server, running));
            lines(&server, attempts).iter().any(|attempt| !seen.contains(attempt))
                || lines(&server, open).is_empty()
        })
        .await;
        let at_work = lines(&server, attempts);
        killed_at_work += usize::from(!at_work.is_empty());
        seen.extend(at_work);
        workers[kill % 2] = start(&server);
        if lines(&server, open).is_empty() {
            assert_told_once(&server);
            assert_results_are_whole(&server);
            // What is done already is done again, under the same identifiers.
            let again = "UPDATE jobs SET status = 'queued', completed_at = NULL, attempts = 0, result_key = NULL, \
                cleanup_at = NULL; DELETE FROM outbox; DELETE FROM deliveries";
            sql::execute(&mut server.connect(), again).unwrap();
        }
    }
    assert!(killed_at_work > 0, "no kill met a job");
    until("the end of every job", async || {
        assert_none_is_overdue(&lines(&server, running));
        lines(&server, open).is_empty()
    })
    .await;
    drop(workers);
    remove_unfinished(&server.data_dir().join("objects"));
    assert_told_once(&server);
    assert_results_are_whole(&server);
    assert_eq!(lines(&server, "SELECT id AS line FROM jobs").len(), JOBS);
    assert_eq!(lines(&server, &format!("SELECT subject AS line FROM {TOLD}")).len(), JOBS);
    let failed = "SELECT DISTINCT error_code AS line FROM jobs WHERE status = 'failed'";
    assert!(lines(&server, failed).iter().all(|code| code == "lease_lost"), "{:?}", lines(&server, failed));
    let whole = "SELECT CAST(count(*) AS TEXT) AS line FROM profiles";
    let succeeded = lines(&server, "SELECT id AS line FROM jobs WHERE status = 'succeeded'").len();
    let profiles: usize = lines(&server, whole)[0].parse().unwrap();
    assert!(
        profiles >= succeeded * PROFILES && profiles <= JOBS * PROFILES,
        "{profiles} of {succeeded} jobs"
    );
}

/// Asserts that nobody's lease ended long ago.
fn assert_none_is_overdue(leases: &[String]) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    for lease in leases {
        let end = Duration::from_micros(lease.parse().unwrap());
        let overdue = now.saturating_sub(end);
        assert!(overdue < OVERDUE, "a job was stuck for {overdue:?} after its lease");
    }
}
