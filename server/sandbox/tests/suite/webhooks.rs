//! Webhook subscriptions and the deliveries that a partner's verifier can be tested with.

use crate::support::{DESCRIPTOR, ask, body, parse};
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::webhooks::{WebhookCreate, WebhookUpdate};
use argus_sandbox::partner;
use argus_wire::signature::SANDBOX_SECRET;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeSet;

fn request(events: &Value, secret: &str) -> WebhookCreate {
    parse(json!({ "url": "https://integrator.example/webhooks/argus", "events": events, "secret": secret }))
}

fn created(events: &Value) -> Value {
    body(&ask("", &partner::WebhookCreate { body: &request(events, "a secret of the partner") }))
}

fn id(webhook: &Value) -> &str {
    webhook["id"].as_str().expect("an id")
}

fn deliveries(id: &str) -> Vec<Value> {
    let list = body(&ask("", &partner::WebhookDeliveryList { id, page: &PageQuery::default() }));
    list["deliveries"].as_array().expect("a list").clone()
}

#[test]
fn a_subscription_reflects_the_request_and_never_its_secret() {
    let mock =
        ask("", &partner::WebhookCreate { body: &request(&json!(["job.failed"]), "very-secret-indeed") });
    let text = String::from_utf8(mock.body.clone().expect("a body").into()).expect("UTF-8");
    assert!(!text.contains("very-secret-indeed"), "{text}");
    assert_eq!(body(&mock)["secret"], Value::Null, "none was made");
    let webhook = body(&mock);
    assert_eq!(webhook["url"], "https://integrator.example/webhooks/argus");
    assert_eq!(webhook["events"], json!(["job.failed"]));
    // Not even by way of the digest.
    let other = ask(
        "",
        &partner::WebhookCreate { body: &request(&json!(["job.failed"]), "another secret, the same reply") },
    );
    assert_eq!(mock, other);
}

#[test]
fn a_subscription_can_be_viewed_and_updated_and_deleted_by_its_id() {
    let webhook = created(&json!(["incident.updated", "job.failed"]));
    let view = body(&ask("", &partner::WebhookView { id: id(&webhook) }));
    assert_eq!(view["events"], webhook["events"]);
    assert_eq!(view["created_at"], webhook["created_at"]);
    assert!(view["url"].as_str().expect("a URL").starts_with("https://partner.example.com/"));
    let change: WebhookUpdate = parse(json!({ "events": ["incident.closed"] }));
    let updated = body(&ask("", &partner::WebhookUpdate { id: id(&webhook), body: &change }));
    assert_eq!(updated["events"], json!(["incident.closed"]));
    assert_eq!((&updated["id"], &updated["url"]), (&view["id"], &view["url"]));
    assert!(updated["updated_at"].as_str() > updated["created_at"].as_str());
    let deleted = ask("", &partner::WebhookDelete { id: id(&webhook) });
    assert_eq!((deleted.status, deleted.body), (204, None));
}

#[test]
fn a_secret_that_is_made_here_is_the_one_that_deliveries_verify_with() {
    let subscription = parse(json!({ "url": "https://integrator.example/", "events": ["job.failed"] }));
    let webhook = body(&ask("", &partner::WebhookCreate { body: &subscription }));
    assert_eq!(webhook["secret"], SANDBOX_SECRET);
    let change: WebhookUpdate = parse(json!({ "rotate_secret": true, "status": "disabled" }));
    let updated = body(&ask("", &partner::WebhookUpdate { id: id(&webhook), body: &change }));
    assert_eq!(updated["secret"], SANDBOX_SECRET);
    assert_eq!(updated["former_secret_expires_at"], "2026-05-09T12:01:00Z");
    assert_eq!((&updated["status"], &updated["disabled_reason"]), (&json!("disabled"), &json!("requested")));
}

#[test]
fn a_listed_delivery_can_be_queued_again_and_no_other() {
    let webhook = created(&json!(["job.succeeded"]));
    let retry = |delivery_id: &str| {
        let path = parse(json!({ "webhook_id": id(&webhook), "delivery_id": delivery_id }));
        ask("", &partner::WebhookDeliveryRetry { path: &path })
    };
    for delivery in deliveries(id(&webhook)) {
        let queued = json!({ "delivery_id": delivery["id"], "status": "queued" });
        assert_eq!(body(&retry(delivery["id"].as_str().expect("an id"))), queued);
    }
    assert_eq!(retry("dlv_absent").status, 404);
}

