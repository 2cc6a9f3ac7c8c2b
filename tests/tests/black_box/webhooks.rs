//! Subscriptions and their deliveries on the live hosts, over HTTP, to receivers that listen on this machine.

#[allow(dead_code)]
#[path = "../../../sdk/examples/receive_webhooks.rs"]
mod receive_webhooks;

use super::jobs::{JOBS, ended, enqueue, import, profile};
use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_sdk::receiver::Event;
use argus_sdk::webhooks::{VerificationError, Verifier};
use argus_tests::{Caller, Delivery, Receiver, TestServer, Treatment, on_both_engines, published, sql};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

on_both_engines! {
    an_event_is_delivered_signed_and_listed
    a_secret_of_the_caller_s_signs_and_is_never_shown
    while_a_secret_is_replaced_a_receiver_with_either_accepts
    a_failed_attempt_is_repeated_with_the_same_id_and_body_and_a_signature_of_its_own
    a_receiver_that_asks_for_time_gets_it
    a_receiver_that_is_gone_is_disabled_and_what_it_missed_can_be_replayed
    a_receiver_that_fails_for_five_days_is_disabled
    a_receiver_that_hangs_delays_no_other
    a_test_is_delivered_to_a_disabled_subscription_too
    one_delivery_is_sent_again_on_demand
    a_deleted_subscription_is_told_of_nothing_more
    a_callback_is_signed_with_the_secret_of_the_app
    a_callback_that_nobody_could_sign_is_refused
    a_receiver_at_an_address_that_is_not_public_is_sent_nothing
    another_tenant_s_subscription_does_not_exist
    an_operator_sees_what_waits_and_has_it_told_again
    the_example_of_a_receiver_is_told_of_its_job
}

pub(super) const WEBHOOKS: [Scope; 2] = [Scope::WebhooksRead, Scope::WebhooksWrite];

/// Somebody who subscribes, and the same tenant's caller for jobs.
pub(super) async fn callers(server: &TestServer) -> (Caller, Caller) {
    let subscriber = server.caller(Host::Auth, &WEBHOOKS).await;
    let worker = beside(server, &subscriber, Host::Api, &JOBS);
    (subscriber, worker)
}

/// Another caller of the same tenant.
pub(super) fn beside(server: &TestServer, caller: &Caller, host: Host, scopes: &[Scope]) -> Caller {
    let mut claims = server.claims(host, &caller.tenancy.tenant_id, scopes);
    claims.organization_id.clone_from(&caller.tenancy.organization_id);
    Caller { host, token: server.sign(&claims), tenancy: caller.tenancy.clone() }
}

pub(super) async fn subscribe(caller: &Caller, receiver: &Receiver, events: &[&str]) -> Value {
    let body = json!({"url": receiver.url(), "events": events});
    caller.post("/v1/webhooks", &body).await.expect(201).json()
}

pub(super) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// Does a job that succeeds, and returns its identifier.
pub(super) async fn work(caller: &Caller) -> String {
    let id = enqueue(caller, &import(&json!([profile("p1")]))).await;
    assert_eq!(ended(caller, &id).await["status"], "succeeded");
    id
}

pub(super) fn verify(delivery: &Delivery, secret: &str) -> Result<(), VerificationError> {
    Verifier::new(secret).verify(&delivery.headers, &delivery.body)
}

/// The deliveries of a subscription, once the condition holds for them.
pub(super) async fn listed(caller: &Caller, id: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let list = caller.get(&format!("/v1/webhooks/{id}/deliveries")).await.expect(200).json();
        let deliveries = list["deliveries"].as_array().unwrap().clone();
        if holds(&deliveries) {
            return deliveries;
        }
        assert!(tokio::time::Instant::now() < patience, "{list:#}");
        tokio::task::yield_now().await;
    }
}

pub(super) fn all_are(status: &str) -> impl Fn(&[Value]) -> bool {
    let status = status.to_owned();
    move |deliveries| {
        !deliveries.is_empty() && deliveries.iter().all(|delivery| delivery["status"] == *status)
    }
}

/// Lets what waits for its next attempt be attempted now.
pub(super) fn make_due(server: &TestServer) {
    const DUE: &str = "UPDATE deliveries SET due_at = 0 WHERE due_at IS NOT NULL";
    sql::execute(&mut server.connect(), DUE).unwrap();
}

pub(super) async fn put(caller: &Caller, id: &str, change: &Value) -> Value {
    let request = caller.request(Method::PUT, &format!("/v1/webhooks/{id}")).json(change);
    caller.send(request).await.expect(200).json()
}

