//! Small documents, each with one operation, and pairs of them.

use argus_openapi::compatibility::{Rule, judge};
use argus_openapi::types::common::Timestamp;
use serde_json::{Value, json};

/// A document with this operation at `POST /things`.
pub(crate) fn document(operation: Value) -> Value {
    let mut operation = operation;
    operation["operationId"] = json!("thing_make");
    if operation.get("responses").is_none() {
        operation["responses"] = json!({ "200": { "description": "Made." } });
    }
    json!({ "openapi": "3.1.0", "paths": { "/things": { "post": operation } } })
}

/// A document whose operation takes the query parameter `q` of this schema.
pub(crate) fn query(schema: Value) -> Value {
    document(json!({ "parameters": [{ "name": "q", "in": "query", "schema": schema }] }))
}

/// A document whose operation takes a body of this schema.
pub(crate) fn request(schema: Value) -> Value {
    document(
        json!({ "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } } }),
    )
}

/// A document whose operation answers with a body of this schema.
pub(crate) fn response(schema: Value) -> Value {
    let content = json!({ "application/json": { "schema": schema } });
    document(json!({ "responses": { "200": { "description": "Made.", "content": content } } }))
}

/// An object with one member `m` of this schema.
pub(crate) fn object(member: Value) -> Value {
    json!({ "type": "object", "properties": { "m": member } })
}

/// Two documents, and what is to be said of them.
pub(crate) struct Pair {
    /// What changes, in words.
    pub(crate) name: &'static str,
    pub(crate) base: Value,
    pub(crate) next: Value,
    /// The rule that it breaks, if it does.
    pub(crate) breaks: Option<Rule>,
    /// The check of oasdiff for it, and whether its default level makes `oasdiff breaking` report it.
    pub(crate) oasdiff: (&'static str, bool),
}

/// A moment.
pub(crate) fn at(text: &str) -> Timestamp {
    serde_json::from_value(json!(text)).unwrap()
}

/// The rules that the gate stops a change by.
pub(crate) fn stopped(base: &Value, next: &Value) -> Vec<Rule> {
    let judged = judge(base, next, at("2026-12-01T00:00:00Z")).unwrap();
    judged.into_iter().filter(|judged| !judged.verdict.passes()).map(|judged| judged.change.rule).collect()
}
