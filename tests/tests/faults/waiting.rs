//! Deliveries that wait by the thousand for a receiver that is down: they lie in the database, and the node that will
//! deliver them holds no more memory for it, neither while they wait nor while they are delivered.

use super::deliveries::{start_by, subscribe};
use super::{PATIENCE, lines, until};
use crate::black_box::jobs::caller;
use argus_server::settings::Role;
use argus_tests::{
    Authority, Installation, Memory, Receiver, TestServer, Treatment, on_both_engines, scale, sql,
};
use std::time::{Duration, Instant};

on_both_engines! {
    deliveries_that_wait_and_then_all_come_cost_their_node_no_memory
}

const MIB: usize = 1024 * 1024;
/// How long nobody looks, since the node needs the processor more.
const LOOK: Duration = Duration::from_millis(100);
/// How much each event tells.
const EVENT_BYTES: usize = 4 * 1024;
/// What waits before it is looked at, so that a node has everything that it needs for it.
const USUAL: usize = 2_500;
/// Has the node give back at once what it does not hold any more: its own allocator, and that of the C library, in which
/// libpq keeps the rows that it has read.
const WITHOUT_RESERVES: [&str; 4] =
    ["env", "MIMALLOC_PURGE_DELAY=0", "MALLOC_ARENA_MAX=1", "MALLOC_TRIM_THRESHOLD_=0"];

/// Lets so many things happen at once.
fn happen(server: &TestServer, tenant_id: &str, count: usize) {
    let data = format!("{{\"name\":\"{}\"}}", "a".repeat(EVENT_BYTES));
    let happened = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
         INSERT INTO outbox (tenant_id, event, subject, data, secrecy_level, traceparent, occurred_at) \
         SELECT '{tenant_id}', 'profile.enriched', 'p' || CAST(n AS TEXT), '{data}', 'standard', '', {} FROM numbers",
        chrono::Utc::now().timestamp_micros()
    );
    sql::execute(&mut server.connect(), &happened).unwrap();
}

fn count(server: &TestServer, of: &str) -> usize {
    lines(server, &format!("SELECT CAST(count(*) AS TEXT) AS line FROM {of}"))[0].parse().unwrap()
}

/// Looks until nothing is left, for as long as less and less of it is.
async fn moves(what: &str, left: impl AsyncFn() -> usize) {
    let (mut least, mut looked) = (usize::MAX, Instant::now());
    while least > 0 {
        let now = left().await;
        if now < least {
            (least, looked) = (now, Instant::now());
        }
        assert!(looked.elapsed() < PATIENCE, "it does not go on: {what}, {least} are left");
        tokio::time::sleep(LOOK).await;
    }
}

async fn deliveries_that_wait_and_then_all_come_cost_their_node_no_memory(mut installation: Installation) {
    let waiting = scale(20_000, 100_000);
    // Less than what waits: a node that holds it holds more.
    let most = 64 * MIB;
    assert!(most < waiting * EVENT_BYTES);
    installation.settings.role = Role::Api;
    let server = TestServer::from(installation);
    let caller = caller(&server).await;
    let authority = Authority::fresh();
    let receiver = Receiver::behind_tls(&authority).await;
    subscribe(&server, &caller, &receiver.url(), &["profile.enriched"]).await;
    let node = start_by(&WITHOUT_RESERVES, &server, &authority);
    let memory = Memory::of(node.id());
    let queued = "deliveries WHERE status = 'queued'";
    happen(&server, &caller.tenancy.tenant_id, USUAL);
    // Its lane grows to its full width, with a connection for each place in it.
    let succeeded = "deliveries WHERE status = 'succeeded'";
    until("the usual ones", async || count(&server, succeeded) == USUAL).await;
    receiver.treats_all(Treatment::Answer(503));
    happen(&server, &caller.tenancy.tenant_id, USUAL);
    until("some wait", async || count(&server, queued) == USUAL && count(&server, "outbox") == 0).await;
    // What it needs to make deliveries at all, however few wait.
    let before = memory.peak();
    happen(&server, &caller.tenancy.tenant_id, waiting);
    moves("all of them wait", async || USUAL + waiting - count(&server, queued)).await;
    let more = memory.peak().saturating_sub(before);
    assert!(more < most, "{} KiB more while they wait, before {} KiB", more / 1024, before / 1024);
    receiver.treats_all(Treatment::Answer(204));
    moves("all of them come", async || {
        // Nobody waits for the pauses of those that have failed.
        let due = "UPDATE deliveries SET due_at = NULL WHERE due_at IS NOT NULL";
        sql::execute(&mut server.connect(), due).unwrap();
        count(&server, queued)
    })
    .await;
    let more = memory.peak().saturating_sub(before);
    assert!(more < most, "{} KiB more when all have come, before {} KiB", more / 1024, before / 1024);
    drop(node);
}