async fn an_event_is_delivered_signed_and_listed(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let webhook = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let (id, secret) = (text(&webhook, "id"), text(&webhook, "secret"));
    assert!(secret.starts_with("whsec_"), "{secret}");
    let job = work(&worker).await;
    let [delivery] = receiver.wait_for(1).await.try_into().unwrap();
    assert_eq!(verify(&delivery, secret), Ok(()));
    let event = delivery.json();
    assert_eq!((&event["type"], &event["data"]["id"]), (&json!("job.succeeded"), &json!(job)));
    assert_eq!(event["data"]["status"], "succeeded");
    assert!(text(&event, "id").starts_with("evt_") && event["sequence"].as_u64().unwrap() > 0, "{event}");
    let trace_id = worker.get(&format!("/v1/jobs/{job}")).await.expect(200).text("trace_id");
    assert_eq!(delivery.header("x-argus-trace-id"), trace_id);
    assert_eq!(delivery.header("x-argus-job-id"), job);
    assert!(delivery.header("traceparent").contains(&trace_id));
    published::assert_delivers("job.succeeded", &delivery.headers, &delivery.body);
    let [shown] = listed(&subscriber, id, all_are("succeeded")).await.try_into().unwrap();
    assert_eq!(shown["id"], delivery.header("webhook-id"));
    assert_eq!(shown["request"]["body"].as_str().unwrap().as_bytes(), delivery.body);
    for name in ["webhook-timestamp", "webhook-signature", "x-argus-signature"] {
        assert_eq!(shown["request"]["headers"][name], delivery.header(name));
    }
    let [attempt] = shown["attempts"].as_array().unwrap().as_slice() else { panic!("{shown:#}") };
    assert_eq!(attempt["response_status"], 204);
    assert_eq!(sql::lines(&mut server.connect(), "SELECT event AS line FROM outbox").unwrap(), [""; 0]);
}

async fn a_secret_of_the_caller_s_signs_and_is_never_shown(server: TestServer) {
    const SECRET: &str = "a secret that nobody guesses";
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url(), "events": ["job.succeeded"], "secret": SECRET});
    let created = subscriber.post("/v1/webhooks", &body).await.expect(201).json();
    assert_eq!(created["secret"], Value::Null);
    work(&worker).await;
    let [delivery] = receiver.wait_for(1).await.try_into().unwrap();
    assert_eq!(verify(&delivery, SECRET), Ok(()));
    let viewed = subscriber.get(&format!("/v1/webhooks/{}", text(&created, "id"))).await.expect(200);
    let stored = "SELECT secret || coalesce(former_secret, '') AS line FROM signing_secrets";
    let stored = sql::lines(&mut server.connect(), stored).unwrap().concat();
    assert!(
        !String::from_utf8_lossy(&viewed.body).contains(SECRET) && !stored.contains(SECRET),
        "{viewed:?} {stored}"
    );
}

async fn while_a_secret_is_replaced_a_receiver_with_either_accepts(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let (id, first) = (text(&created, "id"), text(&created, "secret"));
    let rotated = put(&subscriber, id, &json!({"rotate_secret": true})).await;
    let second = text(&rotated, "secret");
    assert!(second != first && rotated["former_secret_expires_at"].is_string(), "{rotated}");
    work(&worker).await;
    let delivery = receiver.wait_for(1).await.remove(0);
    for secret in [first, second] {
        assert_eq!(verify(&delivery, secret), Ok(()));
    }
    let rotated = put(&subscriber, id, &json!({"rotate_secret": true, "secret_overlap_seconds": 0})).await;
    assert_eq!(rotated["former_secret_expires_at"], Value::Null);
    work(&worker).await;
    let delivery = receiver.wait_for(2).await.remove(1);
    assert_eq!(verify(&delivery, text(&rotated, "secret")), Ok(()));
    for secret in [first, second] {
        assert_eq!(verify(&delivery, secret), Err(VerificationError::WrongSignature));
    }
}

