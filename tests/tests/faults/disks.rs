//! Disks that take no more: jobs whose results cannot be kept fail and say why, nothing else does, and later ones
//! succeed once there is room.

use super::fill;
use crate::black_box::jobs::{caller, ended, enqueue, export, import, profile};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_server::settings::Role;
use argus_tests::{Caller, Installation, TestServer, Worker, on_both_engines, run_on_postgres, sql};
use serde_json::{Value, json};
use std::time::Duration;

on_both_engines! {
    a_job_whose_result_cannot_be_written_fails_and_says_why_and_later_ones_succeed
}

/// Looks for due jobs often.
const LEASE: Duration = Duration::from_secs(3);

async fn succeeds(caller: &Caller, job: &Value) {
    let job = ended(caller, &enqueue(caller, job).await).await;
    assert_eq!(job["status"], "succeeded", "{job}");
}

/// Why a job fails after its last attempt, to which nobody waits.
async fn failure(server: &TestServer, caller: &Caller, job: &Value) -> (String, String) {
    let id = enqueue(caller, job).await;
    let mut database = server.connect();
    if server.installation().is_sqlite() {
        sql::execute(&mut database, "PRAGMA busy_timeout = 9000").unwrap();
    }
    let job = loop {
        sql::execute(&mut database, "UPDATE jobs SET due_at = 1 WHERE due_at > 1").unwrap();
        let job = caller.get(&format!("/v1/jobs/{id}")).await.expect(200).json();
        if job["completed_at"] != Value::Null {
            break job;
        }
    };
    assert_eq!(job["status"], "failed", "{job}");
    let text = |member: &str| job["error"][member].as_str().unwrap().to_owned();
    assert!(!text("message").contains('/'), "where files lie is nobody's business: {job}");
    (text("code"), text("message"))
}

async fn a_job_whose_result_cannot_be_written_fails_and_says_why_and_later_ones_succeed(
    mut installation: Installation,
) {
    installation.settings.workers.lease = LEASE;
    let server = TestServer::from(installation);
    let caller = caller(&server).await;
    let job = import(&json!([profile("p1")]));
    succeeds(&caller, &job).await;
    let (results, aside) = (server.data_dir().join("objects/results"), server.scratch().join("aside"));
    std::fs::rename(&results, &aside).unwrap();
    // Not even root can write into it.
    std::fs::write(&results, "").unwrap();
    let (code, message) = failure(&server, &caller, &job).await;
    assert_eq!(code, "objects_unavailable");
    assert_eq!(message, "the place where objects are kept cannot be written; given up after 5 attempts");
    server.get(Host::Api, "/healthz", None).await.expect(200);
    std::fs::remove_file(&results).unwrap();
    std::fs::rename(&aside, &results).unwrap();
    succeeds(&caller, &job).await;
}

#[test]
fn a_full_disk_costs_the_jobs_that_find_no_room_and_no_other() {
    run_on_postgres(async |mut installation: Installation| {
        installation.settings.role = Role::Api;
        let server = TestServer::from(installation);
        let caller = caller(&server).await;
        fill(&mut server.connect(), &caller.tenancy.tenant_id, 10);
        let mut worker = Worker::start(binary(), server.installation(), &["--lease-seconds", "3"]);
        let (long, short) = (export("ndjson"), import(&json!([profile("p1")])));
        succeeds(&caller, &long).await;
        worker.limit_files(Some(64 * 1024));
        let (code, message) = failure(&server, &caller, &long).await;
        assert_eq!(code, "objects_unavailable");
        assert_eq!(message, "no room is left where objects are kept; given up after 5 attempts");
        succeeds(&caller, &short).await;
        assert!(worker.is_alive());
        worker.limit_files(None);
        succeeds(&caller, &long).await;
    });
}
