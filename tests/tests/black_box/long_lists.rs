//! How many jobs a long list has: exact to ten thousand, beyond that at most a minute old, and never a reason to
//! give no page.

use super::jobs::{caller, enqueue, export};
use argus_core::Clock;
use argus_server::settings::Role;
use argus_tests::{Caller, Installation, TestServer, on_both_engines, sql};
use chrono::{TimeDelta, Utc};

on_both_engines! {
    the_count_of_a_long_list_is_exact_or_a_minute_old_and_never_costs_the_page
}

/// To which the count is exact.
const EXACT: usize = 10_000;
/// Behind how many jobs, oldest first, one stands that cannot be read.
const BEFORE_THE_BROKEN: usize = 20_000;

fn id(place: usize) -> String {
    format!("01JX0000000000{}", 100_000_000_000 + place)
}

/// Queued jobs, each later than the one before, and all older than what is accepted by HTTP.
fn fill(server: &TestServer, caller: &Caller, places: std::ops::Range<usize>) {
    let (tenant_id, organization_id) = (&caller.tenancy.tenant_id, &caller.tenancy.organization_id);
    let then = Utc::now().timestamp_micros() - 3_600_000_000;
    let (first, last) = (places.start, places.end - 1);
    let jobs = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}) \
         INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, traceparent, status, \
         max_attempts, created_at, updated_at) \
         SELECT '01JX0000000000' || CAST(100000000000 + n AS TEXT), '{tenant_id}', '{organization_id}', \
         'operator', 'export.bulk', '{{}}', 'standard', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', \
         'queued', 3, {then} + n, {then} + n FROM numbers"
    );
    sql::execute(&mut server.connect(), &jobs).unwrap();
    sql::execute(&mut server.connect(), "ANALYZE jobs").unwrap();
}

/// Lets whoever comes to one of the jobs fail. Those who read a page, or count to ten thousand, do not come so far.
fn break_one(server: &TestServer) {
    let broken = id(BEFORE_THE_BROKEN);
    let statements = if server.installation().is_sqlite() {
        format!(
            "ALTER TABLE jobs RENAME TO whole_jobs; CREATE VIEW jobs AS SELECT * FROM whole_jobs \
             WHERE CASE id WHEN '{broken}' THEN abs(-9223372036854775807 - 1) ELSE 1 END"
        )
    } else {
        format!(
            "CREATE POLICY broken ON jobs AS RESTRICTIVE \
             USING (1 / (CASE id WHEN '{broken}' THEN 0 ELSE 1 END) = 1)"
        )
    };
    sql::execute(&mut server.connect(), &statements).unwrap();
}

fn mend(server: &TestServer) {
    let statements = if server.installation().is_sqlite() {
        "DROP VIEW jobs; ALTER TABLE whole_jobs RENAME TO jobs"
    } else {
        "DROP POLICY broken ON jobs"
    };
    sql::execute(&mut server.connect(), statements).unwrap();
}

/// The count that a page has.
async fn count(caller: &Caller, query: &str) -> u64 {
    let page = caller.get(&format!("/v1/jobs?limit=5{query}")).await.expect(200).json();
    assert_eq!(page["jobs"].as_array().unwrap().len(), 5, "{page}");
    page["total_count"].as_u64().unwrap()
}

async fn the_count_of_a_long_list_is_exact_or_a_minute_old_and_never_costs_the_page(
    mut installation: Installation,
) {
    installation.settings.role = Role::Api;
    let clock = Clock::standing(Utc::now());
    let server = TestServer::start_on(installation, clock.clone());
    let caller = caller(&server).await;
    fill(&server, &caller, 0..EXACT - 1);
    assert_eq!(count(&caller, "").await, 9_999);
    enqueue(&caller, &export("csv")).await;
    assert_eq!(count(&caller, "").await, 10_000);
    for (accepted, counted) in [("the first beyond", 10_001), ("another, in the same minute", 10_001)] {
        enqueue(&caller, &export("csv")).await;
        assert_eq!(count(&caller, "").await, counted, "{accepted}");
    }
    clock.advance(TimeDelta::seconds(59));
    assert_eq!(count(&caller, "").await, 10_001);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(count(&caller, "").await, 10_002, "a minute later it is counted again");

    fill(&server, &caller, EXACT..3 * EXACT);
    clock.advance(TimeDelta::minutes(1));
    break_one(&server);
    assert_eq!(count(&caller, "").await, 10_002, "what was counted last");
    let unknown = count(&caller, "&status=queued").await;
    assert_eq!(unknown, 10_001, "as far as it is counted for every page");
    mend(&server);
    assert_eq!(count(&caller, "").await, 30_002);
    assert_eq!(count(&caller, "&status=queued").await, 30_002);
}
