//! What is delivered: every event under `webhooks`, and the callback of a job where the job is asked for.

use crate::support::{deliveries, descriptor, operation, resolve, routes};
use argus_openapi::contract::ARGUS;
use argus_openapi::types::events::{EVENTS, TEST};
use argus_openapi::types::webhooks::WebhookEvent;
use argus_wire::signature::{ARGUS_SIGNATURE, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn every_event_that_a_subscription_can_ask_for_is_published_and_no_other_but_the_test() {
    let published: BTreeSet<_> =
        descriptor()["webhooks"].as_object().unwrap().keys().map(String::as_str).collect();
    let asked_for = WebhookEvent::ALL.map(WebhookEvent::as_str);
    assert_eq!(published, asked_for.into_iter().chain([TEST]).collect());
    assert_eq!(EVENTS.len(), published.len());
}

#[test]
fn the_body_of_an_event_is_a_schema_of_its_own_with_its_name_as_the_one_type() {
    let mut schemas = BTreeSet::new();
    for event in ARGUS.webhooks.events {
        let delivery = &descriptor()["webhooks"][event.name]["post"];
        let schema = &delivery["requestBody"]["content"]["application/json"]["schema"];
        assert!(schemas.insert(schema["$ref"].as_str().unwrap()), "{}", event.name);
        let members = &resolve(schema)["properties"];
        assert_eq!(members["type"]["enum"], json!([event.name]));
        for name in ["id", "sequence", "occurred_at", "data"] {
            assert!(members[name].is_object(), "{}: {name}", event.name);
        }
    }
}

#[test]
fn the_callback_of_a_job_is_published_with_the_url_that_its_request_names() {
    let url = &operation("job_create")["callbacks"]["job_ended"]["{$request.body#/callback_url}"];
    let schema = &url["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/JobNotice");
    assert_eq!(routes().filter(|route| route.operation.get("callbacks").is_some()).count(), 1);
    let request = &operation("job_create")["requestBody"]["content"]["application/json"]["schema"];
    for kind in resolve(request)["oneOf"].as_array().unwrap() {
        assert!(resolve(kind)["properties"]["callback_url"].is_object(), "{kind}");
    }
}

#[test]
fn every_delivery_says_what_it_is_how_it_is_signed_and_what_an_answer_means() {
    for (name, delivery) in deliveries() {
        let headers = delivery["parameters"].as_array().unwrap().iter().map(resolve);
        let mut found: Vec<_> = headers
            .inspect(|header| assert_eq!(header["in"], "header", "{name}"))
            .inspect(|header| assert!(header["description"].is_string(), "{name}: {header}"))
            .map(|header| header["name"].as_str().unwrap().to_lowercase())
            .collect();
        found.sort();
        let mut expected = vec!["traceparent", "tracestate", "x-argus-trace-id"];
        expected.extend([ARGUS_SIGNATURE, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP]);
        expected.extend(name.starts_with("job").then_some("x-argus-job-id"));
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
        for text in ["summary", "description"] {
            assert!(delivery[text].as_str().is_some_and(|text| !text.is_empty()), "{name}: {text}");
        }
        let responses = delivery["responses"].as_object().unwrap();
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["2XX", "410", "default"], "{name}");
        assert!(resolve(&responses["default"])["headers"]["Retry-After"].is_object());
        let tag =
            descriptor()["tags"].as_array().unwrap().iter().find(|tag| tag["name"] == delivery["tags"][0]);
        assert!(tag.is_some() && delivery["security"] == json!([]), "{name}");
    }
}

#[test]
fn no_delivery_has_the_id_of_another_or_of_an_operation() {
    let called = routes().map(|route| route.id().to_owned());
    let delivered = deliveries().map(|(_, delivery)| delivery["operationId"].as_str().unwrap().to_owned());
    let ids: Vec<_> = called.chain(delivered).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

/// openapi-generator writes what it makes of `webhooks` by their tags, over the operations of the same tag.
#[test]
fn the_tag_of_events_is_one_that_no_operation_has() {
    let mut events = descriptor()["webhooks"].as_object().unwrap().values();
    assert!(events.all(|event| event["post"]["tags"] == json!([ARGUS.webhooks.tag])));
    let called = routes().find(|route| route.operation["tags"][0] == ARGUS.webhooks.tag);
    assert!(called.is_none_or(|route| panic!("{}", route.id())));
}
