//! From the published document to what the SDK generator takes: lowered to 3.0.3, and without what
//! it cannot express. Nothing here changes what goes over the wire.

use super::PublishError;
use super::document::{Object, object_mut, operations_mut};
use super::lower::lower;
use super::walk;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Request headers that the client's transport sets by itself on every request.
const TRANSPORT: [&str; 2] = ["traceparent", "tracestate"];

/// The response header of operations that take `Prefer`.
const PREFERENCE_APPLIED: &str = "Preference-Applied";

/// The document for the generator.
pub fn for_generator(published: Value) -> Result<Value, PublishError> {
    let mut document = lower(published);
    drop_redirections(&mut document);
    walk::document(&mut document, &mut drop_item_bounds);
    walk::document(&mut document, &mut drop_optional_bounds);
    walk::document(&mut document, &mut fill_in_only_values);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        open_extensible(schemas);
    }
    walk::document(&mut document, &mut describe_values);
    let shared = document["components"]["responses"].clone();
    let preferences = preferences(&document);
    let mut schemas = object_mut(&mut document, "components")?.get("schemas").cloned().unwrap_or(json!({}));
    for operation in operations_mut(&mut document) {
        take_preferences(operation, &preferences);
        let name = pascal_case(operation.get("operationId").and_then(Value::as_str).unwrap_or_default());
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        // The generator knows success and error. A redirection or a 304 is neither, and reaches the
        // caller as an unexpected response, and so does a status that only a range covers.
        responses.retain(|status, _| !status.starts_with('3') && !status.ends_with("XX"));
        responses.values_mut().for_each(|response| inline(response, &shared));
        responses.values_mut().for_each(several_media_types);
        responses.values_mut().for_each(json_media_type);
        for (class, suffix) in [("2", "Success"), ("45", "Failure")] {
            unify(responses, class, &format!("{name}{suffix}"), &mut schemas)?;
        }
    }
    object_mut(&mut document, "components")?.insert("schemas".to_owned(), schemas);
    Ok(document)
}

/// Drops operations that answer with redirections alone: they are for browsers, and no client has a type for them.
fn drop_redirections(document: &mut Value) {
    let paths = document["paths"].as_object_mut();
    for operations in paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut)
    {
        operations.retain(|_, operation| {
            let responses = operation.get("responses").and_then(Value::as_object);
            responses.is_none_or(|responses| responses.keys().any(|status| status.starts_with('2')))
        });
    }
}

/// Headers that a caller may send with any operation and the transport does not set: published once for all,
/// and given back to each operation, where the generator makes them a method of the call.
fn preferences(document: &Value) -> Vec<Value> {
    let members = document.as_object().into_iter().flatten();
    let headers = members.filter(|(name, _)| name.starts_with("x-") && name.ends_with("-request-headers"));
    let headers = headers.filter_map(|(_, headers)| headers.as_array()).flatten();
    headers.filter(|header| !TRANSPORT.iter().any(|name| header["name"] == *name)).cloned().collect()
}

/// Gives an operation the headers that it takes beside those of its signature.
fn take_preferences(operation: &mut Object, preferences: &[Value]) {
    let responses = operation.get("responses").and_then(Value::as_object);
    let takes = |response: &Value| response["headers"].get(PREFERENCE_APPLIED).is_some();
    if responses.is_some_and(|responses| responses.values().any(takes))
        && let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()
    {
        parameters.extend_from_slice(preferences);
    }
}

/// Drops the bounds of texts in a list: the generator would give each list a type of its own for them,
/// which stands in the way of a caller with a list of texts.
fn drop_item_bounds(schema: &mut Object) {
    if let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut)
        && items.get("type") == Some(&json!("string"))
    {
        drop_text_bounds(items);
    }
}

/// Drops the bounds of texts that may be left out: a caller could not hand over a text for the type that the
/// generator would give each of them. A secret keeps its own type.
fn drop_optional_bounds(schema: &mut Object) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.contains(&json!(name)));
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, member) in members.into_iter().flatten().filter(|(name, _)| !is_required(name)) {
        if member["type"] == "string"
            && member["format"] != "password"
            && let Some(member) = member.as_object_mut()
        {
            drop_text_bounds(member);
        }
    }
}

fn drop_text_bounds(text: &mut Object) {
    ["minLength", "maxLength", "pattern"].into_iter().for_each(|bound| drop(text.remove(bound)));
}

