//! Step 9: marks the parameters and members that the deprecation matrix names, and fails where it names what is not
//! there. A member of a schema that several operations share is marked for all of them; which of them the matrix
//! means stands in its `x-` member.

use super::PublishError;
use super::document::METHODS;
use crate::Contract;
use crate::deprecations::{Deprecation, Deprecations};
use serde_json::{Value, json};

/// Marks what goes.
pub(super) fn mark(contract: &Contract, mut document: Value) -> Result<Value, PublishError> {
    for entry in Deprecations::of(contract)?.iter() {
        let Some(part) = &entry.part else { continue };
        let explain = |reason: String| PublishError::Policy {
            file: contract.deprecations.name.to_owned(),
            reason: format!("`{}`: {reason}", entry.operation),
        };
        let found = find(&document, entry, part);
        if found.is_empty() {
            return Err(explain(format!("there is no part `{part}`")));
        }
        match &entry.value {
            Some(value) if !found.iter().any(|at| lists(&document, at, value)) => {
                return Err(explain(format!("`{part}` does not list the value {value}")));
            }
            // One value of many cannot be marked in a schema.
            Some(_) => {}
            None => found.iter().for_each(|at| mark_at(&mut document, at)),
        }
    }
    Ok(document)
}

fn mark_at(document: &mut Value, pointer: &str) {
    // OpenAPI marks parameters, headers and schemas; a response is none of them.
    if pointer.rsplit('/').nth(1) == Some("responses") {
        return;
    }
    let target = document.pointer(pointer).and_then(|node| node.get("$ref")).and_then(Value::as_str);
    let is_schema = target.is_some_and(|target| target.starts_with("#/components/schemas/"));
    // Only a reference to a schema can have members beside it; any other is made a copy of what it refers to.
    let copy = match target {
        Some(_) if !is_schema => document.pointer(&followed(document, pointer.to_owned())).cloned(),
        _ => None,
    };
    let Some(node) = document.pointer_mut(pointer) else { return };
    if let Some(copy) = copy {
        *node = copy;
    }
    if let Some(node) = node.as_object_mut() {
        node.insert("deprecated".to_owned(), json!(true));
    }
}

/// Whether the schema at a pointer lists a value.
fn lists(document: &Value, pointer: &str, value: &Value) -> bool {
    let node = document.pointer(&followed(document, pointer.to_owned()));
    let node = node.map(|node| node.get("schema").unwrap_or(node));
    let node = node.and_then(|node| match node.get("$ref").and_then(Value::as_str) {
        Some(target) => document.pointer(target.trim_start_matches('#')),
        None => Some(node),
    });
    let lists = ["enum", "x-extensible-enum"].into_iter().filter_map(|list| node?.get(list)?.as_array());
    lists.flatten().any(|listed| listed == value)
}

/// Pointers to what a part names; several where a body has several forms.
fn find(document: &Value, entry: &Deprecation, part: &str) -> Vec<String> {
    let operations = operations(document, &entry.operation);
    operations.iter().flat_map(|operation| in_operation(document, operation, part)).collect()
}

/// Pointers to the operation or delivery with this id.
fn operations(document: &Value, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec!["/paths".to_owned(), "/webhooks".to_owned()];
    while let Some(items) = waiting.pop() {
        for (name, item) in document.pointer(&items).and_then(Value::as_object).into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let at = format!("{items}/{}/{method}", escaped(name));
                let callbacks = operation.get("callbacks").and_then(Value::as_object);
                let callbacks = callbacks.into_iter().flatten();
                waiting.extend(callbacks.map(|(name, _)| format!("{at}/callbacks/{}", escaped(name))));
                if operation["operationId"] == id {
                    found.push(at);
                }
            }
        }
    }
    found
}

