//! `type`, a name or a list in any order, with `null` as one of them; and what is like a type: `format`, `pattern`,
//! and how a text holds bytes.

use crate::compatibility::change::{Direction, Effect, Rule};
use crate::compatibility::walk::Walk;
use crate::publish::document::Object;
use serde_json::Value;
use std::collections::BTreeSet;

const EVERY: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// The types that fit. Every integer is a number.
pub(super) fn types_of(schema: &Object) -> BTreeSet<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        _ => EVERY.into(),
    }
}

/// Compares types. Says whether they have nothing in common.
pub(super) fn compare(
    walk: &mut Walk<'_>,
    base: &Object,
    next: &Object,
    direction: Direction,
    part: &str,
) -> bool {
    let (before, now) = (types_of(base), types_of(next));
    let lost = without(&before, &now);
    let gained = without(&now, &before);
    if let Some(effect) = Effect::of(!lost.is_empty(), !gained.is_empty()) {
        let detail = format!("it was {}, and is {}", listed(&before), listed(&now));
        walk.affect(Rule::Type, effect, direction, part, detail);
    }
    let in_common = before.iter().any(|one| *one != "null" && now.contains(one));
    let is_other = !lost.is_empty() && !gained.is_empty() && !in_common;
    if !is_other {
        likenesses(walk, base, next, direction, part);
    }
    is_other
}

/// The types that `there` does not take.
fn without<'t>(types: &BTreeSet<&'t str>, there: &BTreeSet<&str>) -> Vec<&'t str> {
    let takes = |one: &str| there.contains(one) || (one == "integer" && there.contains("number"));
    types.iter().copied().filter(|one| !takes(one)).collect()
}

fn listed(types: &BTreeSet<&str>) -> String {
    if types.len() == EVERY.len() {
        return "of any type".to_owned();
    }
    types.iter().copied().collect::<Vec<_>>().join(" or ")
}

fn likenesses(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    for keyword in ["format", "pattern", "contentEncoding", "contentMediaType"] {
        let (before, now) = (base.get(keyword), next.get(keyword));
        let effect = match (before, now) {
            _ if before == now => continue,
            (None, _) => Effect::Narrower,
            (_, None) => Effect::Wider,
            (Some(before), Some(now)) => match (before.as_str(), now.as_str()) {
                (Some("int32"), Some("int64")) | (Some("float"), Some("double")) => Effect::Wider,
                (Some("int64"), Some("int32")) | (Some("double"), Some("float")) => Effect::Narrower,
                _ => Effect::Other,
            },
        };
        let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        let detail = format!("`{keyword}` was {}, and is {}", shown(before), shown(now));
        walk.affect(Rule::Type, effect, direction, part, detail);
    }
}
