//! Operations, and the deliveries that clients receive: which there are, where, and under which name.

use super::change::{Direction, Rule};
use super::walk::{Walk, members, resolve, texts};
use super::{inputs, responses, security};
use crate::publish::document::METHODS;
use serde_json::Value;
use std::collections::BTreeMap;

/// One operation of one document.
#[derive(Clone, Copy)]
pub(super) struct Operation<'d> {
    pub(super) method: &'static str,
    /// Its path, or the name or URL of a delivery.
    pub(super) path: &'d str,
    pub(super) item: &'d Value,
    pub(super) operation: &'d Value,
}

impl Operation<'_> {
    /// What it is called: its id, or else where it is.
    fn id(&self) -> String {
        let id = self.operation["operationId"].as_str().map(str::to_owned);
        id.unwrap_or_else(|| format!("{} {}", self.method.to_uppercase(), self.path))
    }
}

/// Operations by method and path, whose variables may have any name.
type Operations<'d> = BTreeMap<(String, &'static str), Operation<'d>>;

fn operations(items: &Value) -> Operations<'_> {
    let mut found = Operations::new();
    for (path, item) in members(items) {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let key = (without_names(path), method);
                found.insert(key, Operation { method, path, item, operation });
            }
        }
    }
    found
}

/// A path template without what its variables are called.
fn without_names(path: &str) -> String {
    let segments = path.split('{').enumerate().map(|(position, part)| match position {
        0 => part,
        _ => part.split_once('}').map_or(part, |(_, rest)| rest),
    });
    segments.collect::<Vec<_>>().join("{}")
}

/// Compares all of two documents.
pub(super) fn compare(walk: &mut Walk<'_>) {
    let (base, next) = (walk.base, walk.next);
    all(walk, &base["paths"], &next["paths"], Direction::Sent);
    all(walk, &base["webhooks"], &next["webhooks"], Direction::Received);
    security::schemes(walk);
}

fn all(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction) {
    let (base, next) = (operations(base), operations(next));
    for (key, operation) in &base {
        walk.operation = operation.id();
        match next.get(key) {
            None => walk.report(Rule::Operation, true, "", "it is gone"),
            Some(now) => one(walk, *operation, *now, direction),
        }
    }
    for (_, operation) in next.iter().filter(|(key, _)| !base.contains_key(*key)) {
        walk.operation = operation.id();
        let summary = operation.operation["summary"].as_str().unwrap_or("it is new");
        walk.report(Rule::Operation, false, "", format!("new: {summary}"));
    }
}

/// `direction` is that of the request: clients receive the requests of deliveries, and answer them.
fn one(walk: &mut Walk<'_>, base: Operation<'_>, next: Operation<'_>, direction: Direction) {
    if base.operation["operationId"] != next.operation["operationId"] {
        let now = next.operation["operationId"].as_str().unwrap_or("nothing");
        walk.report(Rule::OperationId, true, "", format!("it is called `{now}` now"));
    }
    if base.operation["deprecated"] != true && next.operation["deprecated"] == true {
        walk.report(Rule::Deprecation, false, "", "deprecated");
    }
    hosts(walk, base.operation, next.operation);
    if direction == Direction::Sent {
        security::compare(walk, base.operation, next.operation);
    }
    inputs::parameters(walk, base, next, direction);
    inputs::body(walk, &base.operation["requestBody"], &next.operation["requestBody"], direction);
    responses::compare(walk, base.operation, next.operation, direction.opposite());
    callbacks(walk, base.operation, next.operation, direction);
}

/// Hosts that serve it, which stand in an extension of the descriptor.
fn hosts(walk: &mut Walk<'_>, base: &Value, next: &Value) {
    for (name, hosts) in members(base).filter(|(name, _)| name.starts_with("x-") && name.ends_with("-hosts"))
    {
        let now: Vec<&str> = texts(&next[name]).collect();
        for host in texts(hosts).filter(|host| !now.contains(host)) {
            walk.report(Rule::Host, true, "", format!("the host `{host}` does not serve it any more"));
        }
        let before: Vec<&str> = texts(hosts).collect();
        for host in now.iter().filter(|host| !before.contains(host)) {
            walk.report(Rule::Host, false, "", format!("the host `{host}` serves it, too"));
        }
    }
}

fn callbacks(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction) {
    let owner = walk.operation.clone();
    let (documents, none) = ((walk.base, walk.next), Value::Null);
    for (name, callback) in members(&base["callbacks"]) {
        let now = next["callbacks"].get(name).map_or(&none, |now| resolve(documents.1, now));
        all(walk, resolve(documents.0, callback), now, direction.opposite());
    }
    for (name, callback) in members(&next["callbacks"]) {
        if base["callbacks"].get(name).is_none() {
            all(walk, &none, resolve(documents.1, callback), direction.opposite());
        }
    }
    walk.operation = owner;
}