/// Fills in a member that must be sent and has one value to choose from: nobody has to say what it is.
fn fill_in_only_values(schema: &mut Object) {
    let Some(Value::Array(mut required)) = schema.get("required").cloned() else { return };
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    required.retain(|name| {
        let Some(member) = name.as_str().and_then(|name| members.get_mut(name)) else { return true };
        let Some([only]) = member["enum"].as_array().map(Vec::as_slice) else { return true };
        member["default"] = only.clone();
        false
    });
    schema.insert("required".to_owned(), Value::Array(required));
}

/// Gives an enum whose values may grow a union of the known values and of any other text, which the generator
/// makes an enum with a variant for each.
fn open_extensible(schemas: &mut Object) {
    let extensible: Vec<String> = schemas
        .iter()
        .filter(|(_, schema)| schema.get("x-extensible-enum").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    for name in extensible {
        let Some(schema) = schemas.get_mut(&name).and_then(Value::as_object_mut) else { continue };
        let mut known = schema.clone();
        if let Some(values) = known.remove("x-extensible-enum") {
            known.insert("enum".to_owned(), values);
        }
        schema.retain(|member, _| member == "description");
        let known_name = format!("Known{name}");
        let reference = json!({ "$ref": format!("#/components/schemas/{known_name}") });
        schema.insert("oneOf".to_owned(), json!([reference, { "type": "string" }]));
        schemas.insert(known_name, Value::Object(known));
    }
}

/// Writes an enum as a union of its values, each with its meaning, which the generator makes the
/// documentation of its variants.
fn describe_values(schema: &mut Object) {
    let (Some(Value::Array(values)), Some(Value::Array(meanings))) =
        (schema.get("enum").cloned(), schema.get("x-enum-descriptions").cloned())
    else {
        return;
    };
    schema.retain(|member, _| !["type", "enum"].contains(&member.as_str()));
    let branches = values.into_iter().zip(meanings);
    let branch = |(value, meaning): (Value, Value)| json!({ "type": "string", "enum": [value], "description": meaning });
    schema.insert("oneOf".to_owned(), branches.map(branch).collect());
}

/// Writes a shared response in place, so that it can take the operation's own union.
fn inline(response: &mut Value, shared: &Value) {
    let name = response["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/responses/"));
    if let Some(found) = name.and_then(|name| shared.get(name)) {
        *response = found.clone();
    }
}

/// Leaves out what the generator would decode where a response has other media types, too: it reaches the
/// caller as bytes.
fn several_media_types(response: &mut Value) {
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else { return };
    if content.len() > 1 {
        content.remove("application/json");
    }
}

/// Calls every JSON media type `application/json`, the only one that the generator decodes.
fn json_media_type(response: &mut Value) {
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else { return };
    let essence = |name: &str| name.split(';').next().unwrap_or_default().trim_end().to_owned();
    let suffixed: Vec<String> =
        content.keys().filter(|name| essence(name).ends_with("+json")).cloned().collect();
    for name in suffixed {
        if let Some(media) = content.remove(&name) {
            content.insert("application/json".to_owned(), media);
        }
    }
}

/// Gives the responses of one class one schema: a union when they have several.
fn unify(responses: &mut Object, class: &str, name: &str, schemas: &mut Value) -> Result<(), PublishError> {
    let within = |status: &str| status.chars().next().is_some_and(|first| class.contains(first));
    let pointer = "/content/application~1json/schema";
    let mut distinct: BTreeMap<String, Value> = BTreeMap::new();
    for (_, response) in responses.iter().filter(|(status, _)| within(status)) {
        if let Some(schema) = response.pointer(pointer) {
            distinct.insert(schema.to_string(), schema.clone());
        }
    }
    if distinct.len() < 2 {
        return Ok(());
    }
    // A reader takes the first branch that fits, so the one that asks for most comes first.
    let mut branches: Vec<Value> = distinct.into_values().collect();
    branches.sort_by_key(|branch| std::cmp::Reverse(required_members(branch, schemas)));
    object_mut_of(schemas)?.insert(name.to_owned(), json!({ "oneOf": branches }));
    let union = json!({ "$ref": format!("#/components/schemas/{name}") });
    for (_, response) in responses.iter_mut().filter(|(status, _)| within(status)) {
        if let Some(schema) = response.pointer_mut(pointer) {
            *schema = union.clone();
        }
    }
    Ok(())
}

fn object_mut_of(value: &mut Value) -> Result<&mut Object, PublishError> {
    value.as_object_mut().ok_or_else(|| PublishError::Shape("`schemas` is not an object".to_owned()))
}

fn required_members(schema: &Value, schemas: &Value) -> usize {
    let target = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/schemas/"));
    let schema = target.map_or(schema, |name| &schemas[name]);
    schema["required"].as_array().map_or(0, Vec::len)
}

pub(super) fn pascal_case(snake: &str) -> String {
    snake
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}