async fn a_failed_attempt_is_repeated_with_the_same_id_and_body_and_a_signature_of_its_own(
    server: TestServer,
) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_next([Treatment::Answer(500), Treatment::Answer(302), Treatment::Answer(404)]);
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let (id, secret) = (text(&created, "id"), text(&created, "secret"));
    work(&worker).await;
    for attempts in 1..=3 {
        receiver.wait_for(attempts).await;
        let waits = |deliveries: &[Value]| {
            let [delivery] = deliveries else { return false };
            delivery["attempts"].as_array().unwrap().len() == attempts
        };
        let [delivery] = listed(&subscriber, id, waits).await.try_into().unwrap();
        assert!(delivery["status"] == "queued" && delivery["next_attempt_at"].is_string(), "{delivery:#}");
        make_due(&server);
    }
    let came = receiver.wait_for(4).await;
    for delivery in &came {
        assert_eq!(verify(delivery, secret), Ok(()));
        assert_eq!(delivery.header("webhook-id"), came[0].header("webhook-id"));
        assert_eq!(delivery.body, came[0].body);
    }
    let [delivery] = listed(&subscriber, id, all_are("succeeded")).await.try_into().unwrap();
    let attempts = delivery["attempts"].as_array().unwrap().iter();
    let statuses: Vec<u64> = attempts.map(|attempt| attempt["response_status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [500, 302, 404, 204]);
    assert_eq!(delivery["attempts"][0]["response_excerpt"], "the receiver says 500 Internal Server Error");
}

async fn a_receiver_that_asks_for_time_gets_it(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_all(Treatment::AskForTime(503, "3600"));
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    work(&worker).await;
    let attempted = |deliveries: &[Value]| deliveries.len() == 1 && deliveries[0]["attempted_at"].is_string();
    let [delivery] = listed(&subscriber, text(&created, "id"), attempted).await.try_into().unwrap();
    let moment = |member: &str| -> chrono::DateTime<chrono::Utc> { text(&delivery, member).parse().unwrap() };
    let pause = moment("next_attempt_at") - moment("attempted_at");
    assert!((3590..3700).contains(&pause.num_seconds()), "{pause}");
}

async fn a_receiver_that_is_gone_is_disabled_and_what_it_missed_can_be_replayed(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let (gone, other) = (Receiver::start().await, Receiver::start().await);
    let created = subscribe(&subscriber, &gone, &["job.succeeded", "webhook.disabled"]).await;
    let id = text(&created, "id");
    subscribe(&subscriber, &other, &["webhook.disabled"]).await;
    gone.treats_all(Treatment::Answer(410));
    work(&worker).await;
    let told = other.wait_for(1).await.remove(0).json();
    let data = json!({"webhook_id": id, "url": gone.url(), "reason": "gone"});
    assert_eq!((&told["type"], &told["data"]), (&json!("webhook.disabled"), &data));
    let viewed = subscriber.get(&format!("/v1/webhooks/{id}")).await.expect(200).json();
    assert_eq!((&viewed["status"], &viewed["disabled_reason"]), (&json!("disabled"), &json!("gone")));
    let missed = work(&worker).await;
    let skipped = |deliveries: &[Value]| deliveries.len() == 2 && deliveries[0]["status"] == "skipped";
    listed(&subscriber, id, skipped).await;
    let range =
        json!({"since": "2026-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z", "statuses": ["skipped"]});
    let path = format!("/v1/webhooks/{id}/replay");
    subscriber.post(&path, &range).await.expect_error(409, "conflict");
    gone.treats_all(Treatment::Answer(200));
    let enabled = put(&subscriber, id, &json!({"status": "enabled"})).await;
    assert_eq!((&enabled["status"], &enabled["disabled_reason"]), (&json!("enabled"), &Value::Null));
    assert_eq!(subscriber.post(&path, &range).await.expect(202).json(), json!({"queued": 1}));
    let replayed = gone.wait_for(2).await.remove(1);
    assert_eq!(replayed.json()["data"]["id"], json!(missed));
}

async fn a_receiver_that_fails_for_five_days_is_disabled(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_all(Treatment::Answer(500));
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    work(&worker).await;
    receiver.wait_for(1).await;
    let failing = "SELECT id AS line FROM webhooks WHERE failing_since IS NOT NULL";
    argus_tests::look_for(|| (!sql::lines(&mut server.connect(), failing).unwrap().is_empty()).then_some(()))
        .unwrap();
    // Five days and a second ago.
    let earlier = "UPDATE webhooks SET failing_since = failing_since - 432001000000";
    sql::execute(&mut server.connect(), earlier).unwrap();
    make_due(&server);
    let disabled = "SELECT disabled_reason AS line FROM webhooks WHERE status = 'disabled'";
    let reason = argus_tests::look_for(|| sql::lines(&mut server.connect(), disabled).unwrap().pop());
    assert_eq!(reason.as_deref(), Some("failing"), "{id}");
}

async fn a_receiver_that_hangs_delays_no_other(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let (hanging, healthy) = (Receiver::start().await, Receiver::start().await);
    hanging.treats_all(Treatment::Hang);
    subscribe(&subscriber, &hanging, &["job.succeeded"]).await;
    subscribe(&subscriber, &healthy, &["job.succeeded"]).await;
    for _ in 0..12 {
        work(&worker).await;
    }
    healthy.wait_for(12).await;
    let came = hanging.came();
    assert!((1..=4).contains(&came.len()), "{} at a time", came.len());
    let mut ids: Vec<&str> = came.iter().map(|delivery| delivery.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), came.len(), "no delivery has two attempts on their way");
}

