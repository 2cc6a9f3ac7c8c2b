//! Requests that no operation takes: why not, and the answer. It has the shape of dropshot's own, which lacks
//! the standard headers.

use super::endpoints::Resource;
use super::{HostContext, host_header, options};
use crate::gate::trace;
use argus_openapi::headers::open_to_all;
use argus_openapi::types::error::ErrorCode;
use dropshot::{ClientErrorStatusCode, HttpError, RequestInfo};
use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};

/// Why no operation takes a request.
pub(super) enum Refusal {
    /// The `Host` header is not one valid name.
    BadHost,
    /// The path is none that could be an operation's.
    BadPath,
    /// The host has no such path.
    NoSuchOperation,
    /// The path takes other methods.
    NoSuchMethod,
}

/// What comes before the body of a request.
#[derive(Clone, Copy)]
pub(super) struct Head<'r> {
    pub(super) version: Version,
    pub(super) method: &'r Method,
    pub(super) uri: &'r Uri,
    pub(super) headers: &'r HeaderMap,
}

impl<'r, B> From<&'r Request<B>> for Head<'r> {
    fn from(request: &'r Request<B>) -> Self {
        let (version, method) = (request.version(), request.method());
        Self { version, method, uri: request.uri(), headers: request.headers() }
    }
}

impl<'r> From<&'r RequestInfo> for Head<'r> {
    fn from(request: &'r RequestInfo) -> Self {
        let (version, method) = (request.version(), request.method());
        Self { version, method, uri: request.uri(), headers: request.headers() }
    }
}

impl Head<'_> {
    /// Whether the request says which host it is for.
    pub(super) fn has_host(&self) -> bool {
        host_header::is_valid(self.version, self.headers)
    }
}

impl Refusal {
    /// The answer to a request for what is at this path, if there is anything. It is counted.
    pub(super) fn answer(self, context: &HostContext, head: Head<'_>, at: Option<&Resource>) -> HttpError {
        context.app.metrics.count_unrouted();
        let (code, message) = match self {
            Refusal::BadHost => (ErrorCode::InvalidRequest, "the request must have one valid Host header"),
            Refusal::BadPath => (
                ErrorCode::InvalidRequest,
                "the path must be percent-encoded UTF-8 without empty or dot segments",
            ),
            Refusal::NoSuchOperation => (ErrorCode::NotFound, "this host has no such operation"),
            Refusal::NoSuchMethod => {
                (ErrorCode::MethodNotAllowed, "the path takes the methods that Allow lists")
            }
        };
        let status =
            ClientErrorStatusCode::from_u16(code.status()).unwrap_or(ClientErrorStatusCode::NOT_FOUND);
        let mut error = HttpError::for_client_error(Some(code.to_string()), status, message.to_owned());
        let headers = error.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let (Refusal::NoSuchMethod, Some(at)) = (&self, at) {
            headers.insert(ALLOW, options::allow(&at.methods));
        }
        if at.is_some_and(|at| at.is_open && at.methods.contains(head.method)) {
            open_to_all(headers);
        }
        trace::unrouted(context, head.method, head.uri, head.headers).stamp(headers);
        error
    }
}
