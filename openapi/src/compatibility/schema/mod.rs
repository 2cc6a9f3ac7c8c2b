//! Compares two schemas: which values fit the one and not the other. References are followed and `allOf` is made one
//! schema first ([`flat`]); what is one of several forms is compared form by form ([`forms`]). Each kind of keyword
//! has a file of its own.

mod bounds;
mod flat;
mod forms;
mod keywords;
mod lists;
mod objects;
mod types;

use super::change::{Direction, Rule};
use super::walk::Walk;
use crate::publish::document::Object;
use flat::flat;
use serde_json::Value;

/// Compares two schemas, each in its document.
pub(super) fn compare(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) {
    let names = (name(base), name(next));
    let names = names.0.zip(names.1).map(|(base, next)| (base.to_owned(), next.to_owned()));
    if let Some(names) = names {
        if walk.open.contains(&names) {
            return;
        }
        walk.open.push(names);
        both(walk, base, next, direction, part);
        walk.open.pop();
    } else {
        both(walk, base, next, direction, part);
    }
}

/// The name of a schema that is a reference.
fn name(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

fn both(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) {
    let (before, now) = (flat(walk.base, base), flat(walk.next, next));
    let goes = |schema: &Object| schema.get("deprecated").is_some_and(|goes| *goes == true);
    if !goes(&before) && goes(&now) {
        walk.report(Rule::Deprecation, false, part, "deprecated");
    }
    match (forms::of(&before), forms::of(&now)) {
        (None, None) => all_keywords(walk, &before, &now, direction, part),
        (Some(before_forms), Some(now_forms)) => {
            all_keywords(walk, &forms::beside(&before), &forms::beside(&now), direction, part);
            forms::compare(walk, &before_forms, &now_forms, direction, part);
        }
        (Some(_), None) => {
            let (before, now) = (forms::with_all(&before), forms::split(next, &now));
            forms::compare(walk, &before, &now, direction, part);
        }
        (None, Some(_)) => {
            let (before, now) = (forms::split(base, &before), forms::with_all(&now));
            forms::compare(walk, &before, &now, direction, part);
        }
    }
}

fn all_keywords(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    if types::compare(walk, base, next, direction, part) {
        // Nothing else can be compared of what is something else.
        return;
    }
    lists::compare(walk, base, next, direction, part);
    bounds::compare(walk, base, next, direction, part);
    objects::compare(walk, base, next, direction, part);
    keywords::compare(walk, base, next, direction, part);
}