async fn a_test_is_delivered_to_a_disabled_subscription_too(server: TestServer) {
    let (subscriber, _) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    put(&subscriber, id, &json!({"status": "disabled"})).await;
    let test = subscriber.request(Method::POST, &format!("/v1/webhooks/{id}/test"));
    let queued = subscriber.send(test).await.expect(202).json();
    let delivery = receiver.wait_for(1).await.remove(0);
    assert_eq!(delivery.header("webhook-id"), text(&queued, "delivery_id"));
    assert_eq!(
        (&delivery.json()["type"], &delivery.json()["data"]),
        (&json!("webhook.test"), &json!({"webhook_id": id}))
    );
    assert_eq!(verify(&delivery, text(&created, "secret")), Ok(()));
}

async fn one_delivery_is_sent_again_on_demand(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    work(&worker).await;
    let [delivery] = listed(&subscriber, id, all_are("succeeded")).await.try_into().unwrap();
    let retry = |delivery: &str| format!("/v1/webhooks/{id}/deliveries/{delivery}/retry");
    let path = retry(text(&delivery, "id"));
    let queued = subscriber.send(subscriber.request(Method::POST, &path)).await.expect(202).json();
    assert_eq!(queued, json!({"delivery_id": delivery["id"], "status": "queued"}));
    let came = receiver.wait_for(2).await;
    assert_eq!((came[0].header("webhook-id"), &came[0].body), (came[1].header("webhook-id"), &came[1].body));
    for absent in ["dlv_absent", "nonsense"] {
        let request = subscriber.request(Method::POST, &retry(absent));
        subscriber.send(request).await.expect_error(404, "not_found");
    }
}

async fn a_deleted_subscription_is_told_of_nothing_more(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    receiver.treats_all(Treatment::Answer(500));
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    subscribe(&subscriber, &other, &["job.succeeded"]).await;
    let path = format!("/v1/webhooks/{}", text(&created, "id"));
    work(&worker).await;
    receiver.wait_for(1).await;
    subscriber.send(subscriber.request(Method::DELETE, &path)).await.expect(204);
    subscriber.get(&path).await.expect_error(404, "not_found");
    subscriber.get(&format!("{path}/deliveries")).await.expect_error(404, "not_found");
    work(&worker).await;
    make_due(&server);
    other.wait_for(2).await;
    let left = "SELECT owner AS line FROM signing_secrets UNION ALL SELECT deliveries.id FROM deliveries \
        JOIN webhooks ON webhooks.id = webhook_id WHERE deleted_at IS NOT NULL AND deliveries.status = 'queued'";
    argus_tests::look_for(|| (sql::lines(&mut server.connect(), left).unwrap().len() == 1).then_some(()))
        .unwrap();
    assert_eq!(receiver.came().len(), 1);
}

async fn a_callback_is_signed_with_the_secret_of_the_app(server: TestServer) {
    let app = server.app(&JOBS).await;
    let worker = Caller { host: Host::Api, token: app.live_token(&[]).await, tenancy: app.tenancy.clone() };
    let receiver = Receiver::start().await;
    let mut job = import(&json!([profile("p1")]));
    job["callback_url"] = json!(receiver.url());
    let id = enqueue(&worker, &job).await;
    let delivery = receiver.wait_for(1).await.remove(0);
    assert_eq!(verify(&delivery, &app.callback_secret), Ok(()));
    published::assert_calls_back("job_create", &delivery.headers, &delivery.body);
    let notice = delivery.json();
    let result = worker.get(&format!("/v1/jobs/{id}/result")).await.expect(200).json();
    let trace_id = delivery.header("x-argus-trace-id");
    assert_eq!(
        notice,
        json!({
            "id": id, "kind": "import.bulk", "status": "succeeded", "trace_id": trace_id,
            "result_ref": result["result_ref"],
        })
    );
    assert_eq!(delivery.header("x-argus-job-id"), id);
    let rotated = app.tenancy.post_nothing(&app.path("/rotate-callback-secret")).await.expect(200).json();
    enqueue(&worker, &job).await;
    let delivery = receiver.wait_for(2).await.remove(1);
    for secret in [&app.callback_secret, text(&rotated, "callback_secret")] {
        assert_eq!(verify(&delivery, secret), Ok(()));
    }
}

