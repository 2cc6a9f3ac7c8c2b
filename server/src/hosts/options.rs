//! `OPTIONS` (RFC 9110, section 9.3.7): which methods a path takes, and, where pages of any origin may read
//! its replies, what they may send (a CORS preflight request, as the Fetch standard has it).

use super::HostContext;
use crate::gate::trace;
use argus_openapi::OperationRow;
use argus_openapi::headers::open_to_all;
use argus_openapi::http::{EmptyReply, FromStamped, Stamped, StandardHeaders};
use dropshot::{Body, RequestContext};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
    IF_MATCH, IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

/// How long a browser may go by the answer, in seconds; most of them cap it there.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// What `OPTIONS` says of a path with these methods and operations.
pub(super) fn headers(methods: &[Method], rows: impl Iterator<Item = &'static OperationRow>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ALLOW, allow(methods));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let open: Vec<_> = rows.filter(|row| row.is_open()).collect();
    if !open.is_empty() {
        let conditional = open.iter().any(|row| row.is_tagged());
        let conditions = conditional.then_some([IF_MATCH, IF_NONE_MATCH]);
        let sent = [StandardHeaders::TRACEPARENT, StandardHeaders::TRACESTATE];
        let sent = conditions.into_iter().flatten().chain(sent);
        open_to_all(&mut headers);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allow(methods));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, list(sent.map(HeaderName::into)));
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    headers
}

/// The answer with these headers. It is no operation, so it counts as none.
pub(super) fn answer(rqctx: &RequestContext<HostContext>, headers: &HeaderMap) -> EmptyReply {
    let request = &rqctx.request;
    let context = rqctx.context();
    context.app.metrics.count_unrouted();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers.clone();
    let standard = trace::unrouted(context, request.method(), request.uri(), request.headers());
    EmptyReply::from_stamped(Stamped::new(standard, response))
}

/// The value of `Allow`.
pub(super) fn allow(methods: &[Method]) -> HeaderValue {
    list(methods.iter().map(|method| HeaderValue::try_from(method.as_str()).unwrap_or(EMPTY)))
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

fn list(items: impl Iterator<Item = HeaderValue>) -> HeaderValue {
    let items: Vec<HeaderValue> = items.collect();
    let items: Vec<&[u8]> = items.iter().map(HeaderValue::as_bytes).collect();
    HeaderValue::try_from(items.join(&b", "[..])).unwrap_or(EMPTY)
}
