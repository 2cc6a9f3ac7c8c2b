//! Every status that an operation can return. What follows from signature and access stands here;
//! the rest stands in the operation table.

use super::headers;
use super::mocked;
use crate::operations::{ExtraBody, ExtraResponse};
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::types::discovery::ApiCatalog;
use crate::types::error::{Error, OauthError};
use crate::{Access, Host, Operation};
use schemars::r#gen::SchemaGenerator;
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// When a status that several operations share is returned.
fn shared_description(status: u16) -> &'static str {
    match status {
        400 => "The request does not fit the contract; `message` says where.",
        401 => "No valid token, or no valid client authentication, was sent.",
        403 => "The token lacks the scope, or belongs to the other environment.",
        404 => "There is no such resource in the caller's tenant.",
        409 => "The resource is in a state that forbids the operation.",
        410 => "The resource existed, and its retention is over.",
        413 => "The body is larger than the operation takes.",
        415 => "The body is not of the media type that the operation takes.",
        429 => "Too many requests in a short time; `Retry-After` says when to go on.",
        503 => "A backend is out of reach for now; `Retry-After` says when to try again.",
        _ => "A fault on this side; the trace id finds it in the logs.",
    }
}

/// Statuses beside success that follow from an operation's signature and access.
pub(super) fn derived(operation: &Object, found: Operation) -> Vec<u16> {
    let parameters = operation.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let has_body = operation.contains_key("requestBody");
    let access = found.row().access;
    let mut statuses = Vec::new();
    let mut add = |when: bool, status: u16| when.then(|| statuses.push(status));
    add(!parameters.is_empty() || has_body || mocked(found), 400);
    add(access != Access::Public, 401);
    add(!matches!(access, Access::Public | Access::Client), 403);
    add(parameters.iter().any(|parameter| parameter["in"] == "path"), 404);
    add(has_body, 413);
    add(has_body, 415);
    add(mocked(found), 429);
    add(true, 500);
    add(mocked(found) || (access != Access::Public && found.served_by(Host::Auth)), 503);
    statuses
}

/// Whether errors of this status are RFC 6749's.
fn is_oauth(found: Operation, status: u16) -> bool {
    found.row().access == Access::Client && matches!(status, 400 | 401)
}

fn content(media_type: &str, schema: &Value) -> Value {
    let mut content = Object::new();
    content.insert(media_type.to_owned(), json!({ "schema": schema }));
    Value::Object(content)
}

fn error_schema(
    found: Operation,
    status: u16,
    generator: &mut SchemaGenerator,
) -> Result<Value, PublishError> {
    let schema = if is_oauth(found, status) {
        generator.subschema_for::<OauthError>()
    } else {
        generator.subschema_for::<Error>()
    };
    serde_json::to_value(schema).map_err(|error| PublishError::Shape(error.to_string()))
}

/// Replaces dropshot's ranges with each status.
pub(super) fn complete(
    operation: &mut Object,
    found: Operation,
    generator: &mut SchemaGenerator,
) -> Result<(), PublishError> {
    let derived = derived(operation, found);
    if found.row().optional_body
        && let Some(body) = operation.get_mut("requestBody")
    {
        body["required"] = json!(false);
    }
    let raw = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .ok_or_else(|| PublishError::Shape(format!("`{}` has no responses", found.id())))?;
    let (status, mut success) = raw
        .iter()
        .find_map(|(status, response)| status.parse::<u16>().ok().map(|status| (status, response.clone())))
        .ok_or_else(|| PublishError::Shape(format!("`{}` has no success response", found.id())))?;
    raw.clear();
    if let Some(schema) = document_schema(found, generator)? {
        success["content"] = content(found.row().media_type, &schema);
    }
    success["description"] = json!(success_description(found));
    success["headers"] = headers::of(found, status);
    raw.insert(status.to_string(), success.clone());
    for status in derived {
        raw.insert(
            status.to_string(),
            json!({
                "description": shared_description(status),
                "headers": headers::of(found, status),
                "content": content(JSON, &error_schema(found, status, generator)?),
            }),
        );
    }
    for extra in found.row().extra {
        raw.insert(extra.status.to_string(), extra_response(found, extra, &success, generator)?);
    }
    Ok(())
}