#[test]
fn a_replay_counts_what_it_would_queue() {
    let webhook = created(&json!(["job.succeeded", "job.failed"]));
    let replay = |request: Value| {
        let request = parse(request);
        ask("", &partner::WebhookReplay { id: id(&webhook), body: &request })
    };
    let (since, until) = ("2026-05-08T11:59:00Z", "2026-05-08T12:00:00Z");
    let range = json!({ "since": since, "until": until });
    assert_eq!(body(&replay(range)), json!({ "queued": 0 }), "none has failed");
    let of_all = json!({ "since": since, "until": until, "statuses": ["succeeded"] });
    assert_eq!(body(&replay(of_all)), json!({ "queued": 1 }), "one a minute, the newest at noon");
    let none = json!({ "since": until, "until": since, "statuses": ["succeeded"] });
    assert_eq!(body(&replay(none)), json!({ "queued": 0 }));
}

#[test]
fn every_listed_subscription_can_be_viewed_and_agrees() {
    let mut seen = Vec::new();
    let mut page = PageQuery { limit: Some(4), cursor: None };
    loop {
        let list = body(&ask("", &partner::WebhookList { page: &page }));
        for webhook in list["webhooks"].as_array().expect("a list") {
            assert_eq!(&body(&ask("", &partner::WebhookView { id: id(webhook) })), webhook);
            seen.push(webhook["id"].clone());
        }
        match list["next_cursor"].as_str() {
            Some(cursor) => page.cursor = Some(cursor.to_owned()),
            None => break,
        }
    }
    assert!(seen.len() > 4, "there is more than a page");
}

#[test]
fn there_is_a_delivery_for_each_event_and_one_for_the_test() {
    let webhook = created(&json!(["job.succeeded", "incident.updated"]));
    let deliveries = deliveries(id(&webhook));
    let events: Vec<&Value> = deliveries.iter().map(|delivery| &delivery["event"]).collect();
    assert_eq!(events, [&Value::Null, &json!("incident.updated"), &json!("job.succeeded")]);
    let ids: BTreeSet<String> = deliveries.iter().map(|delivery| delivery["id"].to_string()).collect();
    assert_eq!(ids.len(), 3);
    let test = body(&ask("", &partner::WebhookTest { id: id(&webhook) }));
    assert_eq!(test, json!({ "delivery_id": deliveries[0]["id"], "status": "queued" }));
}

#[test]
fn the_cursor_of_another_webhook_s_deliveries_is_refused() {
    let one = created(&json!(["job.succeeded"]));
    let other = created(&json!(["job.failed"]));
    let page = PageQuery { limit: Some(1), cursor: None };
    let list = body(&ask("", &partner::WebhookDeliveryList { id: id(&one), page: &page }));
    let page = PageQuery { cursor: list["next_cursor"].as_str().map(str::to_owned), ..page };
    assert_eq!(ask("", &partner::WebhookDeliveryList { id: id(&one), page: &page }).status, 200);
    assert_eq!(ask("", &partner::WebhookDeliveryList { id: id(&other), page: &page }).status, 400);
}

fn hmac(key: &[u8], content: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn the_text_of_the_deliveries_has_what_a_verifier_needs_to_be_told() {
    let list = &DESCRIPTOR["paths"]["/v1/webhooks/{webhook_id}/deliveries"]["get"];
    let text = list["description"].as_str().expect("a description");
    // The secret, and the time that signatures are judged at.
    for needed in [SANDBOX_SECRET, "clock is the sandbox's", "`webhook-timestamp`", "`attempted_at`"] {
        assert!(text.contains(needed), "{needed}: {text}");
    }
}

/// A partner's verifier, written from the documents and not from the sandbox.
#[test]
fn both_signatures_of_every_delivery_verify_with_the_documented_secret() {
    let webhook = created(&json!([
        "incident.updated",
        "incident.closed",
        "job.succeeded",
        "job.failed",
        "job.cancelled"
    ]));
    for delivery in deliveries(id(&webhook)) {
        let header =
            |name: &str| delivery["request"]["headers"][name].as_str().unwrap_or_default().to_owned();
        let content = delivery["request"]["body"].as_str().expect("a body");
        assert_eq!(serde_json_canonicalizer::pipe(content).expect("JSON"), content, "the body is canonical");

        let key = STANDARD.decode(SANDBOX_SECRET.strip_prefix("whsec_").expect("a prefix")).expect("Base64");
        let signed = format!("{}.{}.{content}", header("webhook-id"), header("webhook-timestamp"));
        assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(hmac(&key, &signed))));
        assert_eq!(delivery["id"], header("webhook-id"));

        let digits: String =
            hmac(SANDBOX_SECRET.as_bytes(), content).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(header("x-argus-signature"), format!("sha256={digits}"));
        assert_eq!(header("x-argus-trace-id").len(), 32);
    }
}

