//! Every example is there and fits its schema.

use crate::support::{deliveries, descriptor, media, resolve, responses, routes};
use argus_openapi::contract::{ARGUS, PolicyFile};
use argus_openapi::publish::examples::{self, Examples, SharedExamples};
use argus_openapi::publish::{PublishError, denylist::Denylist, descriptor_of, raw::raw};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Fails unless `value` fits `schema`, whose references lead into the descriptor.
fn assert_fits(schema: &Value, value: &Value, place: &str) {
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": descriptor()["components"],
    });
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&document)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{place}: {}", errors.join("; "));
}

/// The examples of one media type.
fn of(media: &'static Value) -> Vec<&'static Value> {
    let named = media["examples"].as_object().into_iter().flatten();
    media.get("example").into_iter().chain(named.map(|(_, named)| &resolve(named)["value"])).collect()
}

#[test]
fn every_request_body_has_an_example_that_fits() {
    let mut bodies = 0;
    for route in routes() {
        for (_, media) in media(&route.operation["requestBody"]) {
            bodies += 1;
            assert!(!of(media).is_empty(), "{} has no request example", route.name());
            of(media).into_iter().for_each(|value| assert_fits(&media["schema"], value, &route.name()));
        }
    }
    assert!(bodies >= 9, "only {bodies} request bodies");
}

#[test]
fn every_response_body_has_an_example_that_fits() {
    for route in routes() {
        for (status, response) in responses(route.operation) {
            for (_, media) in media(response) {
                let place = format!("{} {status}", route.name());
                assert!(!of(media).is_empty(), "{place} has no example");
                of(media).into_iter().for_each(|value| assert_fits(&media["schema"], value, &place));
            }
        }
    }
}

#[test]
fn every_delivery_has_an_example_that_fits() {
    for (name, delivery) in deliveries() {
        let [(_, media)] = media(&delivery["requestBody"]).collect::<Vec<_>>()[..] else { panic!("{name}") };
        assert!(!of(media).is_empty(), "{name} has no example");
        of(media).into_iter().for_each(|value| assert_fits(&media["schema"], value, name));
    }
}

#[test]
fn every_example_of_a_parameter_or_header_fits() {
    let called = routes().map(|route| (route.name(), route.operation));
    for (name, operation) in called.chain(deliveries().map(|(name, own)| (name.clone(), own))) {
        for parameter in operation["parameters"].as_array().unwrap().iter().map(resolve) {
            if let Some(example) = parameter.get("example") {
                assert_fits(&parameter["schema"], example, &format!("{name}: {parameter}"));
            } else {
                assert_ne!(parameter["required"], true, "{name}: {parameter} has no example");
            }
        }
    }
    for (name, header) in descriptor()["components"]["headers"].as_object().unwrap() {
        assert_fits(&header["schema"], &header["example"], name);
    }
}

#[test]
#[should_panic(expected = "progress_pct")]
fn an_example_out_of_bounds_is_noticed() {
    let schema = json!({ "$ref": "#/components/schemas/JobProgress" });
    assert_fits(&schema, &json!({ "status": "running", "progress_pct": 101 }), "progress_pct above 100");
}

#[test]
fn an_error_example_carries_a_code_of_its_status() {
    use argus_openapi::types::error::ErrorCode;
    for route in routes() {
        for (status, response) in responses(route.operation).filter(|(status, _)| *status >= 400) {
            for value in media(response).flat_map(|(_, media)| of(media)) {
                let Some(code) = value["error_code"].as_str() else { continue };
                let known = code.parse::<ErrorCode>();
                let known = known.unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(known.status(), status, "{} {status}: {code}", route.name());
            }
        }
    }
}

fn published_with(change: impl FnOnce(&mut Examples)) -> Result<Value, PublishError> {
    let mut examples = Examples::committed(&ARGUS).unwrap();
    change(&mut examples);
    descriptor_of(&ARGUS, raw(&ARGUS).unwrap(), &Denylist::committed(&ARGUS).unwrap(), &examples)
}

fn reason(outcome: Result<Value, PublishError>) -> String {
    outcome.expect_err("a hole in the examples").to_string()
}

#[test]
fn a_missing_example_is_named() {
    let without = |id: &'static str, change: fn(&mut examples::OperationExamples)| {
        reason(published_with(|all| change(all.operations.get_mut(id).unwrap())))
    };
    let request = without("job_create", |own| own.requests.clear());
    assert!(request.contains("`job_create`: the request has no example"), "{request}");
    let response = without("job_result", |own| drop(own.responses.remove("202")));
    assert!(response.contains("`job_result`: response 202 has no example"), "{response}");
    let form = without("openapi_host_view", |own| {
        own.responses.get_mut("200").unwrap().as_object_mut().unwrap().remove("application/yaml");
    });
    assert!(form.contains("`openapi_host_view`: response 200 has no example of application/yaml"), "{form}");
    let event = without("incident_closed_deliver", |own| own.request = None);
    assert!(event.contains("`incident_closed_deliver`: the request has no example"), "{event}");
    let all = reason(published_with(|all| drop(all.operations.remove("job_view"))));
    assert!(all.contains("`job_view` has no examples"), "{all}");
}

#[test]
fn an_example_that_belongs_to_nothing_is_named() {
    let response = reason(published_with(|all| {
        all.operations.get_mut("job_view").unwrap().responses.insert("418".to_owned(), json!({}));
    }));
    assert!(response.contains("`job_view`: there is no response 418"), "{response}");
    let operation = reason(published_with(|all| {
        let job = all.operations["job_view"].clone();
        all.operations.insert("job_sing".to_owned(), job);
    }));
    assert!(operation.contains("no operation `job_sing`"), "{operation}");
}

#[test]
fn a_hole_in_the_examples_is_named_with_its_file() {
    let request =
        reason(published_with(|all| all.operations.get_mut("webhook_create").unwrap().request = None));
    assert!(request.starts_with("openapi/policy/examples/webhooks.json: "), "{request}");
}

#[test]
fn an_operation_that_has_examples_twice_is_refused_with_both_files() {
    const ONE: PolicyFile = PolicyFile { name: "examples/one.json", text: r#"{"job_view": {}}"# };
    const OTHER: PolicyFile = PolicyFile { name: "examples/other.json", text: r#"{"job_view": {}}"# };
    const TWICE: PolicyFile =
        PolicyFile { name: "examples/twice.json", text: r#"{"job_view": {}, "job_view": {}}"# };
    let refusal = |files: &[PolicyFile]| Examples::merged(SharedExamples::default(), files).unwrap_err();
    let apart = refusal(&[ONE, OTHER]).to_string();
    for named in ["openapi/policy/examples/other.json", "`job_view`", "examples/one.json"] {
        assert!(apart.contains(named), "{apart}");
    }
    let together = refusal(&[TWICE]).to_string();
    assert!(together.contains("`job_view` already has examples in examples/twice.json"), "{together}");
}

#[test]
fn every_file_of_examples_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policy/examples");
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| format!("examples/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    let publication = &ARGUS.publication;
    let read = publication.examples.iter().chain([&publication.error_examples]);
    assert_eq!(there, read.map(|file| file.name.to_owned()).collect());
}
