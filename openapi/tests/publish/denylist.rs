//! The denylist and the operation table guard each other.

use argus_openapi::Operation;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::denylist::{Denylist, Pattern, deny};
use argus_openapi::publish::document::routes;
use argus_openapi::publish::{PublishError, raw::raw};
use serde_json::json;

fn committed() -> Denylist {
    Denylist::committed(&ARGUS).unwrap()
}

fn pattern(route: &str) -> Pattern {
    Pattern { route: route.to_owned(), reason: "a test".to_owned() }
}

#[test]
fn exactly_the_published_operations_are_left() {
    let document = deny(&ARGUS, raw(&ARGUS).unwrap(), &committed()).unwrap();
    let mut left: Vec<_> = routes(&document).map(|route| route.id().to_owned()).collect();
    let mut expected: Vec<_> = Operation::ALL
        .iter()
        .filter(|operation| operation.is_published())
        .map(|operation| operation.id())
        .collect();
    left.sort();
    expected.sort_unstable();
    assert_eq!(left, expected);
}

#[test]
fn an_internal_operation_that_no_pattern_matches_is_named() {
    let raw = raw(&ARGUS).unwrap();
    let mut internal = 0;
    for route in routes(&raw) {
        let operation = Operation::from_id(route.id()).unwrap();
        if operation.is_published() {
            continue;
        }
        internal += 1;
        let mut denylist = committed();
        while let Some(found) = denylist.find(&route.method, route.path).map(|found| found.route.clone()) {
            denylist.patterns.retain(|pattern| pattern.route != found);
        }
        // One pattern may cover several operations; each of them is a reason to fail.
        match deny(&ARGUS, raw.clone(), &denylist) {
            Err(PublishError::NotDenied { operation, .. }) => {
                assert!(!Operation::from_id(operation).unwrap().is_published());
            }
            other => panic!("{} without its pattern: {other:?}", route.name()),
        }
    }
    assert!(internal >= 4, "the raw description holds {internal} internal operations");
}

#[test]
fn a_route_that_nobody_classified_cannot_be_published() {
    let mut raw = raw(&ARGUS).unwrap();
    raw["paths"]["/v1/forgotten"] = json!({ "post": { "operationId": "forgotten", "responses": {} } });
    let error = deny(&ARGUS, raw, &committed()).unwrap_err();
    assert_eq!(error, PublishError::UnknownOperation("forgotten (POST /v1/forgotten)".to_owned()));
}

#[test]
fn a_route_below_a_denied_prefix_is_removed_even_when_the_table_does_not_know_it() {
    let mut raw = raw(&ARGUS).unwrap();
    raw["paths"]["/internal/forgotten"] = json!({ "get": { "operationId": "forgotten", "responses": {} } });
    let document = deny(&ARGUS, raw, &committed()).unwrap();
    assert!(routes(&document).all(|route| !route.path.starts_with("/internal")));
}

#[test]
fn a_pattern_that_hits_a_published_operation_is_named() {
    let mut denylist = committed();
    denylist.patterns.push(pattern("DELETE /v1/jobs/*"));
    let error = deny(&ARGUS, raw(&ARGUS).unwrap(), &denylist).unwrap_err();
    let PublishError::WronglyDenied { operation, route, pattern, .. } = error else { panic!("{error}") };
    assert_eq!((operation, route.as_str()), ("job_cancel", "DELETE /v1/jobs/{id}"));
    assert_eq!(pattern, "DELETE /v1/jobs/*");
}

#[test]
fn a_published_operation_that_the_trait_lost_is_named() {
    let mut raw = raw(&ARGUS).unwrap();
    raw["paths"].as_object_mut().unwrap().remove("/v1/sandbox/scenarios");
    let error = deny(&ARGUS, raw, &committed()).unwrap_err();
    assert_eq!(error, PublishError::MissingOperation("sandbox_scenario_list"));
}

#[test]
fn nothing_published_matches_the_denylist() {
    let denylist = committed();
    let document = crate::support::descriptor();
    for route in routes(document) {
        assert!(denylist.find(&route.method, route.path).is_none(), "{}", route.name());
    }
    let text = document.to_string();
    for word in ["/internal/", "/healthz", "/readyz", "/metrics", "argus:internal:operate"] {
        assert!(!text.contains(word), "the descriptor mentions {word}");
    }
    let tags = document["tags"].as_array().unwrap();
    assert!(!tags.is_empty() && tags.iter().all(|tag| tag["name"] != "internal"));
}
