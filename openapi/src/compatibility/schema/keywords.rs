//! Defaults, and every keyword that no other file here knows.

use super::forms::is_annotation;
use crate::compatibility::change::{Direction, Effect, Rule};
use crate::compatibility::walk::{Walk, members, resolve};
use crate::publish::document::Object;
use serde_json::Value;

const KNOWN: [&str; 26] = [
    "type",
    "format",
    "pattern",
    "contentEncoding",
    "contentMediaType",
    "enum",
    "const",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "multipleOf",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "prefixItems",
    "oneOf",
    "anyOf",
];

/// How deep what is compared letter for letter is looked into.
const DEEP: usize = 8;

pub(super) fn compare(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    if direction == Direction::Sent {
        default(walk, base.get("default"), next.get("default"), part);
    }
    let is_unknown = |keyword: &&String| !KNOWN.contains(&keyword.as_str()) && !is_annotation(keyword);
    let documents = (walk.base, walk.next);
    for (keyword, before) in base.iter().filter(|(keyword, _)| is_unknown(keyword)) {
        let now = next.get(keyword);
        let inside = |value: &Value, document| whole(document, value, keyword, DEEP);
        if now.map(|now| inside(now, documents.1)) != Some(inside(before, documents.0)) {
            let detail = format!("`{keyword}` says something else");
            walk.affect(Rule::Keyword, Effect::Other, direction, part, detail);
        }
    }
    for (keyword, _) in next.iter().filter(|(keyword, _)| is_unknown(keyword) && !base.contains_key(*keyword))
    {
        let detail = format!("`{keyword}` is new");
        walk.affect(Rule::Keyword, Effect::Other, direction, part, detail);
    }
}

/// What leaving it out means. To say so where nothing was said takes nothing away.
fn default(walk: &mut Walk<'_>, before: Option<&Value>, now: Option<&Value>, part: &str) {
    match (before, now) {
        (None, None) => {}
        (Some(before), Some(now)) if before == now => {}
        (None, Some(now)) => walk.report(Rule::Default, false, part, format!("left out, it means {now}")),
        (Some(before), None) => {
            walk.report(Rule::Default, true, part, format!("left out, it meant {before}"));
        }
        (Some(before), Some(now)) => {
            let detail = format!("left out, it meant {before}, and means {now}");
            walk.report(Rule::Default, true, part, detail);
        }
    }
}

/// A value with what it refers to in place of references. A discriminator refers by name and is told by its forms.
fn whole(document: &Value, value: &Value, keyword: &str, deep: usize) -> Value {
    if keyword == "discriminator" {
        return value["propertyName"].clone();
    }
    let value = if deep == 0 { value } else { resolve(document, value) };
    match value {
        Value::Object(_) if deep > 0 => {
            let inside = members(value).filter(|(name, _)| !is_annotation(name));
            inside.map(|(name, inner)| (name.clone(), whole(document, inner, name, deep - 1))).collect()
        }
        Value::Array(items) if deep > 0 => {
            items.iter().map(|item| whole(document, item, "", deep - 1)).collect()
        }
        other => other.clone(),
    }
}
