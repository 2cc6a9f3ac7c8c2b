//! Workers that are told to stop in the middle of a job: they end it, or give it back at once to whoever comes
//! next, long before the lease would end.

use super::{lines, until};
use crate::black_box::jobs::{caller, ended, enqueue, upload};
use crate::black_box::support::binary;
use argus_server::settings::Role;
use argus_tests::{Caller, Installation, TestServer, Worker, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_worker_that_is_told_to_stop_ends_its_job_first
    a_worker_without_time_gives_its_job_back_and_another_one_does_it_at_once
}

const ROWS: usize = 20_000;

/// A long job of somebody, in the middle of which a worker is.
async fn at_work(
    mut installation: Installation,
    drain_seconds: &str,
) -> (TestServer, Caller, String, Worker) {
    installation.settings.role = Role::Api;
    let server = TestServer::from(installation);
    let caller = caller(&server).await;
    let row =
        |row| format!("{}\n", json!({"id": format!("p{row}"), "kind": "device", "display_name": "A device"}));
    let upload_ref = upload(&caller, (0..ROWS).map(row).collect::<String>().into_bytes()).await;
    let id = enqueue(&caller, &json!({"kind": "import.bulk", "payload": {"upload_ref": upload_ref}})).await;
    let worker = start(&server, drain_seconds);
    let begun = "SELECT 'begun' AS line WHERE EXISTS (SELECT 1 FROM profiles)";
    until("the first rows", async || !lines(&server, begun).is_empty()).await;
    assert_eq!(state(&server), ["running 1"]);
    (server, caller, id, worker)
}

fn start(server: &TestServer, drain_seconds: &str) -> Worker {
    let arguments = ["--lease-seconds", "3600", "--drain-seconds", drain_seconds];
    Worker::start(binary(), server.installation(), &arguments)
}

/// The state of the only job, and how often it was tried.
fn state(server: &TestServer) -> Vec<String> {
    lines(server, "SELECT status || ' ' || CAST(attempts AS TEXT) AS line FROM jobs")
}

fn assert_whole(server: &TestServer) {
    let profiles = lines(server, "SELECT CAST(count(*) AS TEXT) AS line FROM profiles");
    assert_eq!(profiles, [ROWS.to_string()]);
    assert_eq!(state(server), ["succeeded 1"]);
}

async fn a_worker_that_is_told_to_stop_ends_its_job_first(installation: Installation) {
    let (server, _, _, worker) = at_work(installation, "60").await;
    assert_eq!(worker.stop().code(), Some(0));
    assert_whole(&server);
}

async fn a_worker_without_time_gives_its_job_back_and_another_one_does_it_at_once(
    installation: Installation,
) {
    let (server, caller, id, worker) = at_work(installation, "0").await;
    assert_eq!(worker.stop().code(), Some(0));
    assert_eq!(state(&server), ["queued 0"]);
    let another = start(&server, "60");
    ended(&caller, &id).await;
    assert_whole(&server);
    assert_eq!(another.stop().code(), Some(0));
}
