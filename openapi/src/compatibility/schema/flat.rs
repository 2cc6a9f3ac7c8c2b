//! A schema as one object: references followed, and what `allOf` asks for together in one place.

use crate::compatibility::walk::members;
use crate::publish::document::Object;
use serde_json::{Value, json};

/// How deep references may lead to references.
const DEEP: usize = 16;

/// The schema with everything that it asks for itself. Of what has no keywords, anything fits; `false` fits nothing.
pub(super) fn flat(document: &Value, schema: &Value) -> Object {
    flat_within(document, schema, DEEP)
}

fn flat_within(document: &Value, schema: &Value, deep: usize) -> Object {
    let mut all = Object::new();
    if schema == false {
        all.insert("not".to_owned(), json!(true));
    }
    for (keyword, value) in members(schema) {
        match keyword.as_str() {
            "$ref" if deep > 0 => {
                let target = value.as_str().and_then(|target| document.pointer(target.strip_prefix('#')?));
                if let Some(target) = target {
                    merge(&mut all, flat_within(document, target, deep - 1));
                }
            }
            "allOf" if deep > 0 => {
                for one in value.as_array().into_iter().flatten() {
                    merge(&mut all, flat_within(document, one, deep - 1));
                }
            }
            _ => merge_keyword(&mut all, keyword.clone(), value.clone()),
        }
    }
    all
}

/// Makes a schema ask for what another asks for, too.
pub(super) fn merge(all: &mut Object, more: Object) {
    for (keyword, value) in more {
        merge_keyword(all, keyword, value);
    }
}

fn merge_keyword(all: &mut Object, keyword: String, value: Value) {
    let Some(there) = all.get(&keyword) else {
        all.insert(keyword, value);
        return;
    };
    if *there == value {
        return;
    }
    let there = there.clone();
    let merged = match keyword.as_str() {
        "properties" => properties(there, &value),
        "required" => lists(&there, &value),
        "type" => types(&there, &value),
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => {
            if value.as_f64() > there.as_f64() { value } else { there }
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
            if value.as_f64() < there.as_f64() { value } else { there }
        }
        "description" | "title" | "examples" | "example" => there,
        "deprecated" => json!(there == true || value == true),
        // Both hold, and no keyword says so of one schema: they stay beside each other.
        _ => json!([there, value]),
    };
    all.insert(keyword, merged);
}

fn properties(mut there: Value, more: &Value) -> Value {
    for (name, schema) in members(more) {
        there[name] = match there.get(name) {
            Some(own) if own != schema => json!({ "allOf": [own, schema] }),
            _ => schema.clone(),
        };
    }
    there
}

fn lists(there: &Value, more: &Value) -> Value {
    let mut all = there.as_array().cloned().unwrap_or_default();
    for value in more.as_array().into_iter().flatten() {
        if !all.contains(value) {
            all.push(value.clone());
        }
    }
    Value::Array(all)
}

fn types(there: &Value, more: &Value) -> Value {
    let list = |types: &Value| match types {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let (own, more) = (list(there), list(more));
    Value::Array(own.into_iter().filter(|one| more.contains(one)).collect())
}
