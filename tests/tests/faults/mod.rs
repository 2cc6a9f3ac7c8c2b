//! What really happens to a service: processes that are killed or told to stop, connections that are cut, disks
//! that are full, clocks that are wrong, input that never ends. Short in CI; `cargo xtask chaos` runs these at
//! their whole size.

mod away;
mod clocks;
mod cuts;
mod deliveries;
mod disks;
mod durability;
mod kills;
mod listening;
mod memory;
mod metering;
mod neighbours;
mod restarts;
mod retention;
mod snapshots;
mod stopping;
mod waiting;
mod writers;

use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished, Work};
use argus_core::store::{AnyConnection, Deadlines};
use argus_tests::{TOLD, TestServer, sql};
use argus_wire::hex;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(120);

/// Deadlines that a test can wait for.
const SHORT: Deadlines = Deadlines {
    connect: Duration::from_secs(1),
    acknowledgement: Duration::from_secs(10),
    check_out: Duration::from_secs(3),
    statement: Duration::from_secs(2),
    work: Duration::from_secs(3),
    limits: Duration::from_millis(50),
};

/// Counts how often it was done.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Work for Counted {
    const KIND: &'static str = "test.nothing";
    type Payload = serde_json::Value;

    async fn run(&self, _: &Assignment, _: Self::Payload) -> Result<Option<StoredResult>, Unfinished> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(None)
    }
}

/// Looks again and again, as long as only a broken service would need.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < patience, "it does not come: {what}");
        // The service needs the processor more.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn lines(server: &TestServer, query: &str) -> Vec<String> {
    sql::lines(&mut server.connect(), query).unwrap()
}

/// Asserts that each job that has ended was told once, and no other.
fn assert_told_once(server: &TestServer) {
    let wrongly = format!(
        "SELECT id || ' ' || status AS line FROM jobs WHERE \
         (CASE WHEN status IN ('queued', 'running') THEN 0 ELSE 1 END) \
             <> (SELECT count(*) FROM {TOLD} WHERE subject = id)"
    );
    assert_eq!(lines(server, &wrongly), [""; 0]);
}

/// Asserts that every job that succeeded has an object of the length and with the digest that it tells.
fn assert_results_are_whole(server: &TestServer) {
    let told = "SELECT result_key || ' ' || CAST(result_length AS TEXT) || ' ' || result_sha256 AS line FROM jobs \
        WHERE status = 'succeeded'";
    let objects = server.data_dir().join("objects");
    for line in lines(server, told) {
        let [key, length, sha256] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let content = std::fs::read(objects.join(key)).unwrap_or_else(|error| panic!("{key}: {error}"));
        let found = (content.len().to_string(), hex::encode(digest(&SHA256, &content).as_ref()));
        assert_eq!((&*found.0, &*found.1), (length, sha256), "{key}");
    }
}

/// Removes what a process that was killed left unfinished; the service does so after a day.
fn remove_unfinished(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_unfinished(&entry.path());
        } else if entry.file_name().to_string_lossy().contains('#') {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
}

/// How many bytes a profile of [`fill`] has at least when it is exported.
const PROFILE_BYTES: usize = 20_000;

/// Gives a tenant so many profiles with as many relations as there may be.
fn fill(connection: &mut AnyConnection, tenant_id: &str, profiles: usize) {
    let relation = json!({"to": "p".repeat(60), "label": "knows ".repeat(20).trim()});
    let relations = json!(vec![relation; 100]);
    let insert = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {profiles}) \
         INSERT INTO profiles (tenant_id, id, kind, display_name, secrecy_level, risk_score, relations, created_at, \
         updated_at) SELECT '{tenant_id}', 'p' || CAST(1000000 + n AS TEXT), 'device', 'A device', 'standard', 0, \
         '{relations}', 1, 1 FROM numbers"
    );
    if let AnyConnection::Sqlite(_) = connection {
        sql::execute(connection, "PRAGMA busy_timeout = 60000").unwrap();
    }
    sql::execute(connection, &insert).unwrap();
}
