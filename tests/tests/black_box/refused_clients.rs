//! Who guesses secrets leaves a trace: in the audit trail of the app's tenant, in aggregate, and in
//! `/metrics`.

use super::support::binary;
use argus_core::Clock;
use argus_core::store::{AnyConnection, Deadlines};
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_partner::refused_clients;
use argus_tests::{
    AppCredentials, Installation, Reach, TestProcess, TestServer, look_for, on_both_engines, sql,
};
use std::time::Duration;

on_both_engines! {
    wrong_secrets_are_audited_in_aggregate_and_counted
    what_is_counted_is_in_the_audit_trail_while_the_service_runs
    what_cannot_be_written_now_is_written_later
}

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// Tries wrong secrets of a client, at the same time.
async fn guess(reach: &Reach, client_id: &str, times: usize) {
    let guesses = (0..times).map(|_| reach.token_request(&GRANT, Some((client_id, "a wrong secret"))));
    for answer in futures::future::join_all(guesses).await {
        assert_eq!(answer.expect(401).text("error"), "invalid_client");
    }
}

/// The entries about refused clients: actor, subject, and how often.
fn entries(connection: &mut AnyConnection) -> Vec<String> {
    let query =
        "SELECT tenant_id || ' ' || actor || ' ' || subject || ' ' || CAST(occurrences AS TEXT) AS line
        FROM audit_events WHERE action = 'app.authentication.refuse' ORDER BY id";
    sql::lines(connection, query).unwrap()
}

fn entry(app: &AppCredentials, times: u32) -> String {
    let AppCredentials { tenancy, client_id, .. } = app;
    format!("{} {client_id} {client_id} {times}", tenancy.tenant_id)
}

async fn wrong_secrets_are_audited_in_aggregate_and_counted(server: TestServer) {
    let (first, second) = (server.app(&[Scope::JobsRead]).await, server.app(&[Scope::JobsRead]).await);
    guess(&server, &first.client_id, 50).await;
    guess(&server, &second.client_id, 1).await;
    guess(&server, "app_that_nobody_has", 5).await;
    guess(&server, "no client id", 4).await;
    server.token_request(&GRANT, first.basic()).await.expect(200);
    let metrics = server.get(Host::Auth, "/metrics", Some(&server.operator_token())).await.expect(200);
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("\nargus_client_authentication_failures_total 60\n"), "{metrics}");

    let flush = || refused_clients::flush(&server.state().identity);
    flush().await.unwrap();
    let mut found = entries(&mut server.connect());
    found.sort();
    let mut expected = [entry(&first, 50), entry(&second, 1)];
    expected.sort();
    assert_eq!(found, expected);
    flush().await.unwrap();
    assert_eq!(entries(&mut server.connect()).len(), 2, "each is written once");
    guess(&server, &first.client_id, 2).await;
    flush().await.unwrap();
    assert_eq!(entries(&mut server.connect()).last(), Some(&entry(&first, 2)));
}

async fn what_cannot_be_written_now_is_written_later(mut installation: Installation) {
    installation.settings.store.deadlines =
        Deadlines { work: Duration::from_secs(1), ..Deadlines::default() };
    let is_sqlite = installation.is_sqlite();
    let server = TestServer::start_on(installation, Clock::system());
    let app = server.app(&[Scope::JobsRead]).await;
    guess(&server, &app.client_id, 3).await;
    let mut other = server.connect();
    sql::execute(&mut other, if is_sqlite { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE audit_events" })
        .unwrap();
    refused_clients::flush(&server.state().identity).await.unwrap_err();
    guess(&server, &app.client_id, 4).await;
    sql::execute(&mut other, "ROLLBACK").unwrap();
    refused_clients::flush(&server.state().identity).await.unwrap();
    assert_eq!(entries(&mut other), [entry(&app, 7)]);
}

async fn what_is_counted_is_in_the_audit_trail_while_the_service_runs(mut installation: Installation) {
    installation.settings.flush_interval = Duration::from_millis(20);
    let server = TestServer::start_on(installation, Clock::system());
    let app = server.app(&[Scope::JobsRead]).await;
    let mut connection = server.connect();
    let mut await_entries = |count: usize| {
        look_for(|| Some(entries(&mut connection)).filter(|found| found.len() == count)).unwrap()
    };
    for count in 1..=2 {
        guess(&server, &app.client_id, 1).await;
        assert_eq!(await_entries(count).last(), Some(&entry(&app, 1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_in_the_audit_trail_when_the_service_has_stopped() {
    let process = TestProcess::dev(binary());
    let client_id = process.ready_text("client_id").to_owned();
    guess(&process, &client_id, 3).await;
    let (ended, directory) = process.stop();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let url = format!("sqlite://{}", directory.path().join("data/argus.db").display());
    let found = entries(&mut sql::connect(&url));
    assert!(found.len() == 1 && found[0].ends_with(&format!(" {client_id} {client_id} 3")), "{found:?}");
}
