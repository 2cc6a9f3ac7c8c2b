//! Step 8: OpenAPI 3.0.3 -> 3.1.0. [`super::lower`] is the inverse.
//!
//! | 3.0.3 | 3.1.0 |
//! |---|---|
//! | `nullable: true` beside a type | `type: [T, "null"]` |
//! | `nullable: true` beside one wrapped reference | `anyOf: [$ref, null]` |
//! | a reference wrapped in `allOf`, because it has siblings | `$ref` with siblings |
//! | `minimum` with `exclusiveMinimum: true` | `exclusiveMinimum: n` |
//! | `example` | `examples` |
//! | `format: byte`, `format: binary` | `contentEncoding`, `contentMediaType` |
//! | `x-webhooks`, an extension | `webhooks` |
//!
//! Callbacks are the same in both.

use super::document::{Object, WEBHOOKS, X_WEBHOOKS, rename};
use super::walk;
use serde_json::{Value, json};

/// Media type that stands for `format: binary`.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// A 3.0.3 document as 3.1.0.
pub fn raise(mut document: Value) -> Value {
    document["openapi"] = json!("3.1.0");
    rename(&mut document, X_WEBHOOKS, WEBHOOKS);
    walk::document(&mut document, &mut raise_members);
    document
}

/// A 3.0.3 schema with its subschemas as 3.1.0.
pub fn raise_schema(mut schema: Value) -> Value {
    walk::schema(&mut schema, &mut raise_members);
    schema
}

fn raise_members(schema: &mut Object) {
    let nullable = schema.remove("nullable") == Some(Value::Bool(true));
    if let Some(target) = wrapped_reference(schema) {
        schema.remove("allOf");
        if nullable {
            schema.insert("anyOf".to_owned(), json!([{ "$ref": target }, { "type": "null" }]));
        } else {
            schema.insert("$ref".to_owned(), target);
        }
    } else if nullable {
        if let Some(own) = schema.get("type").cloned() {
            schema.insert("type".to_owned(), json!([own, "null"]));
        } else if let Some(list) = ["anyOf", "oneOf"].into_iter().find(|key| schema.contains_key(*key))
            && let Some(branches) = schema.get_mut(list).and_then(Value::as_array_mut)
        {
            branches.push(json!({ "type": "null" }));
        }
    }
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if schema.get(exclusive).is_some_and(Value::is_boolean)
            && schema.remove(exclusive) == Some(Value::Bool(true))
            && let Some(value) = schema.remove(bound)
        {
            schema.insert(exclusive.to_owned(), value);
        }
    }
    if let Some(example) = schema.remove("example") {
        schema.insert("examples".to_owned(), json!([example]));
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("byte") => {
            schema.remove("format");
            schema.insert("contentEncoding".to_owned(), json!("base64"));
        }
        Some("binary") => {
            schema.remove("format");
            schema.insert("contentMediaType".to_owned(), json!(OCTET_STREAM));
        }
        _ => {}
    }
}

/// The target of an `allOf` that only wraps one reference.
fn wrapped_reference(schema: &Object) -> Option<Value> {
    match schema.get("allOf")?.as_array()?.as_slice() {
        [Value::Object(only)] if only.len() == 1 => only.get("$ref").cloned(),
        _ => None,
    }
}