fn extra_response(
    found: Operation,
    extra: &ExtraResponse,
    success: &Value,
    generator: &mut SchemaGenerator,
) -> Result<Value, PublishError> {
    let mut response =
        json!({ "description": extra.description, "headers": headers::of(found, extra.status) });
    match extra.body {
        ExtraBody::Empty => {}
        ExtraBody::Success => response["content"] = success["content"].clone(),
        ExtraBody::Error => {
            response["content"] = content(JSON, &error_schema(found, extra.status, generator)?)
        }
        ExtraBody::Schema(schema) => {
            let schema = serde_json::to_value(schema(generator))
                .map_err(|error| PublishError::Shape(error.to_string()))?;
            response["content"] = content(JSON, &schema);
        }
    }
    Ok(response)
}

/// The schema of a success body that the signature calls a document.
fn document_schema(found: Operation, generator: &mut SchemaGenerator) -> Result<Option<Value>, PublishError> {
    Ok(match found {
        Operation::OpenapiJson => Some(json!({
            "type": "object",
            "description": "An OpenAPI 3.1 document.",
            "additionalProperties": true,
        })),
        Operation::OpenapiYaml => {
            Some(json!({ "type": "string", "description": "An OpenAPI 3.1 document as YAML." }))
        }
        Operation::DataSchemaView => Some(json!({
            "type": "object",
            "description": "A JSON Schema 2020-12 document.",
            "additionalProperties": true,
        })),
        Operation::ApiCatalog => Some(
            serde_json::to_value(generator.subschema_for::<ApiCatalog>())
                .map_err(|error| PublishError::Shape(error.to_string()))?,
        ),
        _ => None,
    })
}

/// What a success response holds.
fn success_description(found: Operation) -> &'static str {
    match found {
        Operation::ScopeList => "The scope catalogue.",
        Operation::AppCreate => "The app was registered. Its client secret is shown this once.",
        Operation::AppList => "One page of the tenant's apps.",
        Operation::AppView => "The app.",
        Operation::AppGovernanceUpdate => "The governance flags that are now in force.",
        Operation::AppServiceTokenCreate => "The service token.",
        Operation::AppSecretRotate => "The new client secret, shown this once.",
        Operation::AppSandboxTokenCreate => "The sandbox token and what it is good for.",
        Operation::OauthToken => "The access token (RFC 6749, section 5.1).",
        Operation::JwksView | Operation::JwksViewVersioned => "The public signing keys.",
        Operation::WebhookCreate => "The subscription was created.",
        Operation::WebhookList => "One page of the tenant's subscriptions.",
        Operation::WebhookView => "The subscription.",
        Operation::WebhookUpdate => "The subscription as it is now.",
        Operation::WebhookDelete => "The subscription has ended.",
        Operation::WebhookDeliveryList => "One page of delivery attempts.",
        Operation::WebhookTest => "The test delivery was queued.",
        Operation::GraphqlExecute => "The result of the approved document, errors of its own included.",
        Operation::TraceView => "The tenant's spans of the trace.",
        Operation::JobCreate => "The job was enqueued.",
        Operation::JobList => "One page of the tenant's jobs.",
        Operation::JobView => "The job.",
        Operation::JobCancel => "The job was cancelled.",
        Operation::JobResult => "Where the result is.",
        Operation::ProfileView => "The profile.",
        Operation::ProfileEnrich => "What the sources found.",
        Operation::SandboxScenarioList => "The scenario catalogue.",
        Operation::OpenapiJson | Operation::OpenapiYaml => "The descriptor.",
        Operation::ApiCatalog => "The link set.",
        Operation::DataSchemaList => "The data schemas that the caller may see.",
        Operation::DataSchemaView => "The schema document.",
        Operation::OpenapiJsonHead
        | Operation::OpenapiYamlHead
        | Operation::ApiCatalogHead
        | Operation::DataSchemaHead
        | Operation::OauthMetadataView
        | Operation::HealthView
        | Operation::ReadinessView
        | Operation::MetricsView
        | Operation::TenantBootstrap => "Never published.",
    }
}
