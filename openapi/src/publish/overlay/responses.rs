//! Every status that an operation can return. What follows from signature and access stands here;
//! the rest stands in the operation table.

use super::headers;
use crate::deprecations::Deprecation;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::row::{ExtraBody, ExtraResponse, OperationRow, Representation};
use crate::types::error::{Error, ErrorCode, OauthError, OauthErrorCode};
use crate::{Access, Contract, Host};
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// When a status that several operations share is returned.
fn shared_description(status: u16) -> &'static str {
    match status {
        304 => "The copy that `If-None-Match` names is still current.",
        400 => "The request does not fit the contract; `message` says where.",
        401 => "No valid token, or no valid client authentication, was sent.",
        403 => "The token lacks the scope, or belongs to the other environment.",
        404 => "There is no such resource in the caller's tenant.",
        408 => "The body did not arrive in time.",
        409 => "The resource is in a state that forbids the operation.",
        410 => "The resource existed, and its retention is over.",
        412 => "The copy that `If-Match` names is not the current one.",
        415 => "The body is not of the media type that the operation takes.",
        429 => {
            "Too many requests or failures to authenticate in a short time; `Retry-After` says when to go on. Right \
             credentials are never refused for wrong ones."
        }
        503 => "A backend is out of reach for now; `Retry-After` says when to try again.",
        _ => "A fault on this side; the trace id finds it in the logs.",
    }
}

/// When a status is returned.
fn description(status: u16, row: &OperationRow) -> String {
    match status {
        413 => format!(
            "The body is longer than {} bytes, the most that the operation takes.",
            row.body_max_bytes
        ),
        412 if !row.is_tagged() => "`If-Match` names a copy, and the resource has no entity tag.".to_owned(),
        _ => shared_description(status).to_owned(),
    }
}

/// Statuses beside success that follow from an operation's signature and access.
pub(super) fn derived(operation: &Object, row: &OperationRow) -> Vec<u16> {
    let parameters = operation.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let has_body = operation.contains_key("requestBody");
    let access = row.access;
    let mut statuses = Vec::new();
    let mut add = |when: bool, status: u16| when.then(|| statuses.push(status));
    add(row.is_tagged(), 304);
    // Whatever an operation takes, a request can come without a valid `Host`.
    add(true, 400);
    add(!matches!(access, Access::Public | Access::SignedUrl | Access::Browser), 401);
    add(!matches!(access, Access::Public | Access::Client | Access::Browser), 403);
    add(parameters.iter().any(|parameter| parameter["in"] == "path"), 404);
    add(has_body, 408);
    add(true, 412);
    add(has_body, 413);
    add(has_body, 415);
    let is_limited = row.hosts.iter().any(|host| row.limits_failures_on(*host)) && access != Access::Browser;
    add(row.is_mocked() || is_limited, 429);
    add(true, 500);
    add(row.is_mocked() || (access != Access::Public && row.served_by(Host::Auth)), 503);
    statuses
}

fn content(media_type: &str, schema: &Value) -> Value {
    let mut content = Object::new();
    content.insert(media_type.to_owned(), json!({ "schema": schema }));
    Value::Object(content)
}

/// What an error is sent as: a page to a browser, JSON to anybody else.
fn error_content(
    contract: &Contract,
    row: &OperationRow,
    generator: &mut SchemaGenerator,
) -> Result<Value, PublishError> {
    Ok(match row.access {
        Access::Browser => content(HTML, &json!({ "type": "string" })),
        _ => content(JSON, &error_schema(contract, row, generator)?),
    })
}

/// What an error of the operation looks like: where a client authenticates, as RFC 6749 has it.
fn error_schema(
    contract: &Contract,
    row: &OperationRow,
    generator: &mut SchemaGenerator,
) -> Result<Value, PublishError> {
    value(match row.access {
        Access::Client => generator.subschema_for::<OauthError>(),
        _ => (contract.error_of(row).schema)(generator),
    })
}

fn value(schema: Schema) -> Result<Value, PublishError> {
    serde_json::to_value(schema).map_err(|error| PublishError::Shape(error.to_string()))
}

/// Ranges of statuses, for what no operation documents: a status that the service gains, or one of a proxy
/// before it. They promise nothing; they give generated clients a type for it.
const RANGES: [(&str, &str); 2] = [
    ("4XX", "A refusal with a status that is not among these."),
    ("5XX", "A fault with a status that is not among these."),
];

