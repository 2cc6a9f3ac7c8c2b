//! How large, long or many: bounds, and what a number is a multiple of.

use crate::compatibility::change::{Direction, Effect, Rule};
use crate::compatibility::walk::Walk;
use crate::publish::document::Object;
use serde_json::Value;

const LEAST: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const MOST: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];

pub(super) fn compare(walk: &mut Walk<'_>, base: &Object, next: &Object, direction: Direction, part: &str) {
    let keywords = LEAST.map(|keyword| (keyword, 1.0)).into_iter().chain(MOST.map(|keyword| (keyword, -1.0)));
    for (keyword, sign) in keywords {
        let (before, now) = (base.get(keyword), next.get(keyword));
        if before == now {
            continue;
        }
        // Without a bound it is as far away as can be.
        let at =
            |bound: Option<&Value>| bound.and_then(Value::as_f64).map_or(f64::NEG_INFINITY, |at| at * sign);
        if let Some(effect) = Effect::of(at(now) > at(before), at(now) < at(before)) {
            walk.affect(Rule::Bound, effect, direction, part, shown(keyword, before, now));
        }
    }
    let unique = |schema: &Object| schema.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false);
    if let Some(effect) = Effect::of(unique(next) && !unique(base), unique(base) && !unique(next)) {
        let detail = if unique(next) { "items must differ" } else { "items may be the same" };
        walk.affect(Rule::Bound, effect, direction, part, detail);
    }
    let (before, now) = (base.get("multipleOf"), next.get("multipleOf"));
    if before != now {
        let effect = match (before.and_then(Value::as_f64), now.and_then(Value::as_f64)) {
            (None, _) => Effect::Narrower,
            (_, None) => Effect::Wider,
            (Some(before), Some(now)) if now % before == 0.0 => Effect::Narrower,
            (Some(before), Some(now)) if before % now == 0.0 => Effect::Wider,
            _ => Effect::Other,
        };
        walk.affect(Rule::Bound, effect, direction, part, shown("multipleOf", before, now));
    }
}

fn shown(keyword: &str, before: Option<&Value>, now: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    format!("`{keyword}` was {}, and is {}", shown(before), shown(now))
}
