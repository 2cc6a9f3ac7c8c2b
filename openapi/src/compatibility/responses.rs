//! What can be answered: statuses, their headers and bodies.

use super::change::{Direction, Rule};
use super::inputs::{body_of, content, one};
use super::walk::{Walk, members, resolve};
use serde_json::Value;

/// Compares the responses of two operations. `direction` is theirs: clients give the answers to deliveries.
pub(super) fn compare(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction) {
    let (documents, none) = ((walk.base, walk.next), Value::Null);
    for (status, response) in members(&base["responses"]) {
        let part = format!("response.{status}");
        match next["responses"].get(status) {
            None => walk.report(Rule::Status, true, &part, "the status is gone"),
            Some(now) => {
                let (before, now) = (resolve(documents.0, response), resolve(documents.1, now));
                headers(walk, before, now, direction, &part);
                content(walk, before, now, direction, &body_of(&part));
            }
        }
    }
    for (status, _) in members(&next["responses"]) {
        if base["responses"].get(status).unwrap_or(&none).is_null() {
            let part = format!("response.{status}");
            let breaks = direction == Direction::Received && is_success(status) && !covers(base, status);
            walk.report(Rule::Status, breaks, &part, "the status is new");
        }
    }
}

/// Whether it tells of something else than a refusal or a fault.
fn is_success(status: &str) -> bool {
    matches!(status.as_bytes().first(), Some(b'1'..=b'3'))
}

/// Whether a status was documented as one of its class.
fn covers(operation: &Value, status: &str) -> bool {
    let class = format!("{}XX", status.get(..1).unwrap_or_default());
    [class.as_str(), "default"].iter().any(|range| operation["responses"].get(range).is_some())
}

fn headers(walk: &mut Walk<'_>, base: &Value, next: &Value, direction: Direction, part: &str) {
    let (documents, none) = ((walk.base, walk.next), Value::Null);
    let find = |headers: &'_ Value, name: &str| -> Option<String> {
        members(headers).map(|(known, _)| known).find(|known| known.eq_ignore_ascii_case(name)).cloned()
    };
    for (name, header) in members(&base["headers"]) {
        let part = format!("{part}.header.{name}");
        let Some(known) = find(&next["headers"], name) else {
            walk.report(Rule::Header, true, &part, "the header is gone");
            continue;
        };
        let now = next["headers"].get(&known).unwrap_or(&none);
        let (before, now) = (resolve(documents.0, header), resolve(documents.1, now));
        if direction == Direction::Received {
            match (before["required"] == true, now["required"] == true) {
                (true, false) => walk.report(Rule::AlwaysThere, true, &part, "it may be missing now"),
                (false, true) => walk.report(Rule::AlwaysThere, false, &part, "it is always there"),
                _ => {}
            }
        }
        one(walk, before, now, direction, &part);
    }
    for (name, _) in members(&next["headers"]) {
        if find(&base["headers"], name).is_none() {
            walk.report(Rule::Header, false, &format!("{part}.header.{name}"), "the header is new");
        }
    }
}
