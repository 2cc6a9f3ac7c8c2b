//! What each role sees and may write: one tenant at a time, or the machinery's tables alone.

use super::{Two, refusal, seen};
use argus_core::store::{Error, Reader, Tx};
use argus_tests::{Installation, run_on_postgres, sql};

/// Who has rows in a table. This is what a query without its tenant filter sees.
fn owners(table: &str) -> String {
    format!("SELECT DISTINCT tenant_id AS line FROM {table} ORDER BY 1")
}

#[test]
fn a_query_that_forgets_its_tenant_sees_no_row_of_another() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let tables = two.tables();
        assert!(tables.len() >= 8, "{tables:?}");
        let mut both = [&two.mine, &two.theirs].map(|tenant| tenant.tenant_id().as_str().to_owned());
        both.sort();
        for table in tables {
            assert_eq!(two.lines(&owners(&table)), both, "both have rows in {table}");
            for tenant in [&two.mine, &two.theirs] {
                let query = owners(&table);
                let work = move |reader: &mut Reader<'_>| Ok::<_, Error>(seen(reader.parts().0, &query));
                match two.database.requests.read(tenant, work).await.unwrap() {
                    Ok(seen) => assert_eq!(seen, [tenant.tenant_id().as_str()], "{table}"),
                    Err(error) => assert!(error.contains("permission denied"), "{table}: {error}"),
                }
            }
        }
    });
}

#[test]
fn a_write_that_forgets_its_tenant_changes_no_row_of_another_and_writes_none_for_it() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let foreign = two.theirs.tenant_id().as_str().to_owned();
        let work = move |tx: &mut Tx<'_>| {
            let connection = tx.parts().0;
            sql::execute(
                connection,
                "UPDATE jobs SET kind = 'changed'; UPDATE profiles SET kind = 'changed'",
            )?;
            sql::execute(connection, "SAVEPOINT here")?;
            let insert = format!("INSERT INTO uploads VALUES ('upl_new', '{foreign}', 1)");
            let moved = format!("UPDATE jobs SET tenant_id = '{foreign}'");
            for statement in [insert, moved] {
                let refused = refusal(connection, &statement);
                assert!(refused.contains("row-level security"), "{refused}");
                sql::execute(connection, "ROLLBACK TO here")?;
            }
            Ok::<_, Error>(())
        };
        two.database.requests.write(&two.mine, work).await.unwrap();
        for table in ["jobs", "profiles"] {
            let changed = format!("SELECT tenant_id AS line FROM {table} WHERE kind = 'changed'");
            assert_eq!(two.lines(&changed), [two.mine.tenant_id().as_str()], "{table}");
        }
    });
}

#[test]
fn a_session_without_a_tenant_sees_and_writes_nothing_whether_or_not_it_had_one_before() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let (mut used, mut fresh) = (two.requests(), two.requests());
        let begin = format!("BEGIN; SET LOCAL argus.tenant_id = '{}'", two.mine.tenant_id());
        for end in ["COMMIT", "ROLLBACK"] {
            sql::execute(&mut used, &begin).unwrap();
            assert_eq!(seen(&mut used, &owners("jobs")).unwrap(), [two.mine.tenant_id().as_str()]);
            sql::execute(&mut used, end).unwrap();
        }
        // What is left of the setting is an empty text; on the other session it never was.
        let setting = "SELECT coalesce(current_setting('argus.tenant_id', true), 'never set') AS line";
        assert_eq!(seen(&mut used, setting).unwrap(), [""]);
        assert_eq!(seen(&mut fresh, setting).unwrap(), ["never set"]);
        for session in [&mut used, &mut fresh] {
            for table in two.tables() {
                match seen(session, &owners(&table)) {
                    Ok(seen) => assert_eq!(seen, [""; 0], "{table}"),
                    Err(error) => assert!(error.contains("permission denied"), "{table}: {error}"),
                }
            }
            // An empty text is nobody's name, either.
            for tenant in [two.mine.tenant_id().as_str(), ""] {
                let insert = format!("INSERT INTO uploads VALUES ('upl_new', '{tenant}', 1)");
                let refused = refusal(session, &insert);
                assert!(refused.contains("row-level security"), "{refused}");
            }
            sql::execute(session, "UPDATE jobs SET kind = 'changed'").unwrap();
        }
        assert_eq!(two.lines("SELECT id AS line FROM jobs WHERE kind = 'changed'"), [""; 0]);
    });
}

#[test]
fn no_setting_and_no_role_that_a_session_can_take_opens_the_wall() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        for attempt in [
            "SET argus.every_tenant = 'on'",
            "SET argus.tenant_id = '%'",
            "SET argus.tenant_id = 'x'' OR true --'",
            "SET row_security = off",
            "SET ROLE argus_test_owner",
            "SET ROLE argus_test_worker",
            "SET SESSION AUTHORIZATION argus_test_owner",
            "SET ROLE pg_read_all_data",
            "ALTER TABLE jobs DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY",
            "CREATE POLICY more ON jobs USING (true)",
            "GRANT SELECT ON jobs TO PUBLIC",
            "CREATE TEMP TABLE apps AS SELECT * FROM apps",
        ] {
            let mut session = two.requests();
            let _ = sql::execute(&mut session, attempt);
            match seen(&mut session, &owners("jobs")) {
                Ok(seen) => assert_eq!(seen, [""; 0], "{attempt}"),
                Err(error) => assert!(error.contains("row-level security"), "{attempt}: {error}"),
            }
        }
    });
}

#[test]
fn the_machinery_sees_every_tenant_in_its_own_tables_and_nothing_of_the_others() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let mut worker = two.worker();
        for table in two.tables() {
            match seen(&mut worker, &owners(&table)) {
                Ok(seen) => {
                    let own = [
                        "audit_chains",
                        "audit_checkpoints",
                        "audit_events",
                        "authorization_codes",
                        "client_assertions",
                        "deliveries",
                        "invitations",
                        "jobs",
                        "outbox",
                        "pushed_requests",
                        "refresh_tokens",
                        "revocations",
                        "sessions",
                        "signing_secrets",
                        "tenants",
                        "token_families",
                        "uploads",
                        "webhooks",
                    ];
                    assert!(own.contains(&table.as_str()), "{table}");
                    assert_eq!(seen.len(), 2, "{table}");
                }
                Err(error) => assert!(error.contains("permission denied"), "{table}: {error}"),
            }
        }
        for statement in [
            "DELETE FROM jobs",
            "TRUNCATE jobs",
            "UPDATE uploads SET created_at = 0",
            "UPDATE signing_secrets SET secret = ''",
            "INSERT INTO webhooks (id) VALUES ('wh_x')",
            "UPDATE audit_events SET actor = ''",
            "UPDATE audit_events SET sequence = 1, actor = ''",
            "DELETE FROM audit_chains",
            "UPDATE tenants SET name = ''",
            "SELECT * FROM installation",
            "SELECT * FROM argus_find_client('app_x')",
            "SELECT * FROM argus_find_user('ada@example.com')",
            "SELECT * FROM argus_find_session('x')",
            "SELECT * FROM argus_find_invitation('x')",
            "SELECT * FROM users",
            "SELECT * FROM argus_first_tenant()",
        ] {
            let refused = refusal(&mut worker, statement);
            assert!(refused.contains("permission denied"), "{statement}: {refused}");
        }
    });
}
