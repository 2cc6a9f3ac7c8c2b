//! Policies cost no index: the planner finds its way to a tenant's rows, and the machinery to those that are due.

use super::{Two, seen};
use argus_tests::{Installation, run_on_postgres, sql};

/// Enough that a look at all of it would be noticed.
const JOBS: u32 = 20_000;

#[test]
fn a_page_a_view_and_a_claim_are_found_by_their_indexes() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let tenant_id = two.mine.tenant_id();
        let fill = format!(
            "INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, traceparent, status, \
             max_attempts, created_at, updated_at) SELECT lpad(n::text, 26, '0'), CASE WHEN n % 2 = 0 THEN '{tenant_id}' \
             ELSE '{}' END, '', 'operator', 'test.nothing', '{{}}', 'standard', '', 'queued', 1, n, n \
             FROM generate_series(1, {JOBS}) AS series (n); ANALYZE jobs",
            two.theirs.tenant_id()
        );
        sql::execute(&mut two.installation.connect(), &fill).unwrap();

        let mut requests = two.requests();
        sql::execute(&mut requests, &format!("SET argus.tenant_id = '{tenant_id}'")).unwrap();
        let page = format!(
            "SELECT id FROM jobs WHERE tenant_id = '{tenant_id}' AND (created_at, id) < (10000, '') \
             AND secrecy_level IN ('standard', 'restricted') ORDER BY created_at DESC, id DESC LIMIT 50"
        );
        assert_uses(&mut requests, &page, "jobs_by_tenant");
        // Even one that forgets its tenant.
        let unfiltered = "SELECT id FROM jobs ORDER BY created_at DESC, id DESC LIMIT 50";
        assert_uses(&mut requests, unfiltered, "jobs_by_tenant");
        let view = format!("SELECT id FROM jobs WHERE id = 'x' AND tenant_id = '{tenant_id}'");
        assert_uses(&mut requests, &view, "jobs_pkey");
        // As it is prepared once for whatever tenant.
        let prepare = "SET plan_cache_mode = force_generic_plan; PREPARE page AS SELECT id FROM jobs WHERE tenant_id = $1 \
             AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT 50";
        sql::execute(&mut requests, prepare).unwrap();
        assert_uses(&mut requests, &format!("EXECUTE page('{tenant_id}', 10000, '')"), "jobs_by_tenant");

        let mut worker = two.worker();
        let claim = format!(
            "WITH picked AS MATERIALIZED (SELECT job.id FROM unnest(ARRAY['{tenant_id}']) AS turn (tenant_id) \
             CROSS JOIN LATERAL (SELECT id FROM jobs WHERE jobs.tenant_id = turn.tenant_id AND status = 'queued' \
             AND due_at IS NULL ORDER BY created_at, id LIMIT 32 FOR UPDATE SKIP LOCKED) AS job LIMIT 32) \
             UPDATE jobs SET status = 'running' FROM picked WHERE jobs.id = picked.id RETURNING jobs.id"
        );
        assert_uses(&mut worker, &claim, "jobs_to_claim");
        assert_uses(&mut worker, &claim, "jobs_pkey");
    });
}

/// Asserts that a statement reads no table as a whole, and uses this index.
#[track_caller]
fn assert_uses(session: &mut argus_core::store::AnyConnection, statement: &str, index: &str) {
    // `EXPLAIN` names its column otherwise than tests read it.
    let explained = format!(
        "DO $explain$ DECLARE line TEXT; plan TEXT := ''; BEGIN FOR line IN EXECUTE $statement$EXPLAIN {statement}$statement$ \
         LOOP plan := plan || line || E'\\n'; END LOOP; PERFORM set_config('argus.explained', plan, false); END $explain$"
    );
    sql::execute(session, &explained).unwrap();
    let plan = seen(session, "SELECT current_setting('argus.explained') AS line").unwrap().remove(0);
    assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{statement}:\n{plan}");
}
