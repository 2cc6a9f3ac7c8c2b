//! Response headers.

use crate::row::{Caching, OperationRow};
use crate::{Contract, Host};
use serde_json::{Map, Value, json};

/// The shared headers.
pub(super) fn components() -> Value {
    json!({
        "X-Argus-Trace-ID": {
            "description": "W3C trace id of the request: the caller's own when it sent `traceparent`.",
            "required": true,
            "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
            "example": "0af7651916cd43dd8448eb211c80319c",
        },
        "X-Argus-Span-ID": {
            "description": "W3C span id of the request on this side.",
            "required": true,
            "schema": { "type": "string", "pattern": "^[0-9a-f]{16}$" },
            "example": "b7ad6b7169203331",
        },
        "traceparent": {
            "description": "W3C Trace Context of the request on this side.",
            "required": true,
            "schema": { "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" },
            "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
        "tracestate": {
            "description": "The caller's `tracestate`, untouched; absent when it sent none.",
            "schema": { "type": "string" },
            "example": "vendor=value",
        },
        "X-Argus-Sandbox": {
            "description": "On every response of the sandbox host: the response is synthetic.",
            "schema": { "type": "string", "enum": ["true"] },
            "example": "true",
        },
        "X-Argus-Sandbox-Reason": {
            "description": "Why a token was refused by this host, when it belongs to the other environment.",
            "schema": { "type": "string", "enum": ["live-token-on-sandbox-host", "sandbox-token-on-live-host"] },
            "example": "live-token-on-sandbox-host",
        },
        "WWW-Authenticate": {
            "description": "How to authenticate (RFC 9110, section 11.6.1), with the reason in `error` (RFC 6750).",
            "required": true,
            "schema": { "type": "string" },
            "example": "Bearer realm=\"argus\", error=\"invalid_token\"",
        },
        "ETag": {
            "description": "Strong validator made from the content hash.",
            "required": true,
            "schema": { "type": "string" },
            "example": "\"9f86d081884c7d65\"",
        },
        "Cache-Control": {
            "description": "How long a copy may be used without asking again.",
            "schema": { "type": "string" },
            "example": "public, max-age=300",
        },
        "Retry-After": {
            "description": "Seconds to wait before the next try.",
            "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 86400 },
            "example": 5,
        },
        "Preference-Applied": {
            "description": "Sandbox only (RFC 7240): the preferences that were honoured; absent when there were none.",
            "schema": { "type": "string" },
            "example": "argus-clock=30",
        },
    })
}

/// The headers of one response of an operation, as references.
pub(super) fn of(contract: &Contract, row: &OperationRow, status: u16) -> Value {
    let document = row.caching == Caching::Tagged && matches!(status, 200 | 304);
    let carried = [
        ("X-Argus-Trace-ID", true),
        ("X-Argus-Span-ID", true),
        ("traceparent", true),
        ("tracestate", true),
        ("X-Argus-Sandbox", row.served_by(Host::Sandbox)),
        ("X-Argus-Sandbox-Reason", status == 403 && contract.hosts.contains(&Host::Sandbox)),
        ("WWW-Authenticate", status == 401),
        ("ETag", document),
        ("Cache-Control", document),
        ("Retry-After", matches!(status, 429 | 503)),
        ("Preference-Applied", row.is_mocked()),
    ];
    let references: Map<String, Value> = carried
        .into_iter()
        .filter(|(_, carried)| *carried)
        .map(|(name, _)| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })))
        .collect();
    Value::Object(references)
}
