//! What the signatures do not say of parameters: request headers, canonical names, defaults.

use super::{mocked, revalidated};
use crate::Operation;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::types::common::PAGE_LIMIT_DEFAULT;
use crate::types::discovery::DataSchemaQuery;
use serde_json::{Value, json};

/// Header names as the contract writes them. HTTP does not mind; readers do.
const CANONICAL: [(&str, &str); 2] = [("idempotency-key", "Idempotency-Key"), ("x-tenant-id", "X-Tenant-ID")];

/// The shared parameters.
pub(super) fn components() -> Value {
    json!({
        "Traceparent": {
            "name": "traceparent",
            "in": "header",
            "description": "W3C Trace Context: continues the caller's trace. A malformed one is ignored and a fresh \
                trace starts.",
            "schema": { "type": "string" },
            "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
        "Tracestate": {
            "name": "tracestate",
            "in": "header",
            "description": "W3C Trace Context: vendor data, passed on untouched.",
            "schema": { "type": "string" },
            "example": "vendor=value",
        },
        "Prefer": {
            "name": "Prefer",
            "in": "header",
            "description": "Sandbox only (RFC 7240): `code=<status>` asks for one of the documented statuses, \
                `argus-clock=<seconds>` moves the virtual clock, which starts at 2026-05-08T12:00:00Z. \
                `Preference-Applied` confirms what was honoured; live hosts ignore the header.",
            "schema": { "type": "string" },
            "example": "argus-clock=30",
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of the copy at hand: 304 while it is still current (RFC 9110, section 13.1.2).",
            "schema": { "type": "string" },
            "example": "\"9f86d081884c7d65\"",
        },
    })
}

/// What an absent query parameter means; dropshot leaves the defaults of parameters out.
fn default_of(name: &Value) -> Option<Value> {
    match name.as_str()? {
        "limit" => Some(json!(PAGE_LIMIT_DEFAULT)),
        "include_federated" => Some(json!(DataSchemaQuery::default().include_federated)),
        _ => None,
    }
}

/// Adds the shared parameters that the operation takes.
pub(super) fn complete(operation: &mut Object, found: Operation) -> Result<(), PublishError> {
    let parameters = operation
        .entry("parameters")
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .ok_or_else(|| PublishError::Shape("`parameters` is not an array".to_owned()))?;
    for parameter in parameters.iter_mut() {
        if let Some((_, canonical)) = CANONICAL.iter().find(|(lower, _)| parameter["name"] == *lower) {
            parameter["name"] = json!(canonical);
        }
        if let Some(default) = default_of(&parameter["name"]) {
            parameter["schema"]["default"] = default;
        }
    }
    let shared = [
        ("IfNoneMatch", revalidated(found)),
        ("Prefer", mocked(found)),
        ("Traceparent", true),
        ("Tracestate", true),
    ];
    for (name, _) in shared.iter().filter(|(_, taken)| *taken) {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }
    Ok(())
}
