//! The linker of a running service, and what its metrics say of it.

use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{TestServer, look_for, on_both_engines, sql};
use std::process::Output;
use std::time::{Duration, Instant};

on_both_engines! {
    a_service_links_what_was_written_within_a_second_or_so_on_one_of_its_nodes
    what_waits_for_its_place_is_in_the_metrics
}

fn verify(server: &TestServer) -> Output {
    server.command(binary(), &["audit", "verify"])
}

async fn a_service_links_what_was_written_within_a_second_or_so_on_one_of_its_nodes(server: TestServer) {
    let node = server.another_node();
    let tenancy = server.tenant().await;
    tenancy.app(&[Scope::JobsRead]).await;
    let began = Instant::now();
    let waiting = "SELECT id AS line FROM audit_events WHERE sequence IS NULL";
    let linked = || sql::lines(&mut server.connect(), waiting).unwrap().is_empty().then_some(());
    look_for(linked).unwrap();
    // A machine that is busy takes longer than the rest of 300 ms; one that waits for something else, much longer.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let output = verify(&server);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains(&format!("{}/live  ok", tenancy.tenant_id)), "{said}");
    drop(node);
}

async fn what_waits_for_its_place_is_in_the_metrics(server: TestServer) {
    let metric = async |name: &str| {
        let answer = server.get(Host::Auth, "/metrics", Some(&server.operator_token())).await.expect(200);
        let text = String::from_utf8(answer.body).unwrap();
        let value =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<i64>().ok());
        value.unwrap_or_else(|| panic!("{name}: {text}"))
    };
    assert_eq!(metric("argus_audit_sandbox_calls_dropped_total").await, 0);
    let tenancy = server.tenant().await;
    let mut connection = server.connect();
    // A head that nobody has signed keeps the linker from the chain.
    sql::execute(
        &mut connection,
        &format!(
            "INSERT INTO audit_chains VALUES ('{0}', 'sandbox', 5, 'x', 'x', 'x', 1); \
             INSERT INTO audit_events (id, occurred_at, tenant_id, actor, action, subject, secrecy_level, environment) \
             VALUES ('of_the_test', '2026-01-01 00:00:00', '{0}', 'app_1', 'job_view', 'x', 'sandbox', 'sandbox')",
            tenancy.tenant_id
        ),
    )
    .unwrap();
    assert!(metric("argus_audit_unlinked_entries").await >= 1);
    assert!(metric("argus_audit_unlinked_oldest_seconds").await > 30 * 24 * 3600);
    let output = verify(&server);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("  changed: the head") && said.contains("  unlinked: 1 entries"), "{said}");
}
