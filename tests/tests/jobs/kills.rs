//! Workers that are killed in the middle of jobs: none is lost, none ends twice, none waits longer than its
//! lease. `ARGUS_KILLS` says how often; `cargo xtask chaos` kills more often than CI does.

use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_server::settings::Role;
use argus_tests::{Installation, TestServer, open_command, run_on_postgres, run_on_sqlite, sql};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// How often in CI.
const KILLS: u32 = 20;
const JOBS: usize = 40;
const PROFILES: usize = 150;

/// A worker of its own process. It is killed when this is dropped.
struct Worker(Child);

impl Worker {
    fn start(installation: &Installation) -> Self {
        let objects = format!("file://{}?shared=true", installation.data_dir().join("objects").display());
        let child = open_command(Path::new(env!("CARGO_BIN_EXE_argus-under-test")))
            .args(["serve", "--role", "worker", "--lease-seconds", "1", "--worker-slots", "2"])
            .args([
                "--auth-addr",
                "127.0.0.1:0",
                "--api-addr",
                "127.0.0.1:0",
                "--sandbox-addr",
                "127.0.0.1:0",
            ])
            .args(["--objects", &objects])
            .env("ARGUS_DATA_DIR", installation.data_dir())
            .env("ARGUS_DATABASE_URL", installation.settings.store.url.expose())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
    let kills = std::env::var("ARGUS_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    installation.settings.role = Role::Api;
    let server = TestServer::from(installation);
    let caller = server.caller(Host::Api, &[Scope::JobsRead, Scope::JobsWrite]).await;
    for job in 0..JOBS {
        let profiles: Vec<Value> = (0..PROFILES)
            .map(|row| json!({"id": format!("p{job}-{row}"), "kind": "device", "display_name": "A device"}))
            .collect();
        let body = json!({"kind": "import.bulk", "payload": {"profiles": profiles}});
        caller.post("/v1/jobs", &body).await.expect(201);
    }
    let running = "SELECT id AS line FROM jobs WHERE status = 'running'";
    let open = "SELECT id AS line FROM jobs WHERE status IN ('queued', 'running')";
    let mut killed_at_work = 0;
    let mut workers = [Worker::start(server.installation()), Worker::start(server.installation())];
    for kill in 0..kills {
        // In the middle of a job, if there is one left; a worker that has just started has none yet.
        let patience = tokio::time::Instant::now() + Duration::from_millis(400);
        while tokio::time::Instant::now() < patience && lines(&server, running).is_empty() {
            tokio::task::yield_now().await;
        }
        killed_at_work += usize::from(!lines(&server, running).is_empty());
        workers[kill as usize % 2] = Worker::start(server.installation());
        if lines(&server, open).is_empty() {
            // What is done already is done again, under the same identifiers.
            let again = "UPDATE jobs SET status = 'queued', completed_at = NULL, attempts = 0, result_key = NULL, \
                cleanup_at = NULL; DELETE FROM outbox";
            sql::execute(&mut server.connect(), again).unwrap();
        }
    }
    assert!(killed_at_work > 0, "no kill met a job");
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    while !lines(&server, open).is_empty() {
        assert!(tokio::time::Instant::now() < patience, "jobs are stuck: {:?}", lines(&server, open));
        tokio::task::yield_now().await;
    }
    drop(workers);
    assert_eq!(lines(&server, "SELECT id AS line FROM jobs").len(), JOBS);
    let told = "SELECT subject || ' ' || count(*) AS line FROM outbox GROUP BY subject HAVING count(*) <> 1";
    assert_eq!(lines(&server, told), [""; 0]);
    assert_eq!(lines(&server, "SELECT subject AS line FROM outbox").len(), JOBS);
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

fn lines(server: &TestServer, query: &str) -> Vec<String> {
    sql::lines(&mut server.connect(), query).unwrap()
}