/// Replaces dropshot's ranges with each status and puts ranges of the contract's errors beside them.
pub(super) fn complete(
    contract: &Contract,
    operation: &mut Object,
    row: &OperationRow,
    announced: Option<&Deprecation>,
    generator: &mut SchemaGenerator,
) -> Result<(), PublishError> {
    let derived = derived(operation, row);
    let raw = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .ok_or_else(|| PublishError::Shape(format!("`{}` has no responses", row.id)))?;
    let (status, mut success) = raw
        .iter()
        .find_map(|(status, response)| status.parse::<u16>().ok().map(|status| (status, response.clone())))
        .ok_or_else(|| PublishError::Shape(format!("`{}` has no success response", row.id)))?;
    raw.clear();
    if !row.document.is_empty() {
        success["content"] = json!({});
    }
    for Representation { media_type, schema } in row.document {
        success["content"][media_type] = json!({ "schema": value(schema(generator))? });
    }
    success["description"] = json!(row.success);
    success["headers"] = headers::of(contract, row, announced, status);
    raw.insert(status.to_string(), success.clone());
    for status in derived {
        let mut response = json!({
            "description": description(status, row),
            "headers": headers::of(contract, row, announced, status),
        });
        if status != 304 {
            response["content"] = error_content(contract, row, generator)?;
        }
        raw.insert(status.to_string(), response);
    }
    for extra in row.extra {
        let response = extra_response(contract, row, announced, extra, &success, generator)?;
        raw.insert(extra.status.to_string(), response);
    }
    if announced.is_some_and(|announced| announced.sunset_at.is_some()) {
        retire(contract, row, announced, raw, generator)?;
    }
    for (range, description) in RANGES {
        let error = error_content(contract, row, generator)?;
        raw.insert(range.to_owned(), json!({ "description": description, "content": error }));
    }
    Ok(())
}

/// What is answered once the operation is gone.
const RETIRED: &str = "The operation has been shut down, as `Sunset` said.";

/// Publishes that the operation will answer 410, beside what it may say with 410 by itself.
fn retire(
    contract: &Contract,
    row: &OperationRow,
    announced: Option<&Deprecation>,
    responses: &mut Object,
    generator: &mut SchemaGenerator,
) -> Result<(), PublishError> {
    let status = ErrorCode::OperationRetired.status();
    if let Some(own) = responses.get_mut(&status.to_string()) {
        own["description"] = json!(format!("{} {RETIRED}", own["description"].as_str().unwrap_or_default()));
        return Ok(());
    }
    let mut content = error_content(contract, row, generator)?;
    let example = retired_example(contract, row)?;
    for media in content.as_object_mut().into_iter().flatten().map(|(_, media)| media) {
        media["example"] = example.clone();
    }
    let headers = headers::of(contract, row, announced, status);
    let response = json!({ "description": RETIRED, "headers": headers, "content": content });
    responses.insert(status.to_string(), response);
    Ok(())
}

/// The refusal as the operation writes it.
fn retired_example(contract: &Contract, row: &OperationRow) -> Result<Value, PublishError> {
    let error = Error { error_code: ErrorCode::OperationRetired, message: RETIRED.to_owned() };
    let written = match row.access {
        Access::Browser => return Ok(json!("<!DOCTYPE html>")),
        Access::Client => {
            let code = OauthErrorCode::of(error.error_code.status());
            serde_json::to_value(OauthError { error: code, error_description: error.message })
        }
        _ => (contract.error_of(row).write)(&error).and_then(|written| serde_json::from_slice(&written)),
    };
    written.map_err(|error| PublishError::Shape(error.to_string()))
}

fn extra_response(
    contract: &Contract,
    row: &OperationRow,
    announced: Option<&Deprecation>,
    extra: &ExtraResponse,
    success: &Value,
    generator: &mut SchemaGenerator,
) -> Result<Value, PublishError> {
    let mut response = json!({ "description": extra.description, "headers": headers::of(contract, row, announced, extra.status) });
    match extra.body {
        ExtraBody::Empty => {}
        ExtraBody::Success => response["content"] = success["content"].clone(),
        ExtraBody::Error => response["content"] = error_content(contract, row, generator)?,
        ExtraBody::Schema(schema) => {
            response["content"] = content(JSON, &value(schema(generator))?);
        }
    }
    Ok(response)
}
