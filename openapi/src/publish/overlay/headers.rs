//! Response headers.

use crate::row::OperationRow;
use crate::types::error::SandboxReason;
use crate::types::wire_enum;
use crate::{Access, Contract, Host};
use serde_json::{Map, Value, json};

/// The shared headers.
pub(super) fn components() -> Value {
    json!({
        "X-Request-ID": {
            "description": "Identifier of this one response, for support; chosen anew each time.",
            "required": true,
            "schema": { "type": "string", "format": "uuid" },
            "example": "7b6f1c1e-5a4f-4f0e-9d0e-3f6f0f0e8a11",
        },
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
            "schema": wire_enum::one_of([("true", "True", "The response is synthetic.")]),
            "example": "true",
        },
        "X-Argus-Sandbox-Reason": {
            "description": "Why a token was refused by this host, when it belongs to the other environment.",
            "schema": wire_enum::values(SandboxReason::ALL),
            "example": "live-token-on-sandbox-host",
        },
        "WWW-Authenticate": {
            "description": "How to authenticate (RFC 9110, section 11.6.1), with the reason in `error` (RFC 6750).",
            "required": true,
            "schema": { "type": "string" },
            "example": "Bearer realm=\"argus\", error=\"invalid_token\"",
        },
        "Scope-Challenge": {
            "description": "Which scope the token lacks (RFC 6750, section 3.1); absent when the token belongs to the \
                other environment or the refusal is not about scopes.",
            "schema": { "type": "string" },
            "example": "Bearer realm=\"argus\", error=\"insufficient_scope\", scope=\"argus:jobs:read\"",
        },
        "ETag": {
            "description": "Strong validator made from the content hash.",
            "required": true,
            "schema": { "type": "string" },
            "example": "\"9f86d081884c7d65\"",
        },
        "Cache-Control": {
            "description": "How long a copy may be used without asking again; `no-store` for what was made for one \
                caller. The headers that `no-cache` names belong to one response and are never reused.",
            "required": true,
            "schema": { "type": "string" },
            "example": "no-store",
        },
        "Link": {
            "description": "What the document is (RFC 9727, section 2).",
            "required": true,
            "schema": { "type": "string" },
            "example": "<https://api.knogin.com/.well-known/api-catalog>; rel=\"api-catalog\"",
        },
        "Access-Control-Allow-Origin": {
            "description": "Pages of any origin may read the response.",
            "required": true,
            "schema": wire_enum::one_of([("*", "Any", "Any origin.")]),
            "example": "*",
        },
        "Access-Control-Expose-Headers": {
            "description": "Which headers such a page may read.",
            "required": true,
            "schema": { "type": "string" },
            "example": "ETag, X-Argus-Trace-ID",
        },
        "Allow": {
            "description": "The methods that the path takes (RFC 9110, section 10.2.1).",
            "required": true,
            "schema": { "type": "string" },
            "example": "GET, HEAD, OPTIONS",
        },
        "Location": {
            "description": "Where the browser goes next.",
            "required": true,
            "schema": { "type": "string" },
            "example": "https://partner.example.com/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj&iss=https%3A%2F%2Fauth.knogin.com",
        },
        "Set-Cookie": {
            "description": "Which browser it is; absent when that is known.",
            "schema": { "type": "string" },
            "example": "__Host-argus-auth-browser=n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg; Path=/; HttpOnly; SameSite=Lax; Secure",
        },
        "Content-Security-Policy": {
            "description": "Nothing but the page itself and its one style, in no frame.",
            "required": true,
            "schema": { "type": "string" },
            "example": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        },
        "X-Content-Type-Options": {
            "description": "The media type is what it says.",
            "required": true,
            "schema": { "type": "string" },
            "example": "nosniff",
        },
        "Referrer-Policy": {
            "description": "No other site is told of the request.",
            "required": true,
            "schema": { "type": "string" },
            "example": "no-referrer",
        },
        "Retry-After": {
            "description": "Seconds to wait before the next try.",
            "required": true,
            "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 2_678_400 },
            "example": 5,
        },
        "RateLimit-Policy": {
            "description": "Live hosts only (draft-ietf-httpapi-ratelimit-headers): how many calls (`q`) the app and its \
                tenant have in how many seconds (`w`), one item for each limit and quota; absent where there is none.",
            "schema": { "type": "string" },
            "example": "\"app\";q=6000;w=60, \"tenant-quota\";q=1000000;w=2678400",
        },
        "RateLimit": {
            "description": "Live hosts only: how many calls are left (`r`) of each of these, as far as this node knows, \
                and after how many seconds (`t`) there are more.",
            "schema": { "type": "string" },
            "example": "\"app\";r=5999;t=1, \"tenant-quota\";r=823411;t=1204200",
        },
        "Preference-Applied": {
            "description": "Sandbox only (RFC 7240): the preferences that were honoured; absent when there were none.",
            "schema": { "type": "string" },
            "example": "argus-clock=30",
        },
    })
}

/// Headers that every response carries or may carry, whatever was asked for.
const EVERYWHERE: [&str; 6] =
    ["X-Request-ID", "X-Argus-Trace-ID", "X-Argus-Span-ID", "traceparent", "tracestate", "Cache-Control"];

/// The headers of one response of an operation, as references.
pub(super) fn of(contract: &Contract, row: &OperationRow, status: u16) -> Value {
    let success = (200..300).contains(&status);
    let refers_to_copy = matches!(status, 304 | 412);
    let is_page = row.access == Access::Browser;
    let carried = [
        ("Location", is_page && status == 302),
        ("Set-Cookie", is_page),
        ("Content-Security-Policy", is_page),
        ("X-Content-Type-Options", is_page),
        ("Referrer-Policy", is_page),
        ("X-Argus-Sandbox", row.served_by(Host::Sandbox)),
        ("X-Argus-Sandbox-Reason", status == 403 && contract.hosts.contains(&Host::Sandbox)),
        ("WWW-Authenticate", status == 401),
        ("ETag", row.is_tagged() && (success || refers_to_copy)),
        ("Link", row.links && (success || status == 304)),
        ("Access-Control-Allow-Origin", row.is_open()),
        ("Access-Control-Expose-Headers", row.is_open()),
        ("Retry-After", matches!(status, 429 | 503)),
        ("RateLimit-Policy", row.is_metered()),
        ("RateLimit", row.is_metered()),
        ("Preference-Applied", row.is_mocked()),
    ];
    let carried = carried.into_iter().filter(|(_, carried)| *carried).map(|(name, _)| name);
    let mut headers = references(carried.chain(EVERYWHERE));
    if status == 403 && matches!(row.access, Access::Scope(_)) {
        headers.insert("WWW-Authenticate".to_owned(), reference("Scope-Challenge"));
    }
    Value::Object(headers)
}

/// The headers of a response to what no operation takes.
pub(super) fn unrouted(contract: &Contract, status: u16) -> Value {
    let sandbox = contract.hosts.contains(&Host::Sandbox).then_some("X-Argus-Sandbox");
    let mut headers = references(EVERYWHERE.into_iter().chain(sandbox));
    if status == 405 {
        // In place: linters do not look for references in an extension, and nothing else has this header.
        headers.insert("Allow".to_owned(), components()["Allow"].clone());
    }
    Value::Object(headers)
}

fn references<'n>(names: impl Iterator<Item = &'n str>) -> Map<String, Value> {
    names.map(|name| (name.to_owned(), reference(name))).collect()
}

fn reference(component: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{component}") })
}
