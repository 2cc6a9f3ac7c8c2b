//! In what two answers differ: status, names and values of headers, and the shape of the body; of an error its code
//! and message, and of a document every byte.

use super::cases::Case;
use argus_openapi::Access;
use argus_tests::Answer;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Headers that tell of the one answer, so that only their presence counts.
const OF_ONE_ANSWER: [&str; 6] =
    ["date", "content-length", "x-request-id", "x-argus-span-id", "x-argus-trace-id", "traceparent"];
/// As well, of a file that each host names and tags by itself.
const OF_ONE_FILE: [&str; 3] = ["etag", "content-disposition", "content-range"];
/// A member whose own members depend on what was found.
const FREE: &str = "evidence";
/// Says of each reply of the sandbox that it is made up.
const SANDBOX: &str = "x-argus-sandbox";

/// In what the answers of the live host and the sandbox host differ. Where the status does, nothing else counts.
pub(super) fn differences(case: &Case, live: &Answer, sandbox: &Answer) -> Vec<String> {
    let told = |what: &str, live: &str, sandbox: &str| {
        format!("{what} {live:?} on the live host, {sandbox:?} on the sandbox")
    };
    if live.status != sandbox.status {
        return vec![told("status", live.status.as_str(), sandbox.status.as_str())];
    }
    let mut found = Vec::new();
    let is_file = case.row.access == Access::SignedUrl;
    let (ours, theirs) = (headers(live, is_file), headers(sandbox, is_file));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        let value = |headers: &BTreeMap<String, String>| headers.get(name).cloned().unwrap_or_default();
        let (ours, theirs) = (value(&ours), value(&theirs));
        if ours != theirs {
            found.push(told(&format!("header {name}"), &ours, &theirs));
        }
    }
    if live.status.is_success() && case.row.access == Access::Public {
        if live.body != sandbox.body {
            found.push("body: the documents differ".to_owned());
        }
        return found;
    }
    match (parsed(live), parsed(sandbox)) {
        (Some(ours), Some(theirs)) if ours["error_code"].is_string() && theirs["error_code"].is_string() => {
            for member in ["error_code", "message"] {
                if ours[member] != theirs[member] {
                    found.push(told(member, &ours[member].to_string(), &theirs[member].to_string()));
                }
            }
        }
        (Some(ours), Some(theirs)) if alike(&ours, &theirs) => {}
        (Some(ours), Some(theirs)) => found.push(told("body", &shape(&ours), &shape(&theirs))),
        _ if is_file => {}
        _ if live.body != sandbox.body => found.push("body: it is no JSON on either host".to_owned()),
        _ => {}
    }
    found
}

/// Names with the values that are to agree.
fn headers(answer: &Answer, is_file: bool) -> BTreeMap<String, String> {
    let is_own = |name: &str| OF_ONE_ANSWER.contains(&name) || is_file && OF_ONE_FILE.contains(&name);
    answer
        .headers
        .iter()
        .filter(|(name, _)| *name != SANDBOX)
        .map(|(name, value)| {
            let value = if is_own(name.as_str()) { "<its own>" } else { value.to_str().unwrap() };
            (name.to_string(), value.to_owned())
        })
        .collect()
}

fn parsed(answer: &Answer) -> Option<Value> {
    let is_json = answer.header("content-type").starts_with("application/json");
    is_json.then(|| serde_json::from_slice(&answer.body).ok()).flatten()
}

/// Whether two values have the same members, of the same types. The items of a list are of one shape; a list
/// without any has none.
pub(crate) fn alike(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, value)| {
                    theirs.get(name).is_some_and(|other| name == FREE || alike(value, other))
                })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.first().zip(theirs.first()).is_none_or(|(ours, theirs)| alike(ours, theirs))
        }
        (ours, theirs) => std::mem::discriminant(ours) == std::mem::discriminant(theirs),
    }
}

/// The same, to be read.
pub(crate) fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(items) => format!("[{}]", items.first().map(shape).unwrap_or_default()),
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, shape(value))).collect();
            let members: Vec<String> =
                members.iter().map(|(name, shape)| format!("{name}: {shape}")).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}
