//! Visits every schema of a document, and nothing that merely looks like one: property names,
//! examples and defaults are left alone.

use super::document::{Object, deliveries_mut, operations_mut};
use serde_json::Value;

const MAPS: [&str; 3] = ["properties", "patternProperties", "$defs"];
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SINGLES: [&str; 3] = ["items", "additionalProperties", "not"];

/// Applies `change` to a schema, its subschemas first.
pub(super) fn schema(value: &mut Value, change: &mut dyn FnMut(&mut Object)) {
    let Some(members) = value.as_object_mut() else { return };
    for key in MAPS {
        if let Some(map) = members.get_mut(key).and_then(Value::as_object_mut) {
            map.values_mut().for_each(|subschema| schema(subschema, change));
        }
    }
    for key in LISTS {
        if let Some(list) = members.get_mut(key).and_then(Value::as_array_mut) {
            list.iter_mut().for_each(|subschema| schema(subschema, change));
        }
    }
    for key in SINGLES {
        if let Some(subschema) = members.get_mut(key) {
            schema(subschema, change);
        }
    }
    change(members);
}

/// Applies `change` to every schema of a document.
pub(super) fn document(document: &mut Value, change: &mut dyn FnMut(&mut Object)) {
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.values_mut().for_each(|value| schema(value, change));
    }
    for kind in ["responses", "parameters", "headers", "requestBodies"] {
        if let Some(members) =
            document.pointer_mut(&format!("/components/{kind}")).and_then(Value::as_object_mut)
        {
            members.values_mut().for_each(|member| holder(member, change));
        }
    }
    operations_mut(document).for_each(|own| operation(own, change));
    deliveries_mut(document).for_each(|own| operation(own, change));
}

/// An operation without its callbacks: their operations are visited as others are.
fn operation(operation: &mut Object, change: &mut dyn FnMut(&mut Object)) {
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.iter_mut().for_each(|parameter| holder(parameter, change));
    }
    if let Some(body) = operation.get_mut("requestBody") {
        holder(body, change);
    }
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.values_mut().for_each(|response| holder(response, change));
    }
}

/// A parameter, header, body or response: its own schema, those of its content and of its headers.
fn holder(value: &mut Value, change: &mut dyn FnMut(&mut Object)) {
    if let Some(own) = value.get_mut("schema") {
        schema(own, change);
    }
    if let Some(content) = value.get_mut("content").and_then(Value::as_object_mut) {
        content.values_mut().filter_map(|media| media.get_mut("schema")).for_each(|own| schema(own, change));
    }
    if let Some(headers) = value.get_mut("headers").and_then(Value::as_object_mut) {
        headers.values_mut().for_each(|header| holder(header, change));
    }
}
