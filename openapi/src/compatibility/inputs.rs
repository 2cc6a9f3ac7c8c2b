//! What a request holds: parameters and a body. Bodies of responses hold the same kind of content.

use super::change::{Direction, Effect, Rule};
use super::operations::Operation;
use super::walk::{Walk, members, resolve};
use super::{schema, walk::within};
use serde_json::{Value, json};

/// A parameter, resolved, and by what it is known.
struct Parameter<'d> {
    key: (String, String),
    value: &'d Value,
}

impl Parameter<'_> {
    fn is_required(&self) -> bool {
        self.value["required"] == true
    }
}

/// The parameters of an operation, and those of its path that it does not have itself.
fn of<'d>(document: &'d Value, operation: Operation<'d>) -> Vec<Parameter<'d>> {
    let variables: Vec<&str> =
        operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    let mut found: Vec<Parameter<'d>> = Vec::new();
    for holder in [operation.operation, operation.item] {
        for parameter in holder["parameters"].as_array().into_iter().flatten() {
            let value = resolve(document, parameter);
            let (place, name) = (value["in"].as_str().unwrap_or(""), value["name"].as_str().unwrap_or(""));
            let known_by = match place {
                // Its place in the path tells it, and not its name.
                "path" => variables.iter().position(|variable| *variable == name).unwrap_or(0).to_string(),
                "header" => name.to_ascii_lowercase(),
                _ => name.to_owned(),
            };
            let key = (place.to_owned(), known_by);
            if !found.iter().any(|parameter| parameter.key == key) {
                found.push(Parameter { key, value });
            }
        }
    }
    found
}

/// Compares the parameters of two operations.
pub(super) fn parameters(
    walk: &mut Walk<'_>,
    base: Operation<'_>,
    next: Operation<'_>,
    direction: Direction,
) {
    let (before, now) = (of(walk.base, base), of(walk.next, next));
    for parameter in &before {
        let part = part(parameter.value);
        match now.iter().find(|now| now.key == parameter.key) {
            None => walk.report(Rule::Parameter, true, &part, "the parameter is gone"),
            Some(now) => {
                required(walk, (parameter.is_required(), now.is_required()), direction, &part);
                one(walk, parameter.value, now.value, direction, &part);
            }
        }
    }
    for parameter in now.iter().filter(|now| !before.iter().any(|before| before.key == now.key)) {
        let part = part(parameter.value);
        match parameter.is_required() && direction == Direction::Sent {
            true => walk.report(Rule::RequiredInput, true, &part, "new, and required"),
            false => walk.report(Rule::Parameter, false, &part, "new"),
        }
    }
}

fn part(parameter: &Value) -> String {
    let (place, name) = (parameter["in"].as_str().unwrap_or(""), parameter["name"].as_str().unwrap_or(""));
    format!("{place}.{name}")
}

/// Compares parameters, or headers of responses: what both have.
pub(super) fn one(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) {
    if base["deprecated"] != true && next["deprecated"] == true {
        walk.report(Rule::Deprecation, false, part, "deprecated");
    }
    for member in ["style", "explode", "allowReserved", "allowEmptyValue"] {
        if base[member] != next[member] {
            let detail = format!("`{member}` was {}, and is {}", base[member], next[member]);
            walk.affect(Rule::Type, Effect::Other, direction, part, detail);
        }
    }
    match (base.get("content"), next.get("content")) {
        (None, None) => {
            let anything = json!(true);
            let (before, now) = (base.get("schema"), next.get("schema"));
            let (before, now) = (before.unwrap_or(&anything), now.unwrap_or(&anything));
            schema::compare(walk, before, now, direction, part);
        }
        (Some(_), Some(_)) => content(walk, base, next, direction, part),
        _ => walk.affect(Rule::Type, Effect::Other, direction, part, "it is written in another way"),
    }
}

/// That something must be there, before and now.
fn required(walk: &mut Walk<'_>, (before, now): (bool, bool), direction: Direction, part: &str) {
    match (direction, before, now) {
        (Direction::Sent, false, true) => walk.report(Rule::RequiredInput, true, part, "it must be sent now"),
        (Direction::Sent, true, false) => walk.report(Rule::RequiredInput, false, part, "it may be left out"),
        (Direction::Received, true, false) => {
            walk.report(Rule::AlwaysThere, true, part, "it may be missing now");
        }
        (Direction::Received, false, true) => {
            walk.report(Rule::AlwaysThere, false, part, "it is always there")
        }
        _ => {}
    }
}

/// Compares request bodies.
pub(super) fn body(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction) {
    let (base, next) = (resolve(walk.base, base), resolve(walk.next, next));
    let part = "request.body";
    match (base.is_object(), next.is_object()) {
        (false, false) => {}
        (true, false) => walk.report(Rule::Member, true, part, "the body is gone"),
        (false, true) => {
            let must = next["required"] == true;
            let rule = if must { Rule::RequiredInput } else { Rule::Member };
            walk.report(rule, must && direction == Direction::Sent, part, "there is a body now");
        }
        (true, true) => {
            required(walk, (base["required"] == true, next["required"] == true), direction, part);
            longest(walk, base, next, direction, part);
            content(walk, base, next, direction, part);
        }
    }
}

/// How long a body may be, which stands in an extension of the descriptor.
fn longest(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) {
    let is_it = |name: &str| name.starts_with("x-") && name.ends_with("-max-bytes");
    let most = |body: &Value| members(body).find(|(name, _)| is_it(name)).and_then(|(_, most)| most.as_u64());
    let (before, now) = (most(base).unwrap_or(u64::MAX), most(next).unwrap_or(u64::MAX));
    if let Some(effect) = Effect::of(now < before, now > before) {
        walk.affect(Rule::Bound, effect, direction, part, format!("at most {now} bytes, {before} before"));
    }
}

/// Compares the media types of two bodies, and what each holds.
pub(super) fn content(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) {
    for (media_type, media) in members(&base["content"]) {
        match next["content"].get(media_type) {
            None => walk.report(Rule::MediaType, true, part, format!("it is not `{media_type}` any more")),
            Some(now) => {
                let anything = json!(true);
                let (before, now) = (media.get("schema"), now.get("schema"));
                let (before, now) = (before.unwrap_or(&anything), now.unwrap_or(&anything));
                schema::compare(walk, before, now, direction, part);
            }
        }
    }
    for (media_type, _) in members(&next["content"]) {
        if base["content"].get(media_type).is_none() {
            walk.report(Rule::MediaType, false, part, format!("it can be `{media_type}`, too"));
        }
    }
}

/// The part that a body of a response is.
pub(super) fn body_of(part: &str) -> String {
    within(part, "body")
}
