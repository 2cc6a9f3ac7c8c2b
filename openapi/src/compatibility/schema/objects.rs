//! What is inside: members of objects and items of arrays.

use crate::compatibility::change::{Direction, Effect, Rule};
use crate::compatibility::walk::{Walk, within};
use crate::publish::document::Object;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn compare(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    members(walk, base, next, direction, part);
    others(walk, base, next, direction, part);
    let anything = json!(true);
    let (before, now) = (base.get("items"), next.get("items"));
    if before.is_some() || now.is_some() {
        let (before, now) = (before.unwrap_or(&anything), now.unwrap_or(&anything));
        super::compare(walk, before, now, direction, &format!("{part}[]"));
    }
    let places =
        |schema: &Object| schema.get("prefixItems").and_then(Value::as_array).cloned().unwrap_or_default();
    let (before, now) = (places(base), places(next));
    for position in 0..before.len().max(now.len()) {
        let at = |places: &[Value], schema: &Object| {
            places.get(position).or_else(|| schema.get("items")).cloned().unwrap_or(json!(true))
        };
        let (before, now) = (at(&before, base), at(&now, next));
        super::compare(walk, &before, &now, direction, &format!("{part}[{position}]"));
    }
}

fn required(schema: &Object) -> BTreeSet<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The members that go this way: what is read only is in no request, what is written only in no response.
fn going(schema: &Object, direction: Direction) -> impl Iterator<Item = (&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let stays = if direction == Direction::Sent { "readOnly" } else { "writeOnly" };
    properties.filter(move |(_, member)| member[stays] != true)
}

fn members(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    let (before_required, now_required) = (required(base), required(next));
    let find = |schema: &Object, name: &str| {
        going(schema, direction).find(|(known, _)| *known == name).map(|(_, member)| member.clone())
    };
    for (name, member) in going(base, direction) {
        let part = within(part, name);
        let Some(now) = find(next, name) else {
            walk.report(Rule::Member, true, &part, "the member is gone");
            continue;
        };
        match (direction, before_required.contains(name.as_str()), now_required.contains(name.as_str())) {
            (Direction::Sent, false, true) => {
                walk.report(Rule::RequiredInput, true, &part, "it must be sent now");
            }
            (Direction::Sent, true, false) => {
                walk.report(Rule::RequiredInput, false, &part, "it may be left out");
            }
            (Direction::Received, true, false) => {
                walk.report(Rule::AlwaysThere, true, &part, "it may be missing now");
            }
            (Direction::Received, false, true) => {
                walk.report(Rule::AlwaysThere, false, &part, "it is always there");
            }
            _ => {}
        }
        super::compare(walk, member, &now, direction, &part);
    }
    let closed = base.get("additionalProperties").is_some_and(|others| *others == false);
    for (name, _) in going(next, direction).filter(|(name, _)| find(base, name).is_none()) {
        let part = within(part, name);
        match direction {
            Direction::Sent if now_required.contains(name.as_str()) => {
                walk.report(Rule::RequiredInput, true, &part, "new, and required");
            }
            Direction::Sent => walk.report(Rule::Member, false, &part, "new"),
            Direction::Received => walk.report(Rule::Member, closed, &part, "new"),
        }
    }
    // Members that nothing but `required` names.
    let is_named = |name: &&str| find(base, name).is_some() || find(next, name).is_some();
    if direction == Direction::Sent {
        for name in now_required.difference(&before_required).filter(|name| !is_named(name)) {
            walk.report(Rule::RequiredInput, true, &within(part, name), "it must be sent now");
        }
    } else {
        for name in before_required.difference(&now_required).filter(|name| !is_named(name)) {
            walk.report(Rule::AlwaysThere, true, &within(part, name), "it may be missing now");
        }
    }
}

/// Members that have no name in the schema.
fn others(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    let anything = json!(true);
    let of =
        |schema: &Object| schema.get("additionalProperties").cloned().unwrap_or_else(|| anything.clone());
    let (before, now) = (of(base), of(next));
    if let Some(effect) = Effect::of(now == false && before != false, before == false && now != false) {
        let detail = if now == false { "no other members fit now" } else { "other members fit now" };
        walk.affect(Rule::Member, effect, direction, part, detail);
    } else if before != now || before.is_object() {
        super::compare(walk, &before, &now, direction, &format!("{part}{{}}"));
    }
}