async fn a_callback_that_nobody_could_sign_is_refused(server: TestServer) {
    let worker = server.caller(Host::Api, &JOBS).await;
    let mut job = import(&json!([profile("p1")]));
    job["callback_url"] = json!("https://receiver.example/");
    let refused = worker.post("/v1/jobs", &job).await;
    assert!(refused.expect_error(409, "conflict").contains("callback secret"), "it says what to do");
}

async fn a_receiver_at_an_address_that_is_not_public_is_sent_nothing(server: TestServer) {
    let (subscriber, _) = callers(&server).await;
    for url in [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://100.64.0.1/",
    ] {
        let body = json!({"url": url, "events": ["job.succeeded"]});
        let refused = subscriber.post("/v1/webhooks", &body).await;
        assert!(refused.expect_error(400, "invalid_request").contains("public internet"), "{url}");
    }
}

async fn another_tenant_s_subscription_does_not_exist(server: TestServer) {
    let (subscriber, _) = callers(&server).await;
    let (other, _) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    other.get(&format!("/v1/webhooks/{id}")).await.expect_error(404, "not_found");
    other.get(&format!("/v1/webhooks/{id}/deliveries")).await.expect_error(404, "not_found");
    let test = other.request(Method::POST, &format!("/v1/webhooks/{id}/test"));
    other.send(test).await.expect_error(404, "not_found");
    assert_eq!(other.get("/v1/webhooks").await.expect(200).json()["webhooks"], json!([]));
    assert_eq!(subscriber.get("/v1/webhooks").await.expect(200).json()["webhooks"][0]["id"], id);
}

async fn an_operator_sees_what_waits_and_has_it_told_again(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_all(Treatment::Answer(500));
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let waits = |deliveries: &[Value]| deliveries.len() == 1 && deliveries[0]["attempted_at"].is_string();
    // What no delivery can be made of holds nothing up.
    let tenant_id = &subscriber.tenancy.tenant_id;
    let broken = format!(
        "INSERT INTO outbox (tenant_id, event, subject, data, secrecy_level, traceparent, occurred_at) \
         VALUES ('{tenant_id}', 'profile.enriched', 'p1', 'no JSON', 'standard', '', {}), \
         ('{tenant_id}', 'profile.enriched', 'p0', 'of long ago', 'standard', '', 1)",
        chrono::Utc::now().timestamp_micros()
    );
    sql::execute(&mut server.connect(), &broken).unwrap();
    work(&worker).await;
    let [delivery] = listed(&subscriber, text(&created, "id"), waits).await.try_into().unwrap();
    let command = |arguments: &[&str]| {
        let output = server.command(binary(), arguments);
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, list) = command(&["deliveries", "list", "--status", "queued"]);
    assert!(code == 0 && list.starts_with(text(&delivery, "id")) && list.contains("last 500"), "{list}");
    let (code, events) = command(&["outbox", "list"]);
    assert!(
        code == 0
            && events.contains("profile.enriched  p1")
            && !events.contains("  p0  ")
            && events.contains("fault: "),
        "{events}"
    );
    let sequence = events.split(' ').next().unwrap();
    assert_eq!(command(&["outbox", "retry", sequence]).0, 0);
    assert_eq!(command(&["outbox", "retry", "999999"]).0, 2);
    receiver.treats_all(Treatment::Answer(200));
    assert_eq!(command(&["deliveries", "retry", text(&delivery, "id")]).0, 0);
    listed(&subscriber, text(&created, "id"), all_are("succeeded")).await;
    assert_eq!(command(&["deliveries", "retry", "dlv_absent"]).0, 2);
}

async fn the_example_of_a_receiver_is_told_of_its_job(server: TestServer) {
    let scopes = [WEBHOOKS, JOBS].concat();
    let caller = server.caller(Host::Auth, &scopes).await;
    let url = |host| server.url(host, "");
    let setup = receive_webhooks::Setup {
        auth: url(Host::Auth),
        api: url(Host::Api),
        sandbox: url(Host::Sandbox),
        live_token: caller.token.clone(),
    };
    let event = receive_webhooks::run(setup).await.unwrap();
    let Event::JobSucceeded(event) = event else { panic!("{event:?}") };
    let viewed = beside(&server, &caller, Host::Api, &JOBS).get(&format!("/v1/jobs/{}", event.data.id)).await;
    assert_eq!(viewed.expect(200).text("status"), "succeeded");
    let left = caller.get("/v1/webhooks").await.expect(200).json();
    assert_eq!(left["webhooks"], json!([]));
}
