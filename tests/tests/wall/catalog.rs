//! What PostgreSQL's catalog says of the wall. No table with a tenant is without it, and nobody may do more than is said
//! here, a second time, for a reader to see.

use super::Two;
use argus_core::store::{Database, OpenError};
use argus_server::service::PRODUCTS;
use argus_tests::{Installation, run_on_postgres, sql};

#[test]
fn every_table_with_a_tenant_has_row_level_security_forced_and_a_policy_for_requests() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let bare = "SELECT relname::text AS line FROM pg_class WHERE relkind IN ('r', 'p') \
            AND relnamespace = current_schema()::regnamespace \
            AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id') \
            AND NOT (relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policies \
            WHERE schemaname = current_schema() AND tablename = relname AND policyname = 'argus_requests'))";
        assert_eq!(two.lines(bare), [""; 0]);
        let policies = "SELECT DISTINCT roles::text || ': ' || qual AS line FROM pg_policies \
            WHERE schemaname = current_schema() AND cmd = 'ALL' ORDER BY 1";
        assert_eq!(
            two.lines(policies),
            [
                "{argus_test_owner}: true",
                "{argus_test_requests}: (tenant_id = NULLIF(current_setting('argus.tenant_id'::text, true), ''::text))",
            ]
        );
    });
}

#[test]
fn each_role_may_do_exactly_what_it_needs() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let granted = |role: &str| {
            two.lines(&format!(
                "SELECT relname || ': ' || string_agg(privilege_type, ' ' ORDER BY privilege_type) AS line \
                 FROM pg_class CROSS JOIN aclexplode(relacl) WHERE grantee = '{role}'::regrole \
                 AND relnamespace = current_schema()::regnamespace GROUP BY relname ORDER BY 1"
            ))
        };
        assert_eq!(
            granted("argus_test_requests"),
            [
                "__diesel_schema_migrations: SELECT",
                "apps: INSERT SELECT UPDATE",
                "audit_chains: SELECT",
                "audit_checkpoints: SELECT",
                "audit_events: INSERT SELECT",
                "authorization_codes: INSERT SELECT UPDATE",
                "client_assertions: INSERT",
                "deliveries: INSERT SELECT UPDATE",
                "grants: DELETE INSERT SELECT UPDATE",
                "installation: INSERT SELECT UPDATE",
                "invitations: DELETE INSERT SELECT",
                "jobs: INSERT SELECT UPDATE",
                "organizations: INSERT SELECT",
                "outbox: INSERT",
                "profiles: INSERT SELECT UPDATE",
                "pushed_requests: INSERT SELECT UPDATE",
                "refresh_tokens: INSERT SELECT UPDATE",
                "revocations: INSERT SELECT UPDATE",
                "scope_allowances: INSERT SELECT UPDATE",
                "sessions: DELETE INSERT SELECT UPDATE",
                "signing_secrets: DELETE INSERT SELECT UPDATE",
                "tenants: INSERT SELECT",
                "token_families: INSERT SELECT UPDATE",
                "uploads: INSERT",
                "users: DELETE INSERT SELECT UPDATE",
                "webhooks: INSERT SELECT UPDATE",
            ]
        );
        assert_eq!(
            granted("argus_test_worker"),
            [
                "audit_chains: INSERT SELECT UPDATE",
                "audit_checkpoints: INSERT SELECT UPDATE",
                "audit_events: DELETE INSERT SELECT",
                "authorization_codes: DELETE SELECT",
                "client_assertions: DELETE SELECT",
                "deliveries: DELETE INSERT SELECT UPDATE",
                "invitations: DELETE SELECT",
                "jobs: INSERT SELECT UPDATE",
                "limit_buckets: DELETE INSERT SELECT UPDATE",
                "outbox: DELETE INSERT SELECT UPDATE",
                "pushed_requests: DELETE SELECT",
                "refresh_tokens: DELETE SELECT",
                "revocations: DELETE SELECT",
                "sessions: DELETE SELECT",
                "signing_secrets: SELECT",
                "tenants: SELECT",
                "token_families: DELETE SELECT",
                "uploads: DELETE SELECT",
                "webhooks: DELETE SELECT UPDATE",
            ]
        );
        let of_columns = "SELECT relname || '.' || attname || ': ' || privilege_type || ' ' || grantee::regrole AS line \
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid CROSS JOIN aclexplode(attacl) \
            WHERE relnamespace = current_schema()::regnamespace ORDER BY 1";
        assert_eq!(
            two.lines(of_columns),
            ["hash", "previous_hash", "sequence"]
                .map(|column| format!("audit_events.{column}: UPDATE argus_test_worker")),
            "the linker gives an entry its place, and changes nothing else"
        );
        let policies = "SELECT tablename || ': ' || cmd AS line FROM pg_policies \
            WHERE schemaname = current_schema() AND roles = '{argus_test_worker}' ORDER BY 1";
        assert_eq!(
            two.lines(policies),
            [
                "audit_chains: INSERT",
                "audit_chains: SELECT",
                "audit_chains: UPDATE",
                "audit_checkpoints: INSERT",
                "audit_checkpoints: SELECT",
                "audit_checkpoints: UPDATE",
                "audit_events: DELETE",
                "audit_events: INSERT",
                "audit_events: SELECT",
                "audit_events: UPDATE",
                "authorization_codes: DELETE",
                "authorization_codes: SELECT",
                "client_assertions: DELETE",
                "client_assertions: SELECT",
                "deliveries: DELETE",
                "deliveries: INSERT",
                "deliveries: SELECT",
                "deliveries: UPDATE",
                "invitations: DELETE",
                "invitations: SELECT",
                "jobs: INSERT",
                "jobs: SELECT",
                "jobs: UPDATE",
                "outbox: DELETE",
                "outbox: INSERT",
                "outbox: SELECT",
                "outbox: UPDATE",
                "pushed_requests: DELETE",
                "pushed_requests: SELECT",
                "refresh_tokens: DELETE",
                "refresh_tokens: SELECT",
                "revocations: DELETE",
                "revocations: SELECT",
                "sessions: DELETE",
                "sessions: SELECT",
                "signing_secrets: SELECT",
                "tenants: SELECT",
                "token_families: DELETE",
                "token_families: SELECT",
                "uploads: DELETE",
                "uploads: SELECT",
                "webhooks: DELETE",
                "webhooks: SELECT",
                "webhooks: UPDATE",
            ]
        );
        let callers = "SELECT proname || ': ' || grantee::regrole::text AS line FROM pg_proc \
            CROSS JOIN aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE prosecdef \
            AND pronamespace = current_schema()::regnamespace AND grantee <> proowner ORDER BY 1";
        assert_eq!(
            two.lines(callers),
            [
                "argus_find_client: argus_test_requests",
                "argus_find_invitation: argus_test_requests",
                "argus_find_session: argus_test_requests",
                "argus_find_user: argus_test_requests",
                "argus_first_tenant: argus_test_requests",
            ]
        );
    });
}

