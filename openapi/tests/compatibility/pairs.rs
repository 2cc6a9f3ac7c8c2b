//! The pairs. Each breaking one names the one rule that it breaks; each harmless one breaks none.

use crate::support::{Pair, document, object, query, request, response};
use argus_openapi::compatibility::Rule;
use serde_json::{Value, json};

fn pair(
    name: &'static str,
    (base, next): (Value, Value),
    breaks: Option<Rule>,
    check: &'static str,
    reported: bool,
) -> Pair {
    Pair { name, base, next, breaks, oasdiff: (check, reported) }
}

fn both(make: fn(Value) -> Value, base: Value, next: Value) -> (Value, Value) {
    (make(base), make(next))
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn secured(scopes: Value) -> Value {
    document(json!({ "security": [{ "oauth": scopes }] }))
}

fn statuses(list: &[&str]) -> Value {
    let responses = list.iter().map(|status| ((*status).to_owned(), json!({ "description": "d" })));
    document(json!({ "responses": responses.collect::<serde_json::Map<_, _>>() }))
}

fn with_header(headers: Value) -> Value {
    document(json!({ "responses": { "200": { "description": "d", "headers": headers } } }))
}

fn with_parameters(list: Value) -> Value {
    document(json!({ "parameters": list }))
}

/// With two components, `A` and `B`, that differ by a constant.
fn with_components(mut document: Value) -> Value {
    let component = |kind: &str| json!({ "type": "object", "properties": { "kind": { "const": kind } }, "required": ["kind"] });
    document["components"] = json!({ "schemas": { "A": component("a"), "B": component("b") } });
    document
}

fn forms(make: fn(Value) -> Value, base: &[&str], next: &[&str]) -> (Value, Value) {
    let list = |names: &[&str]| {
        let forms = names.iter().map(|name| json!({ "$ref": format!("#/components/schemas/{name}") }));
        with_components(make(json!({ "oneOf": forms.collect::<Vec<_>>() })))
    };
    (list(base), list(next))
}

/// What breaks.
fn breaking() -> Vec<Pair> {
    let nullable = json!({ "type": ["string", "null"] });
    let of = |values: &[&str]| json!({ "type": "string", "enum": values });
    let required = |names: &[&str]| json!({ "type": "object", "properties": { "m": { "type": "string" } }, "required": names });
    let two = |names: &[&str]| json!({ "type": "object", "properties": names.iter().map(|name| ((*name).to_owned(), text())).collect::<serde_json::Map<_, _>>() });
    let empty = json!({ "openapi": "3.1.0", "paths": {} });
    vec![
        pair(
            "an operation is removed",
            (document(json!({})), empty),
            Some(Rule::Operation),
            "api-path-removed-without-deprecation",
            true,
        ),
        pair(
            "a success status is removed",
            (statuses(&["200", "202"]), statuses(&["200"])),
            Some(Rule::Status),
            "response-success-status-removed",
            true,
        ),
        pair(
            "a refusal's status is removed",
            (statuses(&["200", "409"]), statuses(&["200"])),
            Some(Rule::Status),
            "response-non-success-status-removed",
            false,
        ),
        pair(
            "a success status is added",
            (statuses(&["200"]), statuses(&["200", "202"])),
            Some(Rule::Status),
            "response-success-status-added",
            false,
        ),
        pair(
            "null is lost in a parameter",
            both(query, nullable.clone(), text()),
            Some(Rule::Type),
            "request-parameter-became-not-nullable",
            true,
        ),
        pair(
            "null is lost in a member of a request",
            both(request, object(nullable.clone()), object(text())),
            Some(Rule::Type),
            "request-property-became-not-nullable",
            true,
        ),
        pair(
            "a member of a response becomes nullable",
            both(response, object(text()), object(nullable.clone())),
            Some(Rule::Type),
            "response-property-became-nullable",
            true,
        ),
        pair(
            "a member of a response becomes nullable by a form",
            both(
                response,
                object(text()),
                object(json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] })),
            ),
            Some(Rule::Form),
            "response-property-became-nullable",
            true,
        ),
        pair(
            "a member of a response is of any type now",
            both(response, object(text()), object(json!({}))),
            Some(Rule::Type),
            "response-property-type-generalized",
            true,
        ),
        pair(
            "a request's type is another",
            both(request, object(text()), object(json!({ "type": "integer" }))),
            Some(Rule::Type),
            "request-property-type-changed",
            true,
        ),
        pair(
            "a number of a request must be whole",
            both(request, object(json!({ "type": "number" })), object(json!({ "type": "integer" }))),
            Some(Rule::Type),
            "request-property-type-changed",
            true,
        ),
        pair(
            "a number of a response need not be whole",
            both(response, object(json!({ "type": "integer" })), object(json!({ "type": "number" }))),
            Some(Rule::Type),
            "response-property-type-generalized",
            true,
        ),
        pair(
            "a form is added to a response",
            forms(response, &["A"], &["A", "B"]),
            Some(Rule::Form),
            "response-body-one-of-added",
            true,
        ),
        pair(
            "a form of a request is removed",
            forms(request, &["A", "B"], &["A"]),
            Some(Rule::Form),
            "request-body-one-of-removed",
            true,
        ),
        pair(
            "a value of a request's enum is removed",
            both(request, object(of(&["a", "b"])), object(of(&["a"]))),
            Some(Rule::EnumValue),
            "request-property-enum-value-removed",
            true,
        ),
        pair(
            "a value of a parameter's enum is removed",
            both(query, of(&["a", "b"]), of(&["a"])),
            Some(Rule::EnumValue),
            "request-parameter-enum-value-removed",
            true,
        ),
        pair(
            "a parameter becomes an enum",
            both(query, text(), of(&["a"])),
            Some(Rule::EnumValue),
            "request-parameter-became-enum",
            true,
        ),
        pair(
            "a value is added to a response's enum",
            both(response, object(of(&["a"])), object(of(&["a", "b"]))),
            Some(Rule::EnumValue),
            "response-property-enum-value-added",
            true,
        ),
        pair(
            "a constant of a response is another",
            both(response, object(json!({ "const": 1 })), object(json!({ "const": 2 }))),
            Some(Rule::EnumValue),
            "response-property-const-changed",
            true,
        ),
        pair(
            "a member of a request becomes required",
            both(request, required(&[]), required(&["m"])),
            Some(Rule::RequiredInput),
            "request-property-became-required",
            true,
        ),
        pair(
            "a required member is added to a request",
            both(request, json!({ "type": "object" }), required(&["m"])),
            Some(Rule::RequiredInput),
            "new-required-request-property",
            true,
        ),
        pair(
            "a required parameter is added",
            (
                with_parameters(json!([])),
                with_parameters(json!([{ "name": "q", "in": "query", "required": true, "schema": text() }])),
            ),
            Some(Rule::RequiredInput),
            "new-required-request-parameter",
            true,
        ),
        pair(
            "a parameter becomes required",
            (
                query(text()),
                with_parameters(json!([{ "name": "q", "in": "query", "required": true, "schema": text() }])),
            ),
            Some(Rule::RequiredInput),
            "request-parameter-became-required",
            true,
        ),
        pair(
            "a parameter is removed",
            (query(text()), with_parameters(json!([]))),
            Some(Rule::Parameter),
            "request-parameter-removed",
            true,
        ),
        pair(
            "a required body is added",
            (document(json!({})), request(text())),
            Some(Rule::RequiredInput),
            "request-body-added-required",
            true,
        ),
        pair(
            "a media type of a request is removed",
            (request(text()), document(json!({ "requestBody": { "required": true, "content": {} } }))),
            Some(Rule::MediaType),
            "request-body-media-type-removed",
            true,
        ),
        pair(
            "a member of a response is removed",
            both(response, two(&["a", "b"]), two(&["a"])),
            Some(Rule::Member),
            "response-optional-property-removed",
            true,
        ),
        pair(
            "a member of a request is removed",
            both(request, two(&["a", "b"]), two(&["a"])),
            Some(Rule::Member),
            "request-property-removed",
            true,
        ),
        pair(
            "a member of a response may be missing",
            both(response, required(&["m"]), required(&[])),
            Some(Rule::AlwaysThere),
            "response-property-became-optional",
            true,
        ),
        pair(
            "the most of a parameter is lowered",
            both(
                query,
                json!({ "type": "integer", "maximum": 200 }),
                json!({ "type": "integer", "maximum": 100 }),
            ),
            Some(Rule::Bound),
            "request-parameter-max-decreased",
            true,
        ),
        pair(
            "a member of a request gets a longest length",
            both(request, object(text()), object(json!({ "type": "string", "maxLength": 9 }))),
            Some(Rule::Bound),
            "request-property-max-length-set",
            true,
        ),
        pair(
            "a member of a response may be longer",
            both(
                response,
                object(json!({ "type": "string", "maxLength": 9 })),
                object(json!({ "type": "string", "maxLength": 10 })),
            ),
            Some(Rule::Bound),
            "response-property-max-length-increased",
            true,
        ),
        pair(
            "items of a request must be more",
            both(request, json!({ "type": "array" }), json!({ "type": "array", "minItems": 2 })),
            Some(Rule::Bound),
            "request-body-min-items-set",
            true,
        ),
        pair(
            "a parameter gets a pattern",
            both(query, text(), json!({ "type": "string", "pattern": "^a" })),
            Some(Rule::Type),
            "request-parameter-pattern-added",
            true,
        ),
        pair(
            "a parameter's default is another",
            both(
                query,
                json!({ "type": "integer", "default": 50 }),
                json!({ "type": "integer", "default": 20 }),
            ),
            Some(Rule::Default),
            "request-parameter-default-value-changed",
            true,
        ),
        pair(
            "a parameter's default is removed",
            both(query, json!({ "type": "integer", "default": 50 }), json!({ "type": "integer" })),
            Some(Rule::Default),
            "request-parameter-default-value-removed",
            true,
        ),
        pair(
            "a scope is added",
            (secured(json!(["read"])), secured(json!(["read", "write"]))),
            Some(Rule::Security),
            "api-security-scope-added",
            false,
        ),
        pair(
            "an open operation is secured",
            (document(json!({ "security": [] })), secured(json!(["read"]))),
            Some(Rule::Security),
            "api-security-added",
            false,
        ),
        pair(
            "a header of a response is removed",
            (with_header(json!({ "ETag": { "required": true, "schema": text() } })), with_header(json!({}))),
            Some(Rule::Header),
            "required-response-header-removed",
            true,
        ),
        pair(
            "a header of a response may be missing",
            (
                with_header(json!({ "ETag": { "required": true, "schema": text() } })),
                with_header(json!({ "ETag": { "schema": text() } })),
            ),
            Some(Rule::AlwaysThere),
            "response-header-became-optional",
            true,
        ),
        pair(
            "a response is closed no more",
            both(
                response,
                json!({ "type": "object", "additionalProperties": false }),
                json!({ "type": "object" }),
            ),
            Some(Rule::Member),
            "",
            false,
        ),
        pair(
            "a request is closed",
            both(
                request,
                json!({ "type": "object" }),
                json!({ "type": "object", "additionalProperties": false }),
            ),
            Some(Rule::Member),
            "",
            false,
        ),
        pair(
            "a condition is added to a request",
            both(request, object(text()), {
                let mut schema = object(text());
                schema["dependentRequired"] = json!({ "m": ["n"] });
                schema
            }),
            Some(Rule::Keyword),
            "request-body-dependent-required-added",
            true,
        ),
        pair(
            "an item of a response is another",
            both(
                response,
                json!({ "type": "array", "items": { "type": "string" } }),
                json!({ "type": "array", "items": { "type": "integer" } }),
            ),
            Some(Rule::Type),
            "response-property-type-changed",
            true,
        ),
    ]
}

