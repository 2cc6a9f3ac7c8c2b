//! Raising and lowering are inverse.

use crate::support::descriptor;
use argus_openapi::publish::lower::{lower, lower_schema};
use argus_openapi::publish::raise::{raise, raise_schema};
use argus_openapi::publish::sort::sorted;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names that look like keywords: a walk that cannot tell them apart breaks them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("nullable".to_owned()),
        Just("example".to_owned()),
        Just("enum".to_owned()),
        Just("const".to_owned()),
        Just("properties".to_owned()),
        Just("allOf".to_owned()),
        "[a-z]{1,6}",
    ]
}

/// Examples and defaults, which hold anything, keywords included.
fn data() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "nullable": true, "example": 1 })),
        Just(json!({ "type": ["string", "null"], "enum": [1] })),
        Just(json!([null])),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,5}".prop_map(Value::from),
    ]
}

fn reference() -> impl Strategy<Value = Value> {
    "[A-Z][a-z]{1,5}".prop_map(|name| json!({ "$ref": format!("#/components/schemas/{name}") }))
}

/// What any schema but a bare reference may carry.
fn annotations() -> impl Strategy<Value = Map<String, Value>> {
    (option::of("[A-Za-z ]{1,12}"), option::of(data()), option::of(data())).prop_map(
        |(text, example, default)| {
            let mut members = Map::new();
            let mut put = |key: &str, value: Option<Value>| {
                value.map(|value| members.insert(key.to_owned(), value));
            };
            put("description", text.map(Value::from));
            put("example", example);
            put("default", default);
            members
        },
    )
}

fn merged(base: Value, more: Map<String, Value>, nullable: bool) -> Value {
    let Value::Object(mut members) = base else { return base };
    members.extend(more);
    if nullable {
        members.insert("nullable".to_owned(), Value::Bool(true));
    }
    Value::Object(members)
}

fn number() -> impl Strategy<Value = Value> {
    (prop_oneof![Just("integer"), Just("number")], option::of(any::<bool>()), option::of(any::<bool>()))
        .prop_map(|(own, low, high)| {
            let mut schema = json!({ "type": own });
            for (bound, exclusive, with, value) in
                [("minimum", "exclusiveMinimum", low, 1), ("maximum", "exclusiveMaximum", high, 9)]
            {
                if let Some(with) = with {
                    schema[bound] = json!(value);
                    if with {
                        schema[exclusive] = json!(true);
                    }
                }
            }
            schema
        })
}

fn string() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "type": "string" })),
        Just(json!({ "type": "string", "format": "byte" })),
        Just(json!({ "type": "string", "format": "binary" })),
        Just(json!({ "type": "string", "format": "date-time" })),
        vec("[a-z]{1,4}", 1..4).prop_map(|values| json!({ "type": "string", "enum": values })),
    ]
}

/// OpenAPI 3.0.3 schemas in normal form.
fn schema() -> impl Strategy<Value = Value> {
    let typed = prop_oneof![number(), string(), Just(json!({ "type": "boolean" }))];
    let leaf = prop_oneof![
        4 => (typed, annotations(), any::<bool>()).prop_map(|(base, more, nullable)| merged(base, more, nullable)),
        1 => reference(),
        1 => annotations().prop_map(Value::Object),
        2 => (reference(), annotations(), any::<bool>()).prop_map(|(target, more, nullable)| {
            // A wrapper without siblings is not in normal form.
            if more.is_empty() && !nullable { target } else { merged(json!({ "allOf": [target] }), more, nullable) }
        }),
    ];
    leaf.prop_recursive(4, 48, 4, |inner| {
        let object = (btree_map(name(), inner.clone(), 0..4), option::of(inner.clone())).prop_map(
            |(properties, additional)| {
                let mut schema = json!({ "type": "object", "properties": properties });
                schema["additionalProperties"] = additional.unwrap_or(json!(false));
                schema
            },
        );
        let array = inner.clone().prop_map(|items| json!({ "type": "array", "items": items }));
        let union = (prop_oneof![Just("oneOf"), Just("anyOf")], vec(inner.clone(), 2..4)).prop_map(
            |(keyword, branches)| {
                let mut schema = Map::new();
                schema.insert(keyword.to_owned(), Value::Array(branches));
                Value::Object(schema)
            },
        );
        let all = (vec(inner.clone(), 2..4)).prop_map(|parts| json!({ "allOf": parts }));
        prop_oneof![
            (prop_oneof![object, array, union], annotations(), any::<bool>())
                .prop_map(|(base, more, nullable)| merged(base, more, nullable)),
            (all, annotations()).prop_map(|(base, more)| merged(base, more, false)),
            inner.prop_map(|not| json!({ "not": not })),
        ]
    })
}

