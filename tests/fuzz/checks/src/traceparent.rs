//! Trace Context at the gate. The first line is `traceparent`; each further line is a `tracestate`, or
//! another `traceparent` if it begins with `=`.
//!
//! Whatever comes in, the outgoing `traceparent` is a valid one of version 00 with the span of this
//! request, and the two id headers repeat it. A context that the SDK accepts is continued.

use argus_openapi::http::StandardHeaders;
use argus_sdk::TraceContext;
use argus_server::gate::trace::{Inbound, random_ids, standard_headers};
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
        // No white space around a value comes out of an HTTP parser (RFC 9110, section 5.5).
        if let Ok(value) = HeaderValue::from_bytes(value.trim_ascii()) {
            headers.append(name, value);
        }
    }
    let mut given = headers.get_all(StandardHeaders::TRACEPARENT).iter();
    if let (Some(one), None) = (given.next(), given.next()) {
        only = one.to_str().ok().and_then(|text| text.parse::<TraceContext>().ok());
    }

    let ids = random_ids();
    let inbound = Inbound::of(&headers);
    let is_continued = inbound.is_some();
    let out = standard_headers(inbound, &ids, false);

    let text = out.traceparent.to_str().expect("the outgoing traceparent is ASCII");
    let fields: Vec<&str> = text.split('-').collect();
    let &[version, trace_id, span_id, flags] = fields.as_slice() else { panic!("{text:?}: four fields") };
    assert_eq!(version, "00");
    assert!(is_id(trace_id, 32) && is_id(span_id, 16), "{text:?}: ids");
    assert!(["00", "01"].contains(&flags), "{text:?}: flags");
    assert_eq!((out.trace_id.as_bytes(), out.span_id.as_bytes()), (trace_id.as_bytes(), span_id.as_bytes()));
    assert_eq!(span_id, hex(&ids.span_id), "the span is this request's own");
    if !is_continued {
        assert_eq!(trace_id, hex(&ids.trace_id), "a trace of its own");
        assert_eq!(out.tracestate, None, "no state without a trace");
    }
    if let Some(context) = only {
        assert_eq!(trace_id, context.trace_id(), "the SDK accepts it");
    }
}

fn is_id(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit) && text.bytes().any(|byte| byte != b'0')
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
