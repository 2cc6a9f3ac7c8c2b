//! Requests to the sandbox. The lines are the operation (or any text, whose first byte chooses one), an id
//! that also serves as cursor and header, the `Prefer` value, scenarios with commas between, and what is
//! left: a query string, and the body where it is JSON, or else a text to put into the example's body. In
//! the id, `JOB_ID`, `WEBHOOK_ID` and `CURSOR` stand for real ones, which no fuzzer can guess.
//!
//! Every answer is JSON with a documented status, and the same request gets the same answer.

use crate::edits::parts;
use crate::sandbox::{SANDBOX, answer_request};
use argus_openapi::contract::ARGUS;
use argus_openapi::read::RequestParts;
use argus_samples::{Given, Sample, Source};
use argus_sandbox::{Preferences, ScenarioSet};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A request of every operation that is mocked, as the contract's examples have it.
static SAMPLES: LazyLock<BTreeMap<&str, Sample>> = LazyLock::new(|| {
    let source = Source::new(&ARGUS);
    let mocked = ARGUS.rows.iter().filter(|row| row.is_mocked());
    mocked.map(|row| (row.id, source.sample(row, TENANT, &Given::new()))).collect()
});

const TENANT: &str = "tnt_1";

/// What stands in the input for an id or cursor of the sandbox's own making.
static REAL: LazyLock<[(&str, String); 3]> = LazyLock::new(|| {
    [
        ("JOB_ID", member("job_create", "", "/id")),
        ("WEBHOOK_ID", member("webhook_create", "", "/id")),
        ("CURSOR", member("job_list", "limit=1", "/next_cursor")),
    ]
});

fn member(operation: &str, query: &str, pointer: &str) -> String {
    let sample = &SAMPLES[operation];
    let parts = RequestParts { query, ..sample.parts() };
    let reply = answer_request(sample.row, &parts, &Preferences::default(), &ScenarioSet::default());
    let body = reply.and_then(|reply| reply.body).expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("a JSON body");
    body.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()
}

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [operation, id, prefer, scenarios, body] = parts::<5>(input);
    let sample = asked_for(operation);
    let id = String::from_utf8_lossy(id).into_owned();
    let id = &*REAL.iter().fold(id, |id, (name, real)| id.replace(name, real));
    let preferences = Preferences::parse([&*String::from_utf8_lossy(prefer)]).unwrap_or_default();
    let pinned: Vec<String> = String::from_utf8_lossy(scenarios).split(',').map(str::to_owned).collect();
    let scenarios = SANDBOX.scenario_set(&pinned).unwrap_or_else(|_| ScenarioSet::default());
    let named = |pairs: &[(String, String)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, _)| (name.clone(), id.to_owned())).collect()
    };
    let (path, headers) = (named(&sample.path_parameters), named(&sample.headers));
    let cursor = serde_urlencoded::to_string([("cursor", id)]).expect("a query");
    let query = std::str::from_utf8(body).unwrap_or_default();
    for body in bodies(sample, body) {
        for (query, headers) in [(query, &[][..]), (&*cursor, &*headers)] {
            let parts = RequestParts { path: &path, query, headers, content_type: None, body: &body };
            answer_request(sample.row, &parts, &preferences, &scenarios);
        }
    }
}

/// The sample of the operation that is named, or of the one that the first byte chooses.
fn asked_for(operation: &[u8]) -> &'static Sample {
    let named = std::str::from_utf8(operation).ok().and_then(|id| SAMPLES.get(id));
    let place = usize::from(operation.first().copied().unwrap_or_default()) % SAMPLES.len();
    named.or_else(|| SAMPLES.values().nth(place)).expect("the place of an operation")
}

/// The body as it is, where it is JSON or the operation takes none; else the example's, once for each text
/// in it, with this text instead.
fn bodies(sample: &Sample, body: &[u8]) -> Vec<Vec<u8>> {
    let Some((_, example)) = &sample.body else { return vec![Vec::new()] };
    if body.is_empty() || serde_json::from_slice::<Value>(body).is_ok() {
        return vec![body.to_vec()];
    }
    let text = String::from_utf8_lossy(body);
    let example: Value = serde_json::from_slice(example).expect("samples are JSON");
    let count = replace_text(&mut example.clone(), usize::MAX, &text);
    (0..count)
        .map(|place| {
            let mut body = example.clone();
            replace_text(&mut body, place, &text);
            body.to_string().into_bytes()
        })
        .collect()
}

/// Puts a text in the place of the one at this place, and tells how many texts there are.
fn replace_text(value: &mut Value, place: usize, text: &str) -> usize {
    let mut count = 0;
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.values_mut()),
            Value::String(old) => {
                if count == place {
                    text.clone_into(old);
                }
                count += 1;
            }
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_the_sandbox_mocks_is_in_reach_of_the_first_byte() {
        let reached: BTreeMap<&str, ()> = (0..=u8::MAX).map(|byte| (asked_for(&[byte]).row.id, ())).collect();
        assert!(reached.keys().eq(SAMPLES.keys()));
        for byte in 0..=u8::MAX {
            check(&[byte, b'\n', b'p', b'1', b'\n', b'\n', b'\n', b'a', b'=', b'1']);
        }
    }
}
