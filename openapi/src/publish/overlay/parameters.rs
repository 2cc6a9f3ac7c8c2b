//! What the signatures do not say of parameters: request headers, canonical names, defaults.

use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::row::OperationRow;
use serde_json::{Value, json};

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
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` that the document must still have: 412 when it has another (RFC 9110, section \
                13.1.1).",
            "schema": { "type": "string" },
            "example": "\"9f86d081884c7d65\"",
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

/// Adds the shared parameters that the operation takes.
pub(super) fn complete(
    contract: &Contract,
    operation: &mut Object,
    row: &OperationRow,
) -> Result<(), PublishError> {
    let publication = &contract.publication;
    let parameters = operation
        .entry("parameters")
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .ok_or_else(|| PublishError::Shape("`parameters` is not an array".to_owned()))?;
    for parameter in parameters.iter_mut() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if let Some(written) = publication.header_names.iter().find(|known| known.eq_ignore_ascii_case(&name))
        {
            parameter["name"] = json!(written);
        }
        if let Some(default) = (publication.query_defaults)(&name) {
            parameter["schema"]["default"] = default;
        }
    }
    let shared = [
        ("IfMatch", row.is_tagged()),
        ("IfNoneMatch", row.is_tagged()),
        ("Prefer", row.is_mocked()),
        ("Traceparent", true),
        ("Tracestate", true),
    ];
    for (name, _) in shared.iter().filter(|(_, taken)| *taken) {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }
    Ok(())
}
