//! W3C Trace Context (version 00) as the client sends it and reads it from responses. What a
//! `traceparent` says lives in `argus_wire::trace_context`.

use argus_wire::trace_context::{
    SPAN_ID, TRACE_ID, TraceFlags, TraceIds, Traceparent, is_span_id, is_trace_id,
};
use reqwest::header::{HeaderMap, HeaderValue};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
const TRACE_ID_HEADER: &str = "x-argus-trace-id";
const SPAN_ID_HEADER: &str = "x-argus-span-id";
const TRACESTATE_MAX_LENGTH: usize = 512;

/// The caller's place in a distributed trace. Each request is sent as a new child span of it.
///
/// ```
/// use argus_sdk::TraceContext;
///
/// let inbound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context: TraceContext = inbound.parse().unwrap();
/// assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(context.traceparent(), inbound);
/// assert_ne!(context.child().traceparent(), inbound);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    traceparent: Traceparent,
    /// The text of `traceparent`.
    text: String,
    tracestate: Option<String>,
}

/// The text is not a `traceparent` of W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent: expected `00-<32 hex>-<16 hex>-<2 hex>` in lower case, ids not all zero")]
pub struct InvalidTraceparent;

impl TraceContext {
    fn new(traceparent: Traceparent) -> Self {
        Self { traceparent, text: traceparent.to_string(), tracestate: None }
    }

    /// A fresh, sampled trace with random ids.
    pub fn random() -> Self {
        let flags = TraceFlags { sampled: true, random: true };
        Self::new(Traceparent { ids: TraceIds::new(rand::random(), rand::random()), flags })
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        let ids = self.traceparent.ids.with_span(rand::random());
        Self { tracestate: self.tracestate.clone(), ..Self::new(Traceparent { ids, ..self.traceparent }) }
    }

    /// Adds the `tracestate` that came with the `traceparent`; text that cannot be a header value is
    /// left out, as the specification asks.
    #[must_use]
    pub fn with_tracestate(mut self, tracestate: impl Into<String>) -> Self {
        let text = tracestate.into();
        let sendable = !text.is_empty() && text.len() <= TRACESTATE_MAX_LENGTH;
        self.tracestate = (sendable && HeaderValue::from_str(&text).is_ok()).then_some(text);
        self
    }

    /// The trace id, 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.text[TRACE_ID]
    }

    /// The span id, 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        &self.text[SPAN_ID]
    }

    /// The `traceparent` header.
    pub fn traceparent(&self) -> String {
        self.text.clone()
    }

    /// Writes both headers, over whatever stands there.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.text) {
            headers.insert(TRACEPARENT, value);
        }
        if let Some(value) = self.tracestate.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(TRACESTATE, value);
        }
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    /// Strict, as the server is: white space around the text is not trimmed.
    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        Traceparent::parse(text).map(Self::new).ok_or(InvalidTraceparent)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The trace id of a response: `X-Argus-Trace-ID`, else the one of `traceparent`, else nothing.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    text(headers, TRACE_ID_HEADER)
        .filter(|text| is_trace_id(text))
        .or_else(|| traceparent_part(headers, TRACE_ID))
}

/// The span id of a response: `X-Argus-Span-ID`, else the one of `traceparent`, else nothing.
pub fn span_id(headers: &HeaderMap) -> Option<&str> {
    text(headers, SPAN_ID_HEADER)
        .filter(|text| is_span_id(text))
        .or_else(|| traceparent_part(headers, SPAN_ID))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn traceparent_part(headers: &HeaderMap, part: Range<usize>) -> Option<&str> {
    let text = text(headers, TRACEPARENT)?;
    Traceparent::parse(text).map(|_| &text[part])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn malformed_traceparents_are_refused() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-é",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(InvalidTraceparent), "{text}");
        }
    }

    #[test]
    fn a_random_context_parses_and_a_child_keeps_the_trace() {
        let context = TraceContext::random();
        assert_eq!(context.traceparent().parse(), Ok(context.clone()));
        let context = context.with_tracestate("vendor=1");
        let child = context.child();
        assert_eq!(child.tracestate, context.tracestate);
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.span_id(), context.span_id());
    }

    #[test]
    fn the_trace_id_of_a_response_falls_back_to_traceparent_and_never_raises() {
        let mut headers = HeaderMap::new();
        assert_eq!((trace_id(&headers), span_id(&headers)), (None, None));
        headers.insert(TRACE_ID_HEADER, HeaderValue::from_static("not an id"));
        headers.insert(
            TRACEPARENT,
            HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        );
        assert_eq!(trace_id(&headers), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(span_id(&headers), Some("00f067aa0ba902b7"));
        headers.insert(TRACE_ID_HEADER, HeaderValue::from_static("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(trace_id(&headers), Some("0af7651916cd43dd8448eb211c80319c"));
    }

    #[test]
    fn a_tracestate_that_cannot_be_sent_is_left_out() {
        let mut headers = HeaderMap::new();
        TraceContext::random().with_tracestate("a=b\r\nx: y").write(&mut headers);
        assert!(headers.get(TRACESTATE).is_none());
        TraceContext::random().with_tracestate("vendor=1").write(&mut headers);
        assert_eq!(headers.get(TRACESTATE).map(HeaderValue::as_bytes), Some(&b"vendor=1"[..]));
    }
}
