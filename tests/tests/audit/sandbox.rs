//! Calls on the sandbox host: in the audit trail behind the reply, tagged so that reports can leave them out.

use crate::black_box::support::{binary, token};
use argus_core::Clock;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Installation, TestProcess, TestServer, look_for, on_both_engines, sql};
use std::time::Duration;

on_both_engines! {
    calls_on_the_sandbox_are_recorded_in_aggregate_behind_the_reply
    calls_wait_while_the_database_is_away_and_those_of_no_tenant_are_left_out
}

const ENTRIES: &str = "SELECT tenant_id || ' ' || actor || ' ' || action || ' ' || CAST(occurrences AS TEXT) AS line \
    FROM audit_events WHERE environment = 'sandbox' AND secrecy_level = 'sandbox' ORDER BY action, id";

async fn flush(server: &TestServer) -> Result<(), argus_core::Error> {
    let app = server.state();
    app.sandbox_calls.flush(&app.database.every_tenant, &app.clock).await
}

async fn calls_on_the_sandbox_are_recorded_in_aggregate_behind_the_reply(server: TestServer) {
    let app = server.app(&[Scope::JobsRead]).await;
    let sandbox_token = app.sandbox_token(&[]).await;
    let list = || server.get(Host::Sandbox, "/v1/jobs", Some(&sandbox_token));
    let first = list().await.expect(200);
    for _ in 0..4 {
        assert_eq!(list().await.expect(200).body, first.body, "what is counted changes no reply");
    }
    // Another token of the app, a call that is refused for its scope, and one that nobody signs for.
    let again = app.sandbox_token(&["wallet.high-risk"]).await;
    server.get(Host::Sandbox, "/v1/jobs", Some(&again)).await.expect(200);
    let narrow = token(&server, Host::Sandbox, &app.tenancy.tenant_id, &[Scope::JobsRead]);
    server.get(Host::Sandbox, "/v1/profiles/p1", Some(&narrow)).await.expect(403);
    server.get(Host::Sandbox, "/.well-known/openapi.json", None).await.expect(200);
    server.get(Host::Sandbox, "/v1/jobs", None).await.expect(401);
    assert_eq!(sql::lines(&mut server.connect(), ENTRIES).unwrap(), [""; 0]);
    flush(&server).await.unwrap();
    let who = format!("{} {}", app.tenancy.tenant_id, app.client_id);
    let found = sql::lines(&mut server.connect(), ENTRIES).unwrap();
    assert_eq!(found[0], format!("{who} job_list 6"));
    assert!(found.len() == 2 && found[1].ends_with(" profile_view 1"), "{found:?}");
    let subject = "SELECT subject AS line FROM audit_events WHERE action = 'job_list'";
    let trace_id = first.header("x-argus-trace-id");
    assert_eq!(sql::lines(&mut server.connect(), subject).unwrap(), [trace_id]);
    flush(&server).await.unwrap();
    assert_eq!(sql::lines(&mut server.connect(), ENTRIES).unwrap().len(), 2, "each is written once");
    let reports =
        "SELECT action AS line FROM audit_events WHERE secrecy_level <> 'sandbox' AND action LIKE 'job%'";
    assert_eq!(sql::lines(&mut server.connect(), reports).unwrap(), [""; 0]);
    let linked = || {
        let waiting = "SELECT id AS line FROM audit_events WHERE sequence IS NULL";
        sql::lines(&mut server.connect(), waiting).unwrap().is_empty().then_some(())
    };
    look_for(linked).unwrap();
    let output = server.command(binary(), &["audit", "verify", "--environment", "sandbox"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with(&format!("{}/sandbox  ok  entries 2  head 2 ", app.tenancy.tenant_id)),
        "{said}"
    );
}

async fn calls_wait_while_the_database_is_away_and_those_of_no_tenant_are_left_out(
    mut installation: Installation,
) {
    installation.settings.store.deadlines.work = Duration::from_secs(1);
    let is_sqlite = installation.is_sqlite();
    let server = TestServer::start_on(installation, Clock::system());
    let app = server.app(&[Scope::JobsRead]).await;
    let sandbox_token = app.sandbox_token(&[]).await;
    let of_nobody = token(&server, Host::Sandbox, "tnt_of_nobody", &[Scope::JobsRead]);
    let mut other = server.connect();
    sql::execute(&mut other, if is_sqlite { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE audit_events" })
        .unwrap();
    for token in [&sandbox_token, &of_nobody] {
        server.get(Host::Sandbox, "/v1/jobs", Some(token)).await.expect(200);
    }
    flush(&server).await.unwrap_err();
    server.get(Host::Sandbox, "/v1/jobs", Some(&sandbox_token)).await.expect(200);
    sql::execute(&mut other, "ROLLBACK").unwrap();
    flush(&server).await.unwrap();
    let expected = format!("{} {} job_list 2", app.tenancy.tenant_id, app.client_id);
    assert_eq!(sql::lines(&mut other, ENTRIES).unwrap(), [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_recorded_and_linked_when_the_service_has_stopped() {
    let process = TestProcess::dev(binary());
    let app = process.tenancy().app(&[Scope::JobsRead]).await;
    let sandbox_token = app.sandbox_token(&[]).await;
    process.get(Host::Sandbox, "/v1/jobs", Some(&sandbox_token)).await.expect(200);
    let (ended, directory) = process.stop();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let url = format!("sqlite://{}", directory.path().join("data/argus.db").display());
    let mut connection = sql::connect(&url);
    let found = sql::lines(&mut connection, ENTRIES).unwrap();
    assert!(found.len() == 1 && found[0].ends_with(&format!(" {} job_list 1", app.client_id)), "{found:?}");
    let waiting = "SELECT id AS line FROM audit_events WHERE sequence IS NULL";
    assert_eq!(sql::lines(&mut connection, waiting).unwrap(), [""; 0]);
}
