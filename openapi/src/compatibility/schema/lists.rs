//! Which values are listed: `enum` and `const`, and the extension of a list that grows.

use crate::compatibility::change::{Direction, Effect, Rule};
use crate::compatibility::walk::Walk;
use crate::publish::document::Object;
use serde_json::Value;

/// A list of values that may grow: any other fits, too.
const GROWING: &str = "x-extensible-enum";

fn listed(schema: &Object) -> Option<Vec<&Value>> {
    match (schema.get("enum").and_then(Value::as_array), schema.get("const")) {
        (_, Some(only)) => Some(vec![only]),
        (Some(values), None) => Some(values.iter().collect()),
        (None, None) => None,
    }
}

pub(super) fn compare(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    match (listed(base), listed(next)) {
        (None, None) => {}
        (None, Some(_)) => {
            walk.affect(Rule::EnumValue, Effect::Narrower, direction, part, "only listed values fit now");
        }
        (Some(_), None) => {
            walk.affect(Rule::EnumValue, Effect::Wider, direction, part, "values beside the listed fit now");
        }
        (Some(before), Some(now)) => {
            let breaks = |effect: Effect| effect.breaks(direction);
            values(walk, (&before, &now), breaks(Effect::Narrower), breaks(Effect::Wider), part);
        }
    }
    let growing = |schema: &'_ Object| schema.get(GROWING).and_then(Value::as_array).cloned();
    if let (Some(before), Some(now)) = (growing(base), growing(next)) {
        let (before, now): (Vec<&Value>, Vec<&Value>) = (before.iter().collect(), now.iter().collect());
        values(walk, (&before, &now), false, false, part);
    }
}

fn values(
    walk: &mut Walk<'_>,
    (before, now): (&[&Value], &[&Value]),
    losing_breaks: bool,
    gaining_breaks: bool,
    part: &str,
) {
    for value in before.iter().filter(|value| !now.contains(value)) {
        let detail = format!("the value {value} is gone");
        walk.report_value(Rule::EnumValue, losing_breaks, part, Some(value), detail);
    }
    for value in now.iter().filter(|value| !before.contains(value)) {
        let detail = format!("the value {value} is new");
        walk.report_value(Rule::EnumValue, gaining_breaks, part, Some(value), detail);
    }
}
