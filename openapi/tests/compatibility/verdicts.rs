//! What the gate says of each pair, and where oasdiff says otherwise.

use crate::pairs;
use crate::support::{at, stopped};
use argus_openapi::compatibility::{Rule, compare, judge};
use argus_openapi::contract::ARGUS;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn each_breaking_pair_is_stopped_by_its_rule_and_each_harmless_one_passes() {
    for pair in pairs::all() {
        let stopped = stopped(&pair.base, &pair.next);
        let expected: Vec<Rule> = pair.breaks.into_iter().collect();
        assert_eq!(stopped, expected, "{}", pair.name);
    }
}

/// Each rule that can break does so in a pair. `host` and `operation-id` stand in a test of their own.
#[test]
fn each_rule_is_broken_by_a_pair() {
    let broken: BTreeSet<Rule> = pairs::all().iter().filter_map(|pair| pair.breaks).collect();
    let rules = [
        Rule::Operation,
        Rule::Security,
        Rule::Parameter,
        Rule::RequiredInput,
        Rule::Default,
        Rule::MediaType,
        Rule::Status,
        Rule::Header,
        Rule::Member,
        Rule::AlwaysThere,
        Rule::EnumValue,
        Rule::Type,
        Rule::Bound,
        Rule::Form,
        Rule::Keyword,
    ];
    assert_eq!(broken, rules.into());
}

/// oasdiff cannot be installed from the package registries, so that its verdicts are those of its published list of
/// checks and their default levels, as of August 2026 (error and warning are reported by `oasdiff breaking`). Where
/// they are others than the gate's, this says why.
const OTHERWISE: [(&str, &str); 7] = [
    ("a request is closed", "oasdiff has no check of it"),
    ("a response is closed no more", "oasdiff has no check of it"),
    ("a refusal's status is removed", "a documented status is a promise here, whatever its class"),
    ("a success status is added", "clients choose a type by a success's status"),
    ("a scope is added", "later versions of oasdiff report it, too"),
    ("an open operation is secured", "later versions of oasdiff report it, too"),
    ("a default is said where none was", "a default that was always so takes nothing away by being said"),
];

#[test]
fn where_oasdiff_says_otherwise_is_known_and_explained() {
    let otherwise: BTreeSet<&str> = pairs::all()
        .iter()
        .filter(|pair| pair.oasdiff.1 != pair.breaks.is_some())
        .map(|pair| pair.name)
        .collect();
    let explained: BTreeSet<&str> = OTHERWISE.iter().map(|(name, _)| *name).collect();
    assert_eq!(otherwise, explained);
}

fn contract() -> Value {
    serde_json::from_str(ARGUS.documents.json).unwrap()
}

#[test]
fn the_descriptor_does_not_break_itself_and_nothing_of_it_is_unknown() {
    assert_eq!(compare(&contract(), &contract()).unwrap(), []);
}

/// What breaks in the descriptor itself, by its extensions and references.
#[test]
fn a_change_in_the_descriptor_is_found_where_it_is() {
    type Edit = fn(&mut Value);
    let edits: [(Edit, Rule, &str, &str); 8] = [
        (
            |document| document["paths"]["/v1/jobs"]["get"]["x-argus-hosts"] = json!(["api"]),
            Rule::Host,
            "job_list",
            "",
        ),
        (
            |document| document["paths"]["/v1/jobs"]["get"]["operationId"] = json!("jobs"),
            Rule::OperationId,
            "job_list",
            "",
        ),
        (
            |document| {
                document["paths"]["/v1/jobs"]["get"]["x-argus-scopes"] =
                    json!(["argus:jobs:read", "argus:jobs:write"])
            },
            Rule::Security,
            "job_list",
            "security",
        ),
        (
            |document| document["paths"]["/v1/jobs"]["post"]["requestBody"]["x-argus-max-bytes"] = json!(10),
            Rule::Bound,
            "job_create",
            "request.body",
        ),
        (
            |document| {
                document["components"]["schemas"]["ExportPayload"]["properties"]
                    .as_object_mut()
                    .unwrap()
                    .remove("format");
            },
            Rule::Member,
            "job_create",
            "request.body.payload.format",
        ),
        (
            |document| {
                document["components"]["schemas"]["JobSummary"]["properties"]
                    .as_object_mut()
                    .unwrap()
                    .remove("status");
            },
            Rule::Member,
            "job_list",
            "response.200.body.jobs[].status",
        ),
        (
            |document| {
                document["webhooks"].as_object_mut().unwrap().remove("job.failed");
            },
            Rule::Operation,
            "job_failed_deliver",
            "",
        ),
        (
            |document| {
                document["components"]["schemas"]["JobNotice"]["properties"]
                    .as_object_mut()
                    .unwrap()
                    .remove("trace_id");
            },
            Rule::Member,
            "job_succeeded_deliver",
            "request.body.data.trace_id",
        ),
    ];
    for (edit, rule, operation, part) in edits {
        let mut next = contract();
        edit(&mut next);
        let found = judge(&contract(), &next, at("2026-12-01T00:00:00Z")).unwrap();
        let stopped = found.iter().filter(|judged| !judged.verdict.passes()).map(|judged| &judged.change);
        let places: Vec<_> =
            stopped.map(|change| (change.rule, change.operation.as_str(), change.part.as_str())).collect();
        assert!(places.contains(&(rule, operation, part)), "{part}: {places:?}");
    }
}

#[test]
fn a_schema_that_holds_itself_is_compared_to_its_end() {
    let tree = |leaf: &str| {
        let mut document = crate::support::response(json!({ "$ref": "#/components/schemas/Tree" }));
        document["components"] = json!({ "schemas": { "Tree": { "type": "object", "properties": {
            "leaf": { "type": leaf },
            "below": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
        } } } });
        document
    };
    assert_eq!(stopped(&tree("string"), &tree("string")), []);
    assert_eq!(stopped(&tree("string"), &tree("integer")), [Rule::Type]);
}

#[test]
fn what_is_no_descriptor_is_refused() {
    let error = compare(&json!({}), &contract()).unwrap_err();
    assert!(error.contains("the base is no OpenAPI document"), "{error}");
    let error = compare(&contract(), &json!({ "openapi": "3.1.0" })).unwrap_err();
    assert!(error.contains("the next document is no OpenAPI document"), "{error}");
}
