//! W3C Trace Context at the gate: the inbound trace is continued, otherwise a fresh one begins. What
//! the values of the headers mean is `argus_wire::trace_context`'s; here are the headers.

use crate::hosts::HostContext;
use argus_core::context::Trace;
use argus_openapi::Host;
use argus_openapi::http::StandardHeaders;
use argus_wire::trace_context::{SPAN_ID, TRACE_ID, TraceFlags, TraceIds, Traceparent, join_tracestate};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// Looked for in each request; a constant would be made anew each time.
static TRACEPARENT: HeaderName = StandardHeaders::TRACEPARENT;

/// An inbound trace context that is valid.
pub struct Inbound {
    traceparent: Traceparent,
    tracestate: Option<HeaderValue>,
}

impl Inbound {
    /// The context of a request, unless `traceparent` is missing, repeated or malformed (W3C Trace
    /// Context, section 3.2).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(&TRACEPARENT).iter();
        let traceparent = Traceparent::parse(values.next()?.to_str().ok()?)?;
        if values.next().is_some() {
            return None;
        }
        let tracestate = headers.get_all(StandardHeaders::TRACESTATE).iter().map(HeaderValue::as_bytes);
        let tracestate = join_tracestate(tracestate).and_then(|list| HeaderValue::from_bytes(&list).ok());
        Some(Self { traceparent, tracestate })
    }
}

/// A fresh trace and span.
pub fn fresh_ids() -> TraceIds {
    Trace::begin().parent.ids
}

/// The inbound trace with the span of `ids`, or `ids` where there is none.
pub fn continued(inbound: Option<&Inbound>, ids: TraceIds) -> TraceIds {
    inbound.map_or(ids, |inbound| inbound.traceparent.ids.with_span(ids.span_id()))
}

/// The trace of a call with the span of `ids`, for what goes on in it.
pub fn of_call(inbound: Option<&Inbound>, ids: TraceIds) -> Trace {
    let state = inbound.and_then(|inbound| inbound.tracestate.as_ref()?.to_str().ok());
    Trace { parent: Traceparent { ids, flags: flags(inbound) }, state: state.map(Into::into) }
}

fn flags(inbound: Option<&Inbound>) -> TraceFlags {
    inbound.map_or(TraceFlags::SAMPLED, |inbound| inbound.traceparent.flags)
}

/// The standard headers of a response: the inbound trace, or else that of `ids`, and the span of
/// `ids`.
pub fn standard_headers(inbound: Option<&Inbound>, ids: TraceIds, sandbox: bool) -> StandardHeaders {
    let traceparent = Traceparent { ids: continued(inbound, ids), flags: flags(inbound) };
    // The two id headers share the bytes of `traceparent`.
    let text = Bytes::from_owner(traceparent.to_bytes());
    let value =
        |range| HeaderValue::from_maybe_shared(text.slice(range)).unwrap_or(HeaderValue::from_static(""));
    StandardHeaders {
        trace_id: value(TRACE_ID),
        span_id: value(SPAN_ID),
        traceparent: value(0..text.len()),
        tracestate: inbound.and_then(|inbound| inbound.tracestate.clone()),
        sandbox,
    }
}

/// The standard headers of a response to a request that no operation takes.
pub fn unrouted(context: &HostContext, method: &Method, uri: &Uri, headers: &HeaderMap) -> StandardHeaders {
    let sandbox = context.host == Host::Sandbox;
    let ids =
        if sandbox { argus_sandbox::derive_trace(None, &format!("{method} {uri}")) } else { fresh_ids() };
    standard_headers(Inbound::of(headers).as_ref(), ids, sandbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn fresh(headers: &HeaderMap) -> StandardHeaders {
        standard_headers(Inbound::of(headers).as_ref(), fresh_ids(), false)
    }

    fn continued(traceparent: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_str(traceparent).expect("a header value"));
        fresh(&headers).trace_id == TRACE
    }

    #[test]
    fn a_valid_traceparent_is_continued_with_a_new_span() {
        let mut headers = HeaderMap::new();
        let inbound = format!("00-{TRACE}-b7ad6b7169203331-01");
        headers.insert("traceparent", HeaderValue::from_str(&inbound).expect("a header value"));
        headers.append("tracestate", HeaderValue::from_static("a=1"));
        headers.append("tracestate", HeaderValue::from_static("b=2"));
        let standard = fresh(&headers);
        assert_eq!(standard.trace_id, TRACE);
        assert_ne!(standard.span_id, "b7ad6b7169203331");
        assert_eq!(standard.tracestate.expect("tracestate is passed on"), "a=1,b=2");
        let span = standard.span_id.to_str().expect("hexadecimal digits");
        assert_eq!(standard.traceparent, format!("00-{TRACE}-{span}-01"));
    }

    #[test]
    fn the_flags_of_a_trace_are_passed_on() {
        for flags in ["-00", "-01", "-02", "-03"] {
            let mut headers = HeaderMap::new();
            let inbound = format!("00-{TRACE}-b7ad6b7169203331{flags}");
            headers.insert("traceparent", HeaderValue::from_str(&inbound).expect("a header value"));
            assert!(fresh(&headers).traceparent.to_str().expect("ASCII").ends_with(flags));
        }
    }

    #[test]
    fn a_later_version_with_more_fields_is_continued() {
        assert!(continued(&format!("01-{TRACE}-b7ad6b7169203331-01-extra")));
    }

    #[test]
    fn a_malformed_traceparent_starts_a_fresh_trace() {
        for malformed in [
            "",
            "00",
            &format!("ff-{TRACE}-b7ad6b7169203331-01"),
            &format!("00-{TRACE}-b7ad6b7169203331-01-extra"),
            &format!("00-{TRACE}-b7ad6b7169203331-1"),
            &format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{TRACE}-b7ad6b716920333-01"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(!continued(malformed), "{malformed:?} must not be continued");
        }
    }
}
