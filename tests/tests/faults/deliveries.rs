//! Deliveries through what happens to nodes and receivers: every event reaches the healthy receiver, under one
//! identifier, and one that misbehaves holds up no other.

use super::{lines, until};
use crate::black_box::jobs::{caller, enqueue, import, profile};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_server::settings::Role;
use argus_tests::{
    Authority, Caller, Installation, Receiver, TestServer, Treatment, Worker, run_on_postgres, run_on_sqlite,
    scale,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const ENDS: [&str; 2] = ["job.succeeded", "job.failed"];

/// A node that delivers to this machine.
fn start(server: &TestServer, authority: &Authority) -> Worker {
    start_by(&[], server, authority)
}

/// The same through a program that takes another one's command.
pub(super) fn start_by(program: &[&str], server: &TestServer, authority: &Authority) -> Worker {
    let certificates = authority.file().to_str().unwrap();
    let arguments =
        ["--lease-seconds", "1", "--delivery-allow", "127.0.0.0/8", "--delivery-certificates", certificates];
    Worker::start_by(program, binary(), server.installation(), &arguments)
}

pub(super) async fn subscribe(server: &TestServer, caller: &Caller, url: &str, events: &[&str]) {
    let scopes = [Scope::WebhooksWrite];
    let mut claims = server.claims(Host::Auth, &caller.tenancy.tenant_id, &scopes);
    claims.organization_id.clone_from(&caller.tenancy.organization_id);
    let subscriber =
        Caller { host: Host::Auth, token: server.sign(&claims), tenancy: caller.tenancy.clone() };
    let body = json!({"url": url, "events": events});
    subscriber.post("/v1/webhooks", &body).await.expect(201);
}

#[test]
fn no_event_is_lost_when_nodes_are_killed_with_deliveries_on_their_way_on_postgres() {
    run_on_postgres(kill_nodes);
}

#[test]
fn no_event_is_lost_when_nodes_are_killed_with_deliveries_on_their_way_on_sqlite() {
    run_on_sqlite(kill_nodes);
}

async fn kill_nodes(mut installation: Installation) {
    installation.settings.role = Role::Api;
    let server = TestServer::from(installation);
    let caller = caller(&server).await;
    let authority = Authority::fresh();
    let (healthy, hanging) = (Receiver::behind_tls(&authority).await, Receiver::behind_tls(&authority).await);
    healthy.treats_all(Treatment::Take(Duration::from_millis(20)));
    hanging.treats_all(Treatment::Hang);
    subscribe(&server, &caller, &healthy.url(), &ENDS).await;
    subscribe(&server, &caller, &hanging.url(), &ENDS).await;
    let on_their_way = format!(
        "SELECT deliveries.id AS line FROM deliveries JOIN webhooks ON webhooks.id = webhook_id \
         WHERE lease IS NOT NULL AND url = '{}'",
        healthy.url()
    );
    let (mut jobs, mut killed_on_the_way) = (BTreeSet::new(), 0);
    let mut nodes = [start(&server, &authority), start(&server, &authority)];
    for kill in 0..scale(10, 200) {
        for number in 0..4 {
            jobs.insert(enqueue(&caller, &import(&json!([profile(&format!("p{kill}-{number}"))]))).await);
        }
        until("a delivery on its way", async || !lines(&server, &on_their_way).is_empty()).await;
        killed_on_the_way += usize::from(!lines(&server, &on_their_way).is_empty());
        nodes[kill % 2] = start(&server, &authority);
    }
    assert!(killed_on_the_way > 0, "no kill met a delivery");
    let open = format!(
        "SELECT subject AS line FROM outbox UNION ALL SELECT id FROM jobs WHERE status IN ('queued', 'running') \
         UNION ALL SELECT deliveries.id FROM deliveries JOIN webhooks ON webhooks.id = webhook_id \
         WHERE url = '{}' AND deliveries.status = 'queued'",
        healthy.url()
    );
    until("the last delivery", async || lines(&server, &open).is_empty()).await;
    drop(nodes);
    // Duplicates carry the same identifiers.
    let mut ids: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for delivery in healthy.came() {
        let event = delivery.json();
        let job = event["data"]["id"].as_str().unwrap().to_owned();
        let id = (delivery.header("webhook-id").to_owned(), event["id"].to_string());
        ids.entry(job).or_default().insert(id);
    }
    assert_eq!(ids.keys().cloned().collect::<BTreeSet<_>>(), jobs, "every event came");
    assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
    super::remove_unfinished(&server.data_dir().join("objects"));
}
