//! Changes of a subscription: each counts from the next delivery on.

use super::jobs::{ended, enqueue};
use super::webhooks::{callers, put, subscribe, text, verify, work};
use argus_sdk::webhooks::VerificationError;
use argus_tests::{Caller, Receiver, TestServer, on_both_engines, sql};
use serde_json::{Value, json};

on_both_engines! {
    other_events_are_told_from_the_next_one_on
    another_secret_of_the_caller_s_signs_the_next_delivery
}

/// Does a job that fails.
async fn fail(caller: &Caller) {
    let payload = json!({"upload_ref": "upl_01jx0000000000000000000000"});
    let id = enqueue(caller, &json!({"kind": "import.bulk", "payload": payload})).await;
    assert_eq!(ended(caller, &id).await["status"], "failed");
}

async fn other_events_are_told_from_the_next_one_on(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let (receiver, witness) = (Receiver::start().await, Receiver::start().await);
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    subscribe(&subscriber, &witness, &["job.succeeded", "job.failed"]).await;
    let id = text(&created, "id");
    fail(&worker).await;
    work(&worker).await;
    witness.wait_for(2).await;
    let changed = put(&subscriber, id, &json!({"events": ["job.failed"]})).await;
    assert_eq!(changed["events"], json!(["job.failed"]));
    work(&worker).await;
    witness.wait_for(3).await;
    fail(&worker).await;
    witness.wait_for(4).await;
    let told = receiver.wait_for(2).await;
    let types: Vec<Value> = told.iter().map(|delivery| delivery.json()["type"].clone()).collect();
    assert_eq!(types, ["job.succeeded", "job.failed"]);
    let events =
        "SELECT event AS line FROM deliveries JOIN webhooks ON webhooks.id = webhook_id WHERE webhook_id = ";
    let kept = sql::lines(&mut server.connect(), &format!("{events}'{id}' ORDER BY deliveries.created_at"));
    assert_eq!(kept.unwrap(), ["job.succeeded", "job.failed"], "no other one was made");
    let viewed = subscriber.get(&format!("/v1/webhooks/{id}")).await.expect(200).json();
    assert_eq!(viewed["events"], json!(["job.failed"]));
}

async fn another_secret_of_the_caller_s_signs_the_next_delivery(server: TestServer) {
    const SECOND: &str = "the caller's second secret";
    const THIRD: &str = "whsec_dGhlIGNhbGxlcidzIHRoaXJkIHNlY3JldA==";
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let (id, first) = (text(&created, "id"), text(&created, "secret"));
    // The former one signs beside it for a while, unless the caller says otherwise.
    for (count, change, accepted, refused) in [
        (1, json!({"secret": SECOND}), &[first, SECOND][..], &[THIRD][..]),
        (2, json!({"secret": THIRD, "secret_overlap_seconds": 0}), &[THIRD], &[first, SECOND]),
    ] {
        let changed = put(&subscriber, id, &change).await;
        assert_eq!(changed["secret"], Value::Null, "it is the caller's: {changed}");
        assert_eq!(changed["former_secret_expires_at"].is_string(), accepted.len() == 2, "{changed}");
        work(&worker).await;
        let delivery = receiver.wait_for(count).await.remove(count - 1);
        for secret in accepted {
            assert_eq!(verify(&delivery, secret), Ok(()));
        }
        for secret in refused {
            assert_eq!(verify(&delivery, secret), Err(VerificationError::WrongSignature));
        }
    }
    let stored = "SELECT secret || coalesce(former_secret, '') AS line FROM signing_secrets";
    let stored = sql::lines(&mut server.connect(), stored).unwrap().concat();
    assert!(!stored.contains(SECOND) && !stored.contains(THIRD), "{stored}");
}