#[test]
fn what_somebody_has_changed_of_the_wall_keeps_a_service_out_until_a_migration_has_mended_it() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let store = &two.installation.settings.store;
        for damage in [
            "ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE apps DISABLE ROW LEVEL SECURITY",
            "CREATE POLICY reports ON jobs USING (true)",
            "ALTER POLICY argus_requests ON profiles USING (true)",
            "DROP POLICY argus_worker_select ON jobs",
            "CREATE POLICY more ON apps TO argus_test_worker USING (true)",
            "GRANT SELECT ON apps TO argus_test_worker",
            "GRANT DELETE ON audit_events TO argus_test_requests",
            "GRANT UPDATE (actor) ON audit_events TO argus_test_worker",
            "REVOKE UPDATE (hash) ON audit_events FROM argus_test_worker",
            "GRANT SELECT ON jobs TO PUBLIC",
            "REVOKE UPDATE ON jobs FROM argus_test_requests",
            "GRANT EXECUTE ON FUNCTION argus_find_client(text) TO PUBLIC",
        ] {
            sql::execute(&mut two.installation.connect(), damage).unwrap();
            let refused = Database::open(store, PRODUCTS).unwrap_err();
            assert!(matches!(refused, OpenError::Wall(_)), "{damage}: {refused}");
            assert!(refused.to_string().contains("argus migrate"), "{refused}");
            let mended = two.installation.migrate_anew().unwrap();
            assert!(mended.migrations.is_empty() && !mended.wall.is_empty(), "{damage}");
            Database::open(store, PRODUCTS).unwrap_or_else(|error| panic!("{damage}: {error}"));
        }
        assert!(two.installation.migrate_anew().unwrap().wall.is_empty());
    });
}

#[test]
fn a_table_with_a_tenant_that_nobody_has_declared_is_refused() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let table = "CREATE TABLE forgotten (tenant_id TEXT)";
        sql::execute(&mut two.installation.connect_as_owner(), table).unwrap();
        let open = Database::open(&two.installation.settings.store, PRODUCTS).map(drop);
        for refused in [open, two.installation.migrate_anew().map(drop)] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("`forgotten`"), "{error}");
        }
    });
}
