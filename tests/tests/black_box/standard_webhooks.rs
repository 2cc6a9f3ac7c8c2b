//! Deliveries as somebody checks them who knows nothing of this project: by the library of Standard Webhooks itself. What
//! the live hosts send and what the sandbox shows pass the same code.

use super::jobs::{JOBS, enqueue, import, profile};
use super::webhooks::{WEBHOOKS, all_are, callers, listed, make_due, put, subscribe, text, work};
use argus_openapi::Host;
use argus_openapi::types::webhooks::WebhookEvent;
use argus_tests::{Caller, Delivery, Receiver, TestServer, Treatment, on_both_engines};
use http::Method;
use serde_json::{Value, json};
use standardwebhooks::{Webhook, WebhookError};

on_both_engines! {
    live_deliveries_pass_at_every_attempt_and_under_either_secret
    a_live_delivery_that_was_touched_does_not_pass
    a_live_delivery_passes_under_a_secret_of_the_caller_s
    live_callbacks_pass_under_either_secret_of_the_app
    deliveries_that_the_sandbox_shows_pass
}

/// Checks a delivery now.
pub(super) fn check(delivery: &Delivery, secret: &str) -> Result<(), WebhookError> {
    Webhook::new(secret).unwrap().verify(&delivery.body, &delivery.headers)
}

async fn live_deliveries_pass_at_every_attempt_and_under_either_secret(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_next([Treatment::Answer(500)]);
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let (id, first) = (text(&created, "id"), text(&created, "secret"));
    work(&worker).await;
    receiver.wait_for(1).await;
    let has_failed = |deliveries: &[Value]| !deliveries[0]["attempts"].as_array().unwrap().is_empty();
    listed(&subscriber, id, has_failed).await;
    let rotated = put(&subscriber, id, &json!({"rotate_secret": true})).await;
    make_due(&server);
    let came = receiver.wait_for(2).await;
    check(&came[0], first).unwrap();
    for secret in [first, text(&rotated, "secret")] {
        check(&came[1], secret).unwrap();
    }
    let test = subscriber.request(Method::POST, &format!("/v1/webhooks/{id}/test"));
    subscriber.send(test).await.expect(202);
    check(&receiver.wait_for(3).await[2], first).unwrap();
    listed(&subscriber, id, all_are("succeeded")).await;
}

async fn a_live_delivery_that_was_touched_does_not_pass(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    work(&worker).await;
    let delivery = receiver.wait_for(1).await.remove(0);
    let secret = text(&created, "secret");
    let refused = |delivery: &Delivery, secret| {
        let checked = check(delivery, secret);
        assert!(matches!(checked, Err(WebhookError::InvalidSignature)), "{checked:?}");
    };
    refused(&delivery, "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==");
    let later = delivery.header("webhook-timestamp").parse::<i64>().unwrap() + 1;
    for (header, value) in [("webhook-id", "dlv_another"), ("webhook-timestamp", &later.to_string())] {
        let mut touched = delivery.clone();
        touched.headers.insert(header, value.parse().unwrap());
        refused(&touched, secret);
    }
    let body = [&delivery.body[..], b" "].concat().into();
    refused(&Delivery { body, ..delivery.clone() }, secret);
    check(&delivery, secret).unwrap();
}

async fn a_live_delivery_passes_under_a_secret_of_the_caller_s(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    const ENCODED: &str = "whsec_dGhlIGNhbGxlcidzIG93biBzZWNyZXQ=";
    const PLAIN: &str = "a secret that nobody guesses";
    for (count, secret) in [ENCODED, PLAIN].into_iter().enumerate() {
        let body = json!({"url": receiver.url(), "events": ["job.succeeded"], "secret": secret});
        let created = subscriber.post("/v1/webhooks", &body).await.expect(201).json();
        work(&worker).await;
        let delivery = receiver.wait_for(count + 1).await.remove(count);
        // What has no prefix is the key itself.
        let library = match secret {
            PLAIN => Webhook::from_bytes(PLAIN.into()),
            _ => Webhook::new(secret),
        };
        library.unwrap().verify(&delivery.body, &delivery.headers).unwrap();
        put(&subscriber, text(&created, "id"), &json!({"status": "disabled"})).await;
    }
}

async fn live_callbacks_pass_under_either_secret_of_the_app(server: TestServer) {
    let app = server.app(&JOBS).await;
    let worker = Caller { host: Host::Api, token: app.live_token(&[]).await, tenancy: app.tenancy.clone() };
    let receiver = Receiver::start().await;
    let mut job = import(&json!([profile("p1")]));
    job["callback_url"] = json!(receiver.url());
    enqueue(&worker, &job).await;
    check(&receiver.wait_for(1).await[0], &app.callback_secret).unwrap();
    let rotated = app.tenancy.post_nothing(&app.path("/rotate-callback-secret")).await.expect(200).json();
    enqueue(&worker, &job).await;
    let delivery = receiver.wait_for(2).await.remove(1);
    for secret in [&app.callback_secret, text(&rotated, "callback_secret")] {
        check(&delivery, secret).unwrap();
    }
}

async fn deliveries_that_the_sandbox_shows_pass(server: TestServer) {
    let app = server.app(&WEBHOOKS).await;
    let token = app.sandbox_token(&[]).await;
    let caller = Caller { host: Host::Sandbox, token, tenancy: app.tenancy.clone() };
    let events = WebhookEvent::ALL;
    let subscription = json!({"url": "https://integrator.example/webhooks", "events": events});
    let created = caller.post("/v1/webhooks", &subscription).await.expect(201).json();
    let path = format!("/v1/webhooks/{}/deliveries", text(&created, "id"));
    let shown = caller.get(&path).await.expect(200).json();
    let deliveries = shown["deliveries"].as_array().unwrap();
    assert!(deliveries.len() > events.len(), "one of each, and a test: {shown:#}");
    let library = Webhook::new(text(&created, "secret")).unwrap();
    for delivery in deliveries {
        let (headers, body) = (&delivery["request"]["headers"], text(&delivery["request"], "body"));
        let [id, timestamp, signatures] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| text(headers, name));
        // The sandbox's clock is its own, and the library cannot be told what time it is. What it would sign then, it
        // can.
        let at_its_time = library.sign(id, timestamp.parse().unwrap(), body.as_bytes()).unwrap();
        assert!(signatures.split(' ').any(|signature| signature == at_its_time), "{delivery:#}");
    }
}