/// What does not.
fn harmless() -> Vec<Pair> {
    let nullable = json!({ "type": ["string", "null"] });
    let of = |values: &[&str]| json!({ "type": "string", "enum": values });
    let growing = |values: &[&str]| object(json!({ "type": "string", "x-extensible-enum": values }));
    let required = |names: &[&str]| json!({ "type": "object", "properties": { "m": { "type": "string" } }, "required": names });
    let mut two = document(json!({}));
    two["paths"]["/others"] = json!({ "get": { "operationId": "other_list", "responses": {} } });
    let wrapped = with_components(response(json!({ "allOf": [{ "$ref": "#/components/schemas/A" }] })));
    let referred = with_components(response(json!({ "$ref": "#/components/schemas/A", "description": "d" })));
    vec![
        pair("nothing changes", (two.clone(), two.clone()), None, "", false),
        pair("an operation is added", (document(json!({})), two), None, "endpoint-added", false),
        pair(
            "the type of a parameter is removed altogether",
            both(query, text(), json!({})),
            None,
            "request-parameter-type-generalized",
            false,
        ),
        pair(
            "the order of types is another",
            both(query, nullable.clone(), json!({ "type": ["null", "string"] })),
            None,
            "",
            false,
        ),
        pair(
            "the order of types is another in a response",
            both(response, object(nullable.clone()), object(json!({ "type": ["null", "string"] }))),
            None,
            "",
            false,
        ),
        pair(
            "one type is written as a list",
            both(response, object(text()), object(json!({ "type": ["string"] }))),
            None,
            "",
            false,
        ),
        pair(
            "null is written as a form",
            both(
                response,
                object(nullable.clone()),
                object(json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] })),
            ),
            None,
            "",
            false,
        ),
        pair(
            "a parameter becomes nullable",
            both(query, text(), nullable.clone()),
            None,
            "request-parameter-became-nullable",
            false,
        ),
        pair(
            "a member of a response is never null any more",
            both(response, object(nullable), object(text())),
            None,
            "response-property-became-not-nullable",
            false,
        ),
        pair(
            "a value is added to a request's enum",
            both(request, object(of(&["a"])), object(of(&["a", "b"]))),
            None,
            "request-property-enum-value-added",
            false,
        ),
        pair(
            "a value of a response's enum is removed",
            both(response, object(of(&["a", "b"])), object(of(&["a"]))),
            None,
            "response-property-enum-value-removed",
            false,
        ),
        pair(
            "the order of an enum is another",
            both(response, object(of(&["a", "b"])), object(of(&["b", "a"]))),
            None,
            "",
            false,
        ),
        pair(
            "a list that grows has grown",
            both(response, growing(&["a"]), growing(&["a", "b"])),
            None,
            "",
            false,
        ),
        pair(
            "a constant is written as an enum",
            both(response, object(json!({ "const": "a" })), object(json!({ "enum": ["a"] }))),
            None,
            "",
            false,
        ),
        pair(
            "a form is added to a request",
            forms(request, &["A"], &["A", "B"]),
            None,
            "request-body-one-of-added",
            false,
        ),
        pair(
            "a form of a response is removed",
            forms(response, &["A", "B"], &["A"]),
            None,
            "response-body-one-of-removed",
            false,
        ),
        pair("the order of forms is another", forms(response, &["A", "B"], &["B", "A"]), None, "", false),
        pair("a reference is wrapped no more", (wrapped, referred), None, "", false),
        pair(
            "a member of a request may be left out",
            both(request, required(&["m"]), required(&[])),
            None,
            "request-property-became-optional",
            false,
        ),
        pair(
            "a member of a response is always there",
            both(response, required(&[]), required(&["m"])),
            None,
            "response-property-became-required",
            false,
        ),
        pair(
            "a member is added to a response",
            both(response, json!({ "type": "object" }), required(&["m"])),
            None,
            "response-required-property-added",
            false,
        ),
        pair(
            "an optional member is added to a request",
            both(request, json!({ "type": "object" }), object(text())),
            None,
            "new-optional-request-property",
            false,
        ),
        pair(
            "an optional parameter is added",
            (with_parameters(json!([])), query(text())),
            None,
            "new-optional-request-parameter",
            false,
        ),
        pair(
            "the most of a parameter is raised",
            both(
                query,
                json!({ "type": "integer", "maximum": 100 }),
                json!({ "type": "integer", "maximum": 200 }),
            ),
            None,
            "request-parameter-max-increased",
            false,
        ),
        pair(
            "a member of a response is shorter",
            both(
                response,
                object(json!({ "type": "string", "maxLength": 9 })),
                object(json!({ "type": "string", "maxLength": 8 })),
            ),
            None,
            "",
            false,
        ),
        pair(
            "a refusal has a new status",
            (statuses(&["200"]), statuses(&["200", "409"])),
            None,
            "response-non-success-status-added",
            false,
        ),
        pair(
            "a success of a documented class has a new status",
            (statuses(&["2XX"]), statuses(&["2XX", "202"])),
            None,
            "response-success-status-added",
            false,
        ),
        pair(
            "a scope is removed",
            (secured(json!(["read", "write"])), secured(json!(["read"]))),
            None,
            "api-security-scope-removed",
            false,
        ),
        pair(
            "an operation is open now",
            (secured(json!(["read"])), document(json!({ "security": [] }))),
            None,
            "api-security-removed",
            false,
        ),
        pair(
            "a header is added to a response",
            (with_header(json!({})), with_header(json!({ "ETag": { "schema": text() } }))),
            None,
            "response-header-added",
            false,
        ),
        pair(
            "a header is written in another case",
            (
                with_header(json!({ "ETag": { "schema": text() } })),
                with_header(json!({ "etag": { "schema": text() } })),
            ),
            None,
            "",
            false,
        ),
        pair(
            "texts are others",
            both(
                response,
                json!({ "type": "string", "description": "a" }),
                json!({ "type": "string", "description": "b" }),
            ),
            None,
            "",
            false,
        ),
        pair(
            "a default is said where none was",
            both(query, json!({ "type": "integer" }), json!({ "type": "integer", "default": 50 })),
            None,
            "request-parameter-default-value-added",
            true,
        ),
    ]
}

pub(crate) fn all() -> Vec<Pair> {
    let mut all = breaking();
    all.extend(harmless());
    all
}

#[test]
fn there_are_enough_pairs_and_none_twice() {
    let (breaking, harmless) = (breaking(), harmless());
    assert!(breaking.len() >= 30 && harmless.len() >= 30, "{} and {}", breaking.len(), harmless.len());
    let mut names: Vec<&str> = breaking.iter().chain(&harmless).map(|pair| pair.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
