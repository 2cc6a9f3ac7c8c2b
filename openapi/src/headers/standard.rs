//! The headers that every response of every host carries.

use super::Inbound;
use argus_wire::trace_context::{SPAN_ID, TRACE_ID, TraceIds, Traceparent};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers that every response of every host carries.
#[derive(Clone, Debug)]
pub struct StandardHeaders {
    /// `x-argus-trace-id`
    pub trace_id: HeaderValue,
    /// `x-argus-span-id`
    pub span_id: HeaderValue,
    /// `traceparent`
    pub traceparent: HeaderValue,
    /// `tracestate`, passed on untouched.
    pub tracestate: Option<HeaderValue>,
    /// Whether this is the sandbox host (`x-argus-sandbox: true`).
    pub sandbox: bool,
}

impl StandardHeaders {
    /// `x-argus-trace-id`
    pub const TRACE_ID: HeaderName = HeaderName::from_static("x-argus-trace-id");
    /// `x-argus-span-id`
    pub const SPAN_ID: HeaderName = HeaderName::from_static("x-argus-span-id");
    /// `traceparent`
    pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
    /// `tracestate`
    pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
    /// `x-argus-sandbox`
    pub const SANDBOX: HeaderName = HeaderName::from_static("x-argus-sandbox");

    /// The headers of a response: the inbound trace, or else that of `ids`, and the span of `ids`.
    pub fn new(inbound: Option<&Inbound>, ids: TraceIds, sandbox: bool) -> Self {
        let traceparent =
            Traceparent { ids: Inbound::continued(inbound, ids), flags: Inbound::flags(inbound) };
        // The two id headers share the bytes of `traceparent`.
        let text = Bytes::from_owner(traceparent.to_bytes());
        let value =
            |range| HeaderValue::from_maybe_shared(text.slice(range)).unwrap_or(HeaderValue::from_static(""));
        Self {
            trace_id: value(TRACE_ID),
            span_id: value(SPAN_ID),
            traceparent: value(0..text.len()),
            tracestate: inbound.and_then(|inbound| inbound.tracestate.clone()),
            sandbox,
        }
    }

    /// Puts the headers in place.
    pub fn stamp(self, headers: &mut HeaderMap) {
        headers.insert(Self::TRACE_ID, self.trace_id);
        headers.insert(Self::SPAN_ID, self.span_id);
        headers.insert(Self::TRACEPARENT, self.traceparent);
        if let Some(tracestate) = self.tracestate {
            headers.insert(Self::TRACESTATE, tracestate);
        }
        if self.sandbox {
            headers.insert(Self::SANDBOX, HeaderValue::from_static("true"));
        }
    }
}
