//! Every example is there and fits its schema.

use crate::support::{descriptor, media, resolve, responses, routes};
use argus_openapi::publish::examples::{self, Examples};
use argus_openapi::publish::{PublishError, denylist::Denylist, descriptor_of, raw::raw};
use serde_json::{Value, json};

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
fn every_example_of_a_parameter_or_header_fits() {
    for route in routes() {
        for parameter in route.operation["parameters"].as_array().unwrap().iter().map(resolve) {
            if let Some(example) = parameter.get("example") {
                assert_fits(&parameter["schema"], example, &format!("{}: {parameter}", route.name()));
            } else {
                assert_ne!(parameter["required"], true, "{}: {parameter} has no example", route.name());
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
                let known = ErrorCode::ALL.iter().find(|(known, _)| known.as_str() == code);
                let known = known.unwrap_or_else(|| panic!("{code} is not an error code"));
                assert_eq!(known.0.status(), status, "{} {status}: {code}", route.name());
            }
        }
    }
}

fn published_with(change: impl FnOnce(&mut Examples)) -> Result<Value, PublishError> {
    let mut examples = Examples::committed().unwrap();
    change(&mut examples);
    descriptor_of(raw().unwrap(), &Denylist::committed().unwrap(), &examples)
}

fn reason(outcome: Result<Value, PublishError>) -> String {
    outcome.expect_err("a hole in the examples").to_string()
}

#[test]
fn a_missing_example_is_named() {
    let without = |id: &'static str, change: fn(&mut examples::OperationExamples)| {
        reason(published_with(|all| change(all.operations.get_mut(id).unwrap())))
    };
    let request = without("job_create", |own| own.request = None);
    assert!(request.contains("`job_create`: the request has no example"), "{request}");
    let response = without("job_result", |own| drop(own.responses.remove("202")));
    assert!(response.contains("`job_result`: response 202 has no example"), "{response}");
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
    assert!(operation.contains("no published operation `job_sing`"), "{operation}");
}
