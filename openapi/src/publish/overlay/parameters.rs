//! What the signatures do not say of parameters: request headers, canonical names, defaults.

use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::row::OperationRow;
use serde_json::{Value, json};

/// The shared parameters.
pub(super) fn components() -> Value {
    json!({
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

/// Headers of every request, or of every one that the sandbox mocks. In no operation's signature, since
/// generated clients would make each of them an argument of each call.
pub(super) fn everywhere() -> Value {
    json!([
        {
            "name": "traceparent",
            "in": "header",
            "description": "On every operation. W3C Trace Context: continues the caller's trace. A malformed one is \
                ignored and a fresh trace starts.",
            "schema": { "type": "string" },
            "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
        {
            "name": "tracestate",
            "in": "header",
            "description": "On every operation. W3C Trace Context: vendor data, passed on untouched.",
            "schema": { "type": "string" },
            "example": "vendor=value",
        },
        {
            "name": "Prefer",
            "in": "header",
            "description": "On operations whose responses have `Preference-Applied`; sandbox only (RFC 7240): \
                `code=<status>` asks for one of the documented statuses, `argus-clock=<seconds>` moves the virtual \
                clock, which starts at 2026-05-08T12:00:00Z. `Preference-Applied` confirms what was honoured; live \
                hosts ignore the header.",
            "schema": { "type": "string" },
            "example": "argus-clock=30",
        },
    ])
}

/// Completes the parameters of an operation's signature, and adds those for copies of a document.
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
    for name in ["IfMatch", "IfNoneMatch"].into_iter().filter(|_| row.is_tagged()) {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }
    Ok(())
}