fn resolve(value: &'static Value) -> &'static Value {
    value["$ref"].as_str().map_or(value, |target| DESCRIPTOR.pointer(&target[1..]).expect("resolves"))
}

#[test]
fn every_delivery_is_one_that_the_contract_publishes() {
    let webhooks = DESCRIPTOR["webhooks"].as_object().expect("webhooks");
    let events: Vec<&String> = webhooks.keys().filter(|name| *name != "webhook.test").collect();
    let deliveries = deliveries(id(&created(&json!(events))));
    assert_eq!(deliveries.len(), webhooks.len());
    for delivery in deliveries {
        let request = &delivery["request"];
        let content = request["body"].as_str().expect("a body");
        let content: Value = serde_json::from_str(content).expect("JSON");
        let published = &webhooks[content["type"].as_str().expect("a type")]["post"];
        let mut schema = published["requestBody"]["content"]["application/json"]["schema"].clone();
        schema["components"] = DESCRIPTOR["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).expect("a valid schema");
        let misfits: Vec<String> = validator.iter_errors(&content).map(|error| error.to_string()).collect();
        assert!(misfits.is_empty(), "{misfits:?}: {content}");
        for header in published["parameters"].as_array().expect("headers").iter().map(resolve) {
            let name = header["name"].as_str().expect("a name").to_lowercase();
            let is_there = request["headers"].get(&name).is_some();
            assert!(is_there || header["required"] != true, "{name}: {request}");
        }
    }
}

#[test]
fn a_job_s_delivery_tells_of_a_job_that_can_be_viewed() {
    let webhook = created(&json!(["job.succeeded", "job.failed", "job.cancelled"]));
    for delivery in deliveries(id(&webhook)).iter().skip(1) {
        let content: Value =
            serde_json::from_str(delivery["request"]["body"].as_str().expect("a body")).expect("JSON");
        let members = |value: &Value| -> BTreeSet<String> {
            value.as_object().expect("an object").keys().cloned().collect()
        };
        let set = |members: [&str; 5]| BTreeSet::from(members.map(str::to_owned));
        assert_eq!(members(&content), set(["data", "id", "occurred_at", "sequence", "type"]));
        assert_eq!(delivery["event"], content["type"]);
        let content = &content["data"];
        assert_eq!(members(content), set(["id", "kind", "result_ref", "status", "trace_id"]));
        assert_eq!(delivery["event"], format!("job.{}", content["status"].as_str().expect("a status")));
        let view = body(&ask("", &partner::JobView { id: id(content) }));
        for member in ["id", "kind", "status", "trace_id"] {
            assert_eq!(view[member], content[member], "{member}");
        }
        let headers = &delivery["request"]["headers"];
        assert_eq!(
            (&headers["x-argus-job-id"], &headers["x-argus-trace-id"]),
            (&content["id"], &content["trace_id"])
        );
        let result = ask("", &partner::JobResult { id: id(content) });
        match result.status {
            200 => assert_eq!(body(&result)["result_ref"], content["result_ref"]),
            _ => assert_eq!(content["result_ref"], Value::Null),
        }
    }
}

#[test]
fn an_incident_s_delivery_tells_of_the_incident() {
    let webhook = created(&json!(["incident.updated", "incident.closed"]));
    for delivery in deliveries(id(&webhook)).iter().skip(1) {
        let content: Value =
            serde_json::from_str(delivery["request"]["body"].as_str().expect("a body")).expect("JSON");
        assert_eq!(content["type"], delivery["event"]);
        assert_eq!(delivery["request"]["headers"]["x-argus-job-id"], Value::Null);
    }
}
