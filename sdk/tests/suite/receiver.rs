//! Deliveries as typed events, from plain requests and through axum.

use argus_sdk::receiver::{BODY_MAX_BYTES, Delivery, Event, ReceiveError, Receiver};
use argus_sdk::webhooks::{
    ARGUS_SIGNATURE, VerificationError, Verifier, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
};
use argus_wire::signature::{argus_signature, standard_signature};
use axum::body::Body;
use axum::extract::FromRequest;
use axum::response::IntoResponse;
use futures::stream;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECRET: &str = "the secret of the subscription";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn signed(secret: &str, timestamp: i64, body: &[u8]) -> Request<Vec<u8>> {
    Request::post("/webhooks")
        .header(WEBHOOK_ID, "dlv_1")
        .header(WEBHOOK_TIMESTAMP, timestamp)
        .header(WEBHOOK_SIGNATURE, standard_signature(secret, "dlv_1", timestamp, body))
        .header(ARGUS_SIGNATURE, argus_signature(secret, body))
        .header("X-Argus-Trace-ID", TRACE)
        .header("X-Argus-Job-ID", "job_1")
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
        .header("tracestate", "vendor=value")
        .body(body.to_vec())
        .unwrap()
}

fn job(status: &str) -> Value {
    json!({ "id": "job_1", "kind": "export.bulk", "status": status, "trace_id": TRACE, "result_ref": null })
}

fn event(name: &str, data: &Value) -> Value {
    json!({ "id": "evt_1", "type": name, "sequence": 7, "occurred_at": "2026-03-23T12:00:00Z", "data": data })
}

fn receiver() -> Receiver {
    Receiver::new(Verifier::new(SECRET))
}

fn received(body: &Value) -> Result<Delivery, ReceiveError> {
    receiver().receive_request(&signed(SECRET, now(), body.to_string().as_bytes()))
}

#[test]
fn a_delivery_is_a_typed_event_with_its_id_its_job_and_its_trace() {
    let delivery = received(&event("job.succeeded", &job("succeeded"))).unwrap();
    assert_eq!((delivery.id.as_str(), delivery.job_id.as_deref()), ("dlv_1", Some("job_1")));
    assert_eq!(delivery.trace_id.as_deref(), Some(TRACE));
    assert_eq!(delivery.trace.unwrap().trace_id(), TRACE);
    assert_eq!(delivery.event.name(), Some("job.succeeded"));
    let Event::JobSucceeded(event) = delivery.event else { panic!("{:?}", delivery.event) };
    assert_eq!((event.data.id.as_str(), event.sequence), ("job_1", 7));
}

#[test]
fn every_event_that_is_published_has_a_type() {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/argus.json")).unwrap();
    let webhooks = document["webhooks"].as_object().unwrap();
    assert!(webhooks.len() > 7);
    for (name, item) in webhooks {
        let body = &item["post"]["requestBody"]["content"]["application/json"]["example"];
        let event = received(body).unwrap().event;
        assert!(!matches!(event, Event::Unknown { .. }), "{event:?}");
        assert_eq!(event.name(), Some(name.as_str()));
    }
}

#[test]
fn a_body_without_a_type_is_the_callback_of_a_job() {
    let event = received(&job("failed")).unwrap().event;
    assert_eq!(event.name(), None);
    let Event::Callback(notice) = event else { panic!("{event:?}") };
    assert_eq!(notice.id, "job_1");
}

#[test]
fn an_event_of_tomorrow_is_kept_whole() {
    let body = event("job.reborn", &json!({ "anything": [1] }));
    match received(&body).unwrap().event {
        Event::Unknown { r#type, body: kept } => assert_eq!((r#type.as_str(), kept), ("job.reborn", body)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn either_secret_will_do_while_one_is_being_replaced() {
    let body = event("job.failed", &job("failed")).to_string();
    let both = Receiver::new(Verifier::new("the new one").accept_also(SECRET));
    for secret in ["the new one", SECRET] {
        assert!(both.receive_request(&signed(secret, now(), body.as_bytes())).is_ok(), "{secret}");
    }
}

#[test]
fn each_refusal_has_its_status() {
    let body = event("job.failed", &job("failed")).to_string();
    let refused = |request: &Request<Vec<u8>>| receiver().receive_request(request).unwrap_err();
    let forged = refused(&signed("another secret", now(), body.as_bytes()));
    assert!(matches!(forged, ReceiveError::Verification(VerificationError::WrongSignature)), "{forged}");
    let replayed = refused(&signed(SECRET, now() - 301, body.as_bytes()));
    assert!(matches!(replayed, ReceiveError::Verification(VerificationError::TooOld)), "{replayed}");
    let unsigned = refused(&Request::new(body.clone().into_bytes()));
    assert!(
        matches!(unsigned, ReceiveError::Verification(VerificationError::MissingHeader(_))),
        "{unsigned}"
    );
    let misfit = refused(&signed(SECRET, now(), event("job.failed", &json!({})).to_string().as_bytes()));
    assert!(matches!(misfit, ReceiveError::Body(_)), "{misfit}");
    let long = refused(&signed(SECRET, now(), &vec![b' '; BODY_MAX_BYTES + 1]));
    assert!(matches!(long, ReceiveError::TooLong), "{long}");
    let statuses = [forged, replayed, unsigned, misfit, long].map(|error| error.status().as_u16());
    assert_eq!(statuses, [401, 401, 400, 400, 413]);
    let tolerant = Receiver::new(Verifier::new(SECRET).tolerance(Duration::from_secs(3600)));
    assert!(tolerant.receive_request(&signed(SECRET, now() - 301, body.as_bytes())).is_ok());
}

async fn extracted(request: Request<Body>) -> Result<Delivery, ReceiveError> {
    Delivery::from_request(request, &receiver()).await
}

#[tokio::test]
async fn axum_hands_a_handler_the_delivery_and_answers_a_refusal_with_its_status() {
    let body = event("job.cancelled", &job("cancelled")).to_string();
    let delivery = extracted(signed(SECRET, now(), body.as_bytes()).map(Body::from)).await.unwrap();
    assert!(matches!(delivery.event, Event::JobCancelled(_)), "{delivery:?}");
    let refused = extracted(signed("another", now(), body.as_bytes()).map(Body::from)).await.unwrap_err();
    assert_eq!(refused.into_response().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_body_without_an_end_is_read_to_its_bound_and_no_further() {
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
    let request = signed(SECRET, now(), b"").map(|_| Body::from_stream(endless));
    let refused = extracted(request).await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let broken = stream::iter([Ok(b"{".to_vec()), Err(std::io::Error::other("cut"))]);
    let request = signed(SECRET, now(), b"").map(|_| Body::from_stream(broken));
    assert!(matches!(extracted(request).await, Err(ReceiveError::Unfinished)));
}