proptest! {
    // A failure prints its smallest case; a test leaves no file behind.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lowering_undoes_raising(schema in schema()) {
        prop_assert_eq!(lower_schema(raise_schema(schema.clone())), schema);
    }

    #[test]
    fn lowering_undoes_raising_wherever_a_schema_stands(schema in schema()) {
        let operation = |own: Value| json!({
            "parameters": [{ "name": "a", "in": "header", "schema": schema }],
            "requestBody": { "content": { "application/json": { "schema": schema } } },
            "responses": { "2XX": { "headers": { "b": { "schema": schema } } } },
            "callbacks": own,
        });
        let callbacks = json!({ "done": { "{$request.body#/url}": { "post": operation(json!({})) } } });
        let document = json!({
            "openapi": "3.0.3",
            "components": { "schemas": { "Own": schema } },
            "paths": { "/a": { "post": operation(callbacks) } },
            "x-webhooks": { "done": { "post": operation(json!({})) } },
        });
        let raised = raise(document.clone());
        prop_assert!(raised.get("x-webhooks").is_none());
        let as_one = |operation: &Value| operation["requestBody"]["content"]["application/json"]["schema"].clone();
        let whole = raise_schema(schema.clone());
        for place in ["/paths/~1a/post/callbacks/done/{$request.body#~1url}/post", "/webhooks/done/post"] {
            prop_assert_eq!(as_one(raised.pointer(place).unwrap()), whole.clone());
        }
        prop_assert_eq!(lower(raised), document);
    }

    #[test]
    fn a_raised_schema_is_json_schema_2020_12(schema in schema()) {
        let mut raised = raise_schema(schema);
        raised["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        prop_assert!(jsonschema::meta::is_valid(&raised), "{}", raised);
    }
}

#[test]
fn raising_undoes_lowering_on_the_published_document() {
    let lowered = lower(descriptor().clone());
    assert_eq!(lowered["openapi"], "3.0.3");
    assert_ne!(lowered["components"], descriptor()["components"]);
    assert!(lowered.get("webhooks").is_none() && lowered["x-webhooks"] == descriptor()["webhooks"]);
    assert_eq!(sorted(raise(lowered)), *descriptor());
}

#[test]
fn nothing_of_3_0_is_left_in_a_published_schema() {
    let text = descriptor()["components"]["schemas"].to_string();
    for keyword in
        ["\"nullable\":", "\"exclusiveMinimum\":true", "\"exclusiveMaximum\":true", "\"format\":\"binary\""]
    {
        assert!(!text.contains(keyword), "{keyword}");
    }
}

#[test]
fn each_difference_between_the_versions_has_its_form() {
    let target = || json!({ "$ref": "#/components/schemas/Job" });
    for (old, new) in [
        (json!({ "type": "string", "nullable": true }), json!({ "type": ["string", "null"] })),
        (
            json!({ "allOf": [target()], "nullable": true, "description": "d" }),
            json!({ "anyOf": [target(), { "type": "null" }], "description": "d" }),
        ),
        (
            json!({ "allOf": [target()], "description": "d" }),
            json!({ "$ref": "#/components/schemas/Job", "description": "d" }),
        ),
        (
            json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true }),
            json!({ "type": "integer", "exclusiveMinimum": 1 }),
        ),
        (json!({ "type": "string", "example": "a" }), json!({ "type": "string", "examples": ["a"] })),
        (
            json!({ "type": "string", "format": "byte" }),
            json!({ "type": "string", "contentEncoding": "base64" }),
        ),
        (
            json!({ "type": "string", "format": "binary" }),
            json!({ "type": "string", "contentMediaType": "application/octet-stream" }),
        ),
    ] {
        assert_eq!(raise_schema(old.clone()), new);
        assert_eq!(lower_schema(new), old);
    }
}
