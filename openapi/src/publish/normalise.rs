//! Step 5: one way of saying each thing, still in 3.0.3, so that raising and lowering are inverse.

use super::document::{Object, operations_mut};
use super::walk;
use serde_json::{Value, json};

/// Formats that the usual tools know, with the bounds of those that they do not.
const FORMATS: [(&str, &str, Option<u64>); 6] = [
    ("uint8", "int32", Some(u8::MAX as u64)),
    ("int8", "int32", None),
    ("uint16", "int32", Some(u16::MAX as u64)),
    ("int16", "int32", None),
    ("uint32", "int64", Some(u32::MAX as u64)),
    ("uint64", "int64", None),
];

/// The document in normal form.
pub fn normalise(mut document: Value) -> Value {
    for operation in operations_mut(&mut document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            // An absent query parameter is absent; there is no way to send `null`.
            if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
                schema.remove("nullable");
            }
        }
    }
    walk::document(&mut document, &mut normalise_schema);
    document
}

fn normalise_schema(schema: &mut Object) {
    for key in ["nullable", "exclusiveMinimum", "exclusiveMaximum"] {
        if schema.get(key) == Some(&Value::Bool(false)) {
            schema.remove(key);
        }
    }
    for key in ["minimum", "maximum", "multipleOf", "default"] {
        if let Some(whole) = schema.get(key).and_then(whole_number) {
            schema.insert(key.to_owned(), json!(whole));
        }
    }
    if schema.get("type") == Some(&json!("integer"))
        && let Some(format) = schema.get("format").and_then(Value::as_str)
        && let Some((_, known, maximum)) = FORMATS.iter().find(|(name, ..)| *name == format)
    {
        schema.insert("format".to_owned(), json!(known));
        if let Some(maximum) = maximum {
            schema.entry("maximum").or_insert(json!(maximum));
        }
    }
    if schema.len() == 1
        && let Some([Value::Object(only)]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        && only.len() == 1
        && let Some(target) = only.get("$ref").cloned()
    {
        schema.remove("allOf");
        schema.insert("$ref".to_owned(), target);
    }
}

/// The integer that a float such as `100.0` is.
fn whole_number(value: &Value) -> Option<i64> {
    let float = value.as_f64().filter(|_| value.is_f64())?;
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}
