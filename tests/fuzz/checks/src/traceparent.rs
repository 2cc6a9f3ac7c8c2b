//! Trace Context at the gate. The first line is `traceparent`; each further line is a `tracestate`, or
//! another `traceparent` if it begins with `=`.
//!
//! Whatever comes in, the outgoing `traceparent` is a valid one of version 00 with the span of this
//! request, and the two id headers repeat it. A context is continued if and only if the SDK accepts it.

use argus_openapi::headers::Inbound;
use argus_openapi::http::StandardHeaders;
use argus_sdk::TraceContext;
use argus_server::gate::trace::fresh_ids;
use argus_wire::trace_context::{is_span_id, is_trace_id};
use http::{HeaderMap, HeaderValue};

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut only = None;
    for (number, line) in input.split(|byte| *byte == b'\n').enumerate() {
        let (name, value) = match line.strip_prefix(b"=") {
            _ if number == 0 => (StandardHeaders::TRACEPARENT, line),
            Some(value) => (StandardHeaders::TRACEPARENT, value),
            None => (StandardHeaders::TRACESTATE, line),
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let mut given = headers.get_all(StandardHeaders::TRACEPARENT).iter();
    if let (Some(one), None) = (given.next(), given.next()) {
        only = one.to_str().ok().and_then(|text| text.parse::<TraceContext>().ok());
    }

    let ids = fresh_ids();
    let inbound = Inbound::of(&headers);
    let is_continued = inbound.is_some();
    let out = StandardHeaders::new(inbound.as_ref(), ids, false);

    let text = out.traceparent.to_str().expect("the outgoing traceparent is ASCII");
    let fields: Vec<&str> = text.split('-').collect();
    let &[version, trace_id, span_id, flags] = fields.as_slice() else { panic!("{text:?}: four fields") };
    assert_eq!(version, "00");
    assert!(is_trace_id(trace_id) && is_span_id(span_id), "{text:?}: ids");
    assert!(
        ["00", "01", "02", "03"].contains(&flags),
        "{text:?}: only sampled and random-trace-id are passed on"
    );
    assert_eq!((out.trace_id.as_bytes(), out.span_id.as_bytes()), (trace_id.as_bytes(), span_id.as_bytes()));
    assert_eq!(span_id, ids.span_hex(), "the span is this request's own");
    if !is_continued {
        assert_eq!(trace_id, ids.trace_hex(), "a trace of its own");
        assert_eq!(out.tracestate, None, "no state without a trace");
    }
    assert_eq!(is_continued, only.is_some(), "the gate and the SDK do not agree");
    if let Some(context) = only {
        assert_eq!(trace_id, context.trace_id(), "the SDK reads it so");
    }
}