fn in_operation(document: &Value, operation: &str, part: &str) -> Vec<String> {
    let (kind, rest) = part.split_once('.').unwrap_or((part, ""));
    match kind {
        "query" | "path" | "header" | "cookie" => parameter(document, operation, kind, rest),
        "request" => body(document, &format!("{operation}/requestBody"), rest),
        "response" => {
            let (status, rest) = rest.split_once('.').unwrap_or((rest, ""));
            let response = followed(document, format!("{operation}/responses/{}", escaped(status)));
            match rest.strip_prefix("header.") {
                Some(name) => there(document, format!("{response}/headers/{}", escaped(name))),
                None if rest.is_empty() => there(document, response),
                None => body(document, &response, rest),
            }
        }
        _ => Vec::new(),
    }
}

fn there(document: &Value, pointer: String) -> Vec<String> {
    document.pointer(&pointer).map(|_| pointer).into_iter().collect()
}

fn parameter(document: &Value, operation: &str, kind: &str, rest: &str) -> Vec<String> {
    let parameters = document.pointer(&format!("{operation}/parameters")).and_then(Value::as_array);
    let pointers =
        (0..parameters.map_or(0, Vec::len)).map(|position| format!("{operation}/parameters/{position}"));
    let is_it = |pointer: &String| {
        let parameter = document.pointer(&followed(document, pointer.clone())).unwrap_or(&Value::Null);
        parameter["in"] == kind
            && parameter["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(rest))
    };
    pointers.filter(is_it).collect()
}

/// What a path of members leads to, in every media type of a body.
fn body(document: &Value, holder: &str, path: &str) -> Vec<String> {
    let Some(path) = path.strip_prefix("body") else { return Vec::new() };
    let holder = followed(document, holder.to_owned());
    let content = document.pointer(&format!("{holder}/content")).and_then(Value::as_object);
    let media = content.into_iter().flatten().map(|(media, _)| escaped(media));
    media.flat_map(|media| members(document, format!("{holder}/content/{media}/schema"), path)).collect()
}

fn members(document: &Value, schema: String, path: &str) -> Vec<String> {
    if path.is_empty() {
        return vec![schema];
    }
    forms(document, schema).into_iter().flat_map(|form| step(document, &form, path)).collect()
}

/// One step from a schema into it.
fn step(document: &Value, schema: &str, path: &str) -> Vec<String> {
    let (next, rest) = if let Some(rest) = path.strip_prefix("[]") {
        (format!("{schema}/items"), rest)
    } else if let Some(rest) = path.strip_prefix("{}") {
        (format!("{schema}/additionalProperties"), rest)
    } else if let Some(path) = path.strip_prefix('.') {
        let end = path.find(['.', '[', '{']).unwrap_or(path.len());
        (format!("{schema}/properties/{}", escaped(&path[..end])), &path[end..])
    } else {
        return Vec::new();
    };
    if document.pointer(&next).is_some_and(Value::is_object) {
        members(document, next, rest)
    } else {
        Vec::new()
    }
}

/// A schema and what it is made of.
fn forms(document: &Value, schema: String) -> Vec<String> {
    let mut forms = vec![followed(document, schema)];
    let mut at = 0;
    // No document nests its forms as deep as this.
    while at < forms.len() && forms.len() < 256 {
        for list in ["oneOf", "anyOf", "allOf"] {
            let pointer = format!("{}/{list}", forms[at]);
            let count = document.pointer(&pointer).and_then(Value::as_array).map_or(0, Vec::len);
            for position in 0..count {
                let form = followed(document, format!("{pointer}/{position}"));
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        at += 1;
    }
    forms
}

/// Where a chain of references ends.
fn followed(document: &Value, mut pointer: String) -> String {
    for _ in 0..8 {
        let target = document.pointer(&pointer).and_then(|node| node.get("$ref")).and_then(Value::as_str);
        match target.and_then(|target| target.strip_prefix('#')) {
            Some(target) => pointer = target.to_owned(),
            None => break,
        }
    }
    pointer
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
