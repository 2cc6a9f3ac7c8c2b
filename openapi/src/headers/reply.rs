//! Responses without the standard headers, and how long who may keep them.

use crate::row::{Caching, EXPOSED_HEADERS};
use crate::types::error::Error;
use crate::{Contract, OperationRow};
use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// The media type of nearly every body.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ANYONE: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue = HeaderValue::from_static(EXPOSED_HEADERS);

/// Lets caches keep a reply for as long as its row says. The named headers belong to one response and are
/// not reused with it (RFC 9111, section 5.2.2.4).
pub fn keep(headers: &mut HeaderMap, caching: Caching) {
    let Some(max_age) = caching.max_age() else { return };
    let value = format!(
        "public, max-age={max_age}, must-revalidate, \
         no-cache=\"X-Argus-Trace-ID, X-Argus-Span-ID, traceparent, tracestate, X-Request-ID\""
    );
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(CACHE_CONTROL, value);
    }
}

/// Lets pages of any origin read a reply.
pub fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// A JSON response.
pub fn json<T: Serialize>(status: u16, body: &T) -> Response<Bytes> {
    // Room for nearly every body.
    let mut bytes = Vec::with_capacity(512);
    let outcome = serde_json::to_writer(&mut bytes, body);
    written(status, outcome.map(|()| bytes.into()))
}

/// The response to a request that is refused, without the header of its error.
pub fn refused(contract: &Contract, row: &OperationRow, error: &Error) -> Response<Bytes> {
    written(error.error_code.status(), (contract.error_of(row).write)(error).map(Bytes::from))
}

/// A JSON response of what was written.
fn written(status: u16, body: serde_json::Result<Bytes>) -> Response<Bytes> {
    match body {
        Ok(bytes) => response(status, Some(JSON), Some(bytes)),
        // Contract types always serialise; a map with a key that is not text would not.
        Err(_) => response(500, None, None),
    }
}

/// A response that no cache may keep: it was made for one caller.
pub fn response(status: u16, media_type: Option<HeaderValue>, body: Option<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.unwrap_or_default());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Room for all that the wrapper and dropshot add.
    *response.headers_mut() = HeaderMap::with_capacity(10);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Some(media_type) = media_type {
        headers.insert(CONTENT_TYPE, media_type);
    }
    response
}
