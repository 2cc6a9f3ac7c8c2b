//! What the SDK generator is given.

use crate::support::{deliveries, descriptor};
use argus_openapi::Operation;
use argus_openapi::publish::document::{Route, routes};
use argus_openapi::publish::generator::for_generator;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn input() -> Value {
    for_generator(descriptor().clone()).unwrap()
}

#[test]
fn the_generator_gets_every_operation_in_the_version_that_it_reads() {
    let input = input();
    assert_eq!(input["openapi"], "3.0.3");
    // What leads elsewhere, whatever it is asked, is for browsers.
    let is_for_clients = |route: &Route<'_>| {
        let responses = route.operation["responses"].as_object().unwrap();
        responses.keys().any(|status| status.starts_with('2'))
    };
    let expected: Vec<_> =
        routes(descriptor()).filter(is_for_clients).map(|route| route.id().to_owned()).collect();
    let given: Vec<_> = routes(&input).map(|route| route.id().to_owned()).collect();
    assert_eq!(given, expected);
    assert!(!given.contains(&"oauth_authorize".to_owned()));
}

#[test]
fn the_generator_gets_the_type_of_every_delivery_and_no_operation_for_it() {
    let input = input();
    assert!(input.get("webhooks").is_none());
    for (name, delivery) in deliveries() {
        let schema = &delivery["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let pointer = schema.as_str().unwrap().trim_start_matches('#');
        assert!(input.pointer(pointer).is_some(), "{name}: {schema}");
        assert!(routes(&input).all(|route| delivery["operationId"] != route.id()), "{name}");
    }
}

#[test]
fn an_operation_has_one_schema_for_success_and_one_for_failure() {
    let input = input();
    for route in routes(&input) {
        for class in ["2", "45"] {
            let schemas: BTreeSet<String> = route.operation["responses"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(status, _)| class.contains(&status[..1]))
                .filter_map(|(_, response)| response.pointer("/content/application~1json/schema"))
                .map(Value::to_string)
                .collect();
            assert!(schemas.len() <= 1, "{} {class}: {schemas:?}", route.name());
        }
        let statuses = route.operation["responses"].as_object().unwrap().keys();
        assert!(statuses.into_iter().all(|status| !status.starts_with('3')), "{}", route.name());
    }
}

#[test]
fn the_branch_that_asks_for_most_comes_first() {
    let schemas = &input()["components"]["schemas"];
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    assert_eq!(
        schemas["JobResultSuccess"],
        json!({ "oneOf": [reference("JobResult"), reference("JobProgress")] })
    );
    assert_eq!(schemas["TraceViewFailure"]["oneOf"][0], reference("TraceUnavailable"));
}

#[test]
fn what_has_one_value_is_filled_in_and_what_may_be_left_out_is_a_plain_text() {
    let input = input();
    let schemas = &input["components"]["schemas"];
    for (job, kind) in [
        ("EnrichJob", "intelligence.enrich.bulk"),
        ("ExportJob", "export.bulk"),
        ("ImportJob", "import.bulk"),
        ("GraphJob", "graph.compute"),
    ] {
        assert_eq!(schemas[job]["properties"]["kind"]["default"], kind);
        assert_eq!(schemas[job]["required"], json!(["payload"]));
        let callback = &schemas[job]["properties"]["callback_url"];
        assert_eq!((&callback["type"], &callback["nullable"]), (&json!("string"), &json!(true)));
        assert!(callback.get("pattern").is_none() && callback.get("maxLength").is_none());
    }
    // What must be sent keeps its bounds, and so does a secret.
    assert!(schemas["WebhookCreate"]["properties"]["url"]["pattern"].is_string());
    assert_eq!(schemas["WebhookUpdate"]["properties"]["secret"]["minLength"], 16);
    // A member with several values is nobody's to fill in, nor is one that may be left out.
    let pushed = &schemas["PushedAuthorizationRequest"]["properties"]["client_assertion_type"];
    assert!(pushed["oneOf"].is_array() && pushed.get("default").is_none(), "{pushed}");
    assert!(schemas["ProfileRecord"]["properties"]["kind"].get("default").is_none());
}

#[test]
fn the_generator_gets_no_range_and_each_mocked_operation_its_preferences() {
    let input = input();
    for route in routes(&input) {
        let statuses = route.operation["responses"].as_object().unwrap().keys();
        assert!(statuses.into_iter().all(|status| status.parse::<u16>().is_ok()), "{}", route.name());
        let parameters = route.operation["parameters"].as_array().unwrap();
        let mocked = Operation::from_id(route.id()).unwrap().row().is_mocked();
        assert_eq!(parameters.iter().any(|own| own["name"] == "Prefer"), mocked, "{}", route.name());
        assert!(!parameters.iter().any(|own| own["name"] == "traceparent"), "{}", route.name());
    }
}
