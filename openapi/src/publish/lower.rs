//! OpenAPI 3.1.0 -> 3.0.3, for tools that know nothing newer. The inverse of [`super::raise`]; the
//! table there says what becomes what.

use super::document::{Object, WEBHOOKS, X_WEBHOOKS, rename};
use super::raise::OCTET_STREAM;
use super::walk;
use serde_json::{Value, json};

/// A 3.1.0 document that [`super::raise`] could have made, as 3.0.3.
pub fn lower(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    rename(&mut document, WEBHOOKS, X_WEBHOOKS);
    walk::document(&mut document, &mut lower_members);
    document
}

/// A 3.1.0 schema with its subschemas as 3.0.3.
pub fn lower_schema(mut schema: Value) -> Value {
    walk::schema(&mut schema, &mut lower_members);
    schema
}

fn lower_members(schema: &mut Object) {
    if schema.get("contentEncoding") == Some(&json!("base64")) {
        schema.remove("contentEncoding");
        schema.insert("format".to_owned(), json!("byte"));
    } else if schema.get("contentMediaType") == Some(&json!(OCTET_STREAM)) {
        schema.remove("contentMediaType");
        schema.insert("format".to_owned(), json!("binary"));
    }
    if let Some(Value::Array(examples)) = schema.remove("examples")
        && let Some(example) = examples.into_iter().next()
    {
        schema.insert("example".to_owned(), example);
    }
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if schema.get(exclusive).is_some_and(Value::is_number)
            && let Some(value) = schema.insert(exclusive.to_owned(), Value::Bool(true))
        {
            schema.insert(bound.to_owned(), value);
        }
    }
    if schema.len() > 1
        && let Some(target) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{ "$ref": target }]));
        return;
    }
    lower_null(schema);
}

/// `null` as one of the types or branches becomes `nullable`.
fn lower_null(schema: &mut Object) {
    if let Some(Value::Array(types)) = schema.get("type")
        && let [own, null] = types.as_slice()
        && null == "null"
    {
        let own = own.clone();
        schema.insert("type".to_owned(), own);
        schema.insert("nullable".to_owned(), Value::Bool(true));
        return;
    }
    for key in ["anyOf", "oneOf"] {
        let Some(branches) = schema.get_mut(key).and_then(Value::as_array_mut) else { continue };
        if branches.len() < 2 || branches.last() != Some(&json!({ "type": "null" })) {
            continue;
        }
        branches.pop();
        if key == "anyOf"
            && branches.len() == 1
            && branches[0].as_object().is_some_and(|only| only.len() == 1 && only.contains_key("$ref"))
            && let Some(wrapped) = schema.remove(key)
        {
            schema.insert("allOf".to_owned(), wrapped);
        }
        schema.insert("nullable".to_owned(), Value::Bool(true));
        return;
    }
}
