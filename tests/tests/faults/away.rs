//! PostgreSQL that is away for a while: gone, so that every connection is cut, and silent, so that nothing comes
//! through. Requests are told to come again; jobs and deliveries go on by themselves when it is back, and nothing is
//! lost.

use super::cuts::post_until;
use super::deliveries::subscribe;
use super::{SHORT, assert_told_once, lines, until};
use crate::black_box::jobs::{caller, import, profile};
use argus_core::deliveries::couriers::CourierSettings;
use argus_core::jobs::workers::WorkerSettings;
use argus_openapi::Host;
use argus_tests::{Caller, Installation, Receiver, TestServer, Treatment, run_on_postgres, scale};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LEASE: Duration = Duration::from_secs(2);
const CLIENTS: usize = 3;
/// How long it may take until everything is as before.
const RECOVERED: Duration = Duration::from_secs(30);

/// How long a node lets anybody in that cannot look which tokens were revoked, and how exactly that is kept.
const UNKNOWN: Duration = Duration::from_secs(30);
const MARGIN: Duration = Duration::from_secs(8);

/// What is on its way, and what has not ended.
const ON_THEIR_WAY: &str = "SELECT id AS line FROM deliveries WHERE lease IS NOT NULL";
const OPEN: &str = "SELECT subject AS line FROM outbox UNION ALL SELECT id FROM deliveries WHERE status = 'queued' \
    UNION ALL SELECT id FROM jobs WHERE status IN ('queued', 'running')";

#[test]
fn while_postgres_is_away_requests_are_503_and_all_work_goes_on_by_itself_when_it_is_back() {
    run_on_postgres(async |mut installation: Installation| {
        let proxy = installation.behind_a_proxy().await;
        let settings = &mut installation.settings;
        settings.store.deadlines = SHORT;
        settings.workers = WorkerSettings { slots: 8, lease: LEASE, poll: Duration::from_millis(500) };
        settings.couriers = CourierSettings { lease: LEASE, ..CourierSettings::default() };
        settings.dialler.limits.attempt = LEASE / 2;
        let server = TestServer::from(installation);
        let caller = caller(&server).await;
        let admin = caller.tenancy.admin_token.clone();
        let receiver = Receiver::start().await;
        receiver.treats_all(Treatment::Take(Duration::from_millis(100)));
        subscribe(&server, &caller, &receiver.url(), &["job.succeeded", "job.failed"]).await;
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| tokio::spawn(post_until(caller.clone(), client, Arc::clone(&stop))))
            .collect();
        let away = scale(Duration::from_secs(4), Duration::from_secs(60));
        for is_silent in [false, true] {
            until("a delivery on its way", async || !lines(&server, ON_THEIR_WAY).is_empty()).await;
            if is_silent {
                proxy.stall()
            } else {
                proxy.leave()
            }
            let began = Instant::now();
            let mut refused = 0;
            while began.elapsed() < away {
                refused += expect_refusal(&caller).await;
                server.get(Host::Api, "/healthz", None).await.expect(200);
                // It asks no database; but which tokens were revoked is not known for ever.
                let began = began.elapsed();
                let scopes =
                    server.get(Host::Auth, "/v1/platform/scopes", Some(&admin)).await.status.as_u16();
                let (early, late) = (began < UNKNOWN - MARGIN, began > UNKNOWN + MARGIN);
                assert!(scopes == 200 && !late || scopes == 503 && !early, "{scopes} after {began:?}");
            }
            assert!(refused > 0);
            if is_silent {
                proxy.go_on()
            } else {
                proxy.come_back()
            }
            let back = Instant::now();
            let came = receiver.came().len();
            until("it is as before", async || caller.get("/v1/jobs?limit=1").await.status == 200).await;
            receiver.wait_for(came + 2 * CLIENTS).await;
            assert!(back.elapsed() < RECOVERED, "{:?}", back.elapsed());
        }
        stop.store(true, Ordering::SeqCst);
        let mut accepted = BTreeSet::new();
        for client in clients {
            accepted.extend(client.await.unwrap());
        }
        until("the end of everything", async || lines(&server, OPEN).is_empty()).await;
        assert_told_once(&server);
        let succeeded = lines(&server, "SELECT id AS line FROM jobs WHERE status = 'succeeded'");
        assert_eq!(BTreeSet::from_iter(succeeded), accepted, "what was accepted is there once and succeeds");
        // Duplicates carry the same identifiers.
        let mut ids: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for delivery in receiver.came() {
            let event = delivery.json();
            let job = event["data"]["id"].as_str().unwrap().to_owned();
            let id = (delivery.header("webhook-id").to_owned(), event["id"].to_string());
            ids.entry(job).or_default().insert(id);
        }
        assert_eq!(ids.keys().cloned().collect::<BTreeSet<_>>(), accepted, "every event came");
        assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
    });
}

/// Reads and writes, each of which is told to come again; says how many there were.
async fn expect_refusal(caller: &Caller) -> usize {
    let job = import(&json!([profile("p1")]));
    let answers = [caller.get("/v1/jobs?limit=1").await, caller.post("/v1/jobs", &job).await];
    for answer in &answers {
        answer.expect_error(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    answers.len()
}
