//! Which statuses an operation documents, and the example body of each, read from the published
//! descriptor, so that `Prefer: code` can force exactly what is published.

use argus_openapi::Operation;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_wire::canonical;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A documented response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Response {
    /// The operation's own reply, with this status.
    Success,
    /// The documented example; `None` when the response has no body.
    Refusal(Option<Example>),
}

/// The example of a body that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Example {
    /// The body.
    pub(crate) body: Bytes,
    /// What it says, unless that is no error of the contract.
    pub(crate) error: Option<Error>,
}

/// The documented responses of every operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Documented {
    by_operation: BTreeMap<&'static str, BTreeMap<u16, Response>>,
}

impl Documented {
    /// Reads a descriptor; what is not there is not documented.
    pub(crate) fn from_descriptor(text: &str) -> Self {
        let descriptor: Value = serde_json::from_str(text).unwrap_or_default();
        let mut by_operation = BTreeMap::new();
        let paths = descriptor.get("paths").and_then(Value::as_object);
        let methods = paths.into_iter().flat_map(|paths| paths.values()).filter_map(Value::as_object);
        for item in methods.flat_map(|methods| methods.values()) {
            let Some(operation) =
                item.get("operationId").and_then(Value::as_str).and_then(Operation::from_id)
            else {
                continue;
            };
            by_operation.insert(operation.id(), responses(&descriptor, item));
        }
        Self { by_operation }
    }

    /// The documented response with this status.
    pub(crate) fn response(&self, operation: Operation, status: u16) -> Option<&Response> {
        self.by_operation.get(operation.id())?.get(&status)
    }

    /// Why a status cannot be forced.
    pub(crate) fn unsupported(&self, operation: Operation, status: u16) -> Error {
        let known = self.by_operation.get(operation.id()).into_iter().flat_map(BTreeMap::keys);
        let known: Vec<String> = known.map(u16::to_string).collect();
        Error {
            error_code: ErrorCode::PreferenceNotSupported,
            message: format!(
                "{} does not document the status {status}; code can be one of {}",
                operation.id(),
                known.join(", ")
            ),
        }
    }
}

fn responses(descriptor: &Value, operation: &Value) -> BTreeMap<u16, Response> {
    let responses = operation.get("responses").and_then(Value::as_object);
    let mut documented = BTreeMap::new();
    for (status, response) in responses.into_iter().flatten() {
        // `default` and `4XX` document no status that could be forced.
        let Ok(status) = status.parse::<u16>() else { continue };
        let response = match status {
            200..=299 => Response::Success,
            _ => Response::Refusal(refusal(descriptor, status, follow(descriptor, response))),
        };
        documented.insert(status, response);
    }
    documented
}

/// A refusal: the documented example, or, where there is none, what the documented schema and
/// description say. `None` when the response has no body.
fn refusal(descriptor: &Value, status: u16, response: &Value) -> Option<Example> {
    if let Some(example) = example(descriptor, response) {
        return Some(Example::of(example));
    }
    let schema = media(response)?.get("schema").map(|schema| follow(descriptor, schema));
    let code = ErrorCode::ALL.into_iter().find(|code| code.status() == status)?;
    let description = response.get("description").and_then(Value::as_str);
    let mut body = json!({ "error_code": code, "message": description.unwrap_or(code.description()) });
    if schema.and_then(|schema| schema.pointer("/properties/query_hint")).is_some() {
        body["query_hint"] = json!("use_your_backend");
    }
    Some(Example::of(&body))
}

impl Example {
    fn of(example: &Value) -> Self {
        // Canonical, so that the bytes do not depend on how serde_json orders its maps.
        let body = canonical::to_string(example).into();
        Self { error: serde_json::from_value(example.clone()).ok(), body }
    }
}

/// The media type whose body a client of the contract reads.
fn media(response: &Value) -> Option<&Value> {
    let content = response.get("content")?.as_object()?;
    content.get("application/json").or_else(|| content.values().next())
}

/// The first example of a response's first media type.
fn example<'d>(descriptor: &'d Value, response: &'d Value) -> Option<&'d Value> {
    let media = media(response)?;
    let schema = || media.get("schema").map(|schema| follow(descriptor, schema));
    media
        .get("example")
        .or_else(|| {
            let examples = media.get("examples")?.as_object()?;
            // By name, because the order of a JSON map depends on how serde_json was built.
            let first = examples.keys().min()?;
            follow(descriptor, examples.get(first)?).get("value")
        })
        .or_else(|| schema()?.get("examples")?.get(0))
        .or_else(|| schema()?.get("example"))
}

/// Follows local references, a bounded number of times.
fn follow<'d>(descriptor: &'d Value, mut value: &'d Value) -> &'d Value {
    for _ in 0..8 {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        match target.and_then(|pointer| descriptor.pointer(pointer)) {
            Some(target) => value = target,
            None => break,
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documented() -> Documented {
        let error = |code: &str| json!({ "error_code": code, "message": "m" });
        Documented::from_descriptor(
            &json!({
                "paths": { "/v1/jobs": {
                    "parameters": [],
                    "post": { "operationId": "job_create", "responses": {
                        "201": { "description": "made" },
                        "401": { "$ref": "#/components/responses/Unauthorized" },
                        "403": { "content": { "application/json": { "examples": {
                            "b": { "value": error("b") }, "a": { "$ref": "#/components/examples/A" } } } } },
                        "404": { "description": "without example", "content": { "application/json": {
                            "schema": { "properties": { "query_hint": {} } } } } },
                        "409": { "description": "without body" },
                        "503": { "content": { "application/json": { "example": error("unavailable") } } },
                        "default": { "description": "anything" },
                    } },
                    "get": { "operationId": "no_such_operation", "responses": { "200": {} } },
                } },
                "components": {
                    "responses": { "Unauthorized": { "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Error" } } } } },
                    "schemas": { "Error": { "examples": [error("missing_token")] } },
                    "examples": { "A": { "value": error("a") } },
                },
            })
            .to_string(),
        )
    }

    fn body(status: u16) -> Option<String> {
        match documented().response(Operation::JobCreate, status) {
            Some(Response::Refusal(example)) => {
                example.clone().map(|example| String::from_utf8(example.body.into()).expect("UTF-8"))
            }
            other => panic!("{status}: {other:?}"),
        }
    }

    #[test]
    fn an_error_has_its_documented_example() {
        assert_eq!(body(401).as_deref(), Some(r#"{"error_code":"missing_token","message":"m"}"#));
        assert_eq!(body(403).as_deref(), Some(r#"{"error_code":"a","message":"m"}"#));
        assert_eq!(body(503).as_deref(), Some(r#"{"error_code":"unavailable","message":"m"}"#));
        assert_eq!(body(409), None);
        let composed =
            r#"{"error_code":"not_found","message":"without example","query_hint":"use_your_backend"}"#;
        assert_eq!(body(404).as_deref(), Some(composed));
    }

    #[test]
    fn what_is_not_documented_cannot_be_forced() {
        let documented = documented();
        assert_eq!(documented.response(Operation::JobCreate, 201), Some(&Response::Success));
        assert_eq!(documented.response(Operation::JobCreate, 418), None);
        assert_eq!(documented.response(Operation::JobView, 200), None);
        let error = documented.unsupported(Operation::JobCreate, 418);
        assert_eq!(error.error_code, ErrorCode::PreferenceNotSupported);
        assert!(error.message.contains("418") && error.message.contains("201, 401, 403, 404, 409, 503"));
    }
}
