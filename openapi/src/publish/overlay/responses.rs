//! Every status that an operation can return. What follows from signature and access stands here;
//! the rest stands in the operation table.

use super::headers;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::row::{ExtraBody, ExtraResponse, OperationRow, Representation};
use crate::types::error::OauthError;
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
            "Too many requests or failures to authenticate in a short time, or the quota of the day or month is used \
             up; `Retry-After` says when to go on. Right credentials are never refused for wrong ones."
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
    success["headers"] = headers::of(contract, row, status);
    raw.insert(status.to_string(), success.clone());
    for status in derived {
        let mut response = json!({
            "description": description(status, row),
            "headers": headers::of(contract, row, status),
        });
        if status != 304 {
            response["content"] = error_content(contract, row, generator)?;
        }
        raw.insert(status.to_string(), response);
    }
    for extra in row.extra {
        raw.insert(extra.status.to_string(), extra_response(contract, row, extra, &success, generator)?);
    }
    for (range, description) in RANGES {
        let error = error_content(contract, row, generator)?;
        raw.insert(range.to_owned(), json!({ "description": description, "content": error }));
    }
    Ok(())
}

fn extra_response(
    contract: &Contract,
    row: &OperationRow,
    extra: &ExtraResponse,
    success: &Value,
    generator: &mut SchemaGenerator,
) -> Result<Value, PublishError> {
    let mut response =
        json!({ "description": extra.description, "headers": headers::of(contract, row, extra.status) });
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
