//! Tenants do not see each other's jobs, and PostgreSQL sees to it by itself.

use super::Desk;
use argus_core::jobs::view::{Job, Viewer};
use argus_core::jobs::{cancel, enqueue};
use argus_core::store::{Reader, Tx};
use argus_tests::{Installation, on_both_engines, run_on_postgres, sql};

on_both_engines! {
    the_job_of_another_tenant_does_not_exist
}

async fn the_job_of_another_tenant_does_not_exist(installation: Installation) {
    let desk = Desk::open(installation).await;
    let theirs = desk.job_of(&desk.stranger().await).await.id;
    let key = (theirs.clone(), Viewer::of(&desk.caller));
    let read = desk
        .database
        .requests
        .read_row(&desk.caller, move |reader: &mut Reader<'_>| reader.load::<Job>(&key));
    assert_eq!(read.await.unwrap_err().to_string(), "no such job");
    let cancelled =
        desk.database.requests.write(&desk.caller, move |tx: &mut Tx<'_>| cancel(tx, &theirs)).await;
    assert_eq!(cancelled.unwrap_err().to_string(), "no such job");
    assert_eq!(desk.lines("SELECT status AS line FROM jobs"), ["queued"]);
}

/// As a role that owns nothing and may bypass nothing, as in production.
#[test]
fn postgres_shows_a_session_the_rows_of_its_tenant_alone() {
    run_on_postgres(|installation: Installation| async {
        let desk = Desk::open(installation).await;
        let stranger = desk.stranger().await;
        let (mine, theirs) = (desk.job().await.id, desk.job_of(&stranger).await.id);
        desk.claim(2).await.into_iter().for_each(drop);
        let role = desk.lines("SELECT current_schema() || '_role' AS line").remove(0);
        let schema = desk.lines("SELECT current_schema()::text AS line").remove(0);
        desk.sql(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
        ));
        let mut session = desk.installation.connect();
        sql::execute(&mut session, &format!("SET ROLE {role}")).unwrap();
        let mut seen = |set: &str| {
            sql::execute(&mut session, &format!("BEGIN; {set}")).unwrap();
            let seen = sql::lines(&mut session, "SELECT id AS line FROM jobs ORDER BY id").unwrap();
            sql::execute(&mut session, "COMMIT").unwrap();
            seen
        };
        let tenant = |id: &str| format!("SET LOCAL argus.tenant_id = '{id}'");
        assert_eq!(seen("SELECT 1"), [""; 0], "a session that never named a tenant");
        assert_eq!(seen(&tenant(desk.caller.tenant_id().as_str())), [mine.as_str()]);
        assert_eq!(seen(&tenant(stranger.tenant_id().as_str())), [theirs.as_str()]);
        assert_eq!(seen("SELECT 1"), [""; 0], "what a transaction has named ends with it");
        assert_eq!(seen("SET LOCAL argus.every_tenant = 'on'").len(), 2, "the machinery");
        assert_eq!(seen("SELECT 1"), [""; 0]);
        let foreign = "INSERT INTO outbox (tenant_id, event, subject, traceparent, occurred_at) VALUES ('tnt_x', '', '', '', 0)";
        let refused = sql::execute(&mut session, foreign).unwrap_err().to_string();
        assert!(refused.contains("row-level security"), "{refused}");
        drop(session);
        desk.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    });
}

#[test]
fn a_write_for_a_tenant_does_not_reach_the_rows_of_another_even_without_a_filter() {
    run_on_postgres(|installation: Installation| async {
        let desk = Desk::open(installation).await;
        desk.job_of(&desk.stranger().await).await;
        let role = desk.lines("SELECT current_schema() || '_role' AS line").remove(0);
        let schema = desk.lines("SELECT current_schema()::text AS line").remove(0);
        desk.sql(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
        ));
        let set_role = format!("SET LOCAL ROLE {role}");
        let work = move |tx: &mut Tx<'_>| {
            let connection = tx.parts().0;
            sql::execute(connection, &set_role)?;
            sql::execute(connection, "UPDATE jobs SET status = 'cancelled'")?;
            sql::execute(connection, "RESET ROLE")?;
            enqueue(tx, &super::job())
        };
        desk.database.requests.write(&desk.caller, work).await.unwrap();
        assert_eq!(desk.lines("SELECT DISTINCT status AS line FROM jobs"), ["queued"]);
        desk.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    });
}
