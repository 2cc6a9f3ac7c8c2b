//! W3C Trace Context (version 00) as the client sends and reads it.

use reqwest::header::{HeaderMap, HeaderValue};
use std::fmt;
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
    trace_id: String,
    span_id: String,
    flags: u8,
    tracestate: Option<String>,
}

/// The text is not a `traceparent` of W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent: expected `00-<32 hex>-<16 hex>-<2 hex>` in lower case, ids not all zero")]
pub struct InvalidTraceparent;

impl TraceContext {
    /// A fresh, sampled trace with random ids.
    pub fn random() -> Self {
        Self { trace_id: random_hex::<16>(), span_id: random_hex::<8>(), flags: 1, tracestate: None }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: random_hex::<8>(), ..self.clone() }
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
        &self.trace_id
    }

    /// The span id, 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        &self.span_id
    }

    /// The `traceparent` header.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// Writes both headers, over whatever stands there.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.traceparent()) {
            headers.insert(TRACEPARENT, value);
        }
        if let Some(value) = self.tracestate.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(TRACESTATE, value);
        }
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        let mut parts = text.trim().split('-');
        let (Some(version), Some(trace_id), Some(span_id), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidTraceparent);
        };
        // A later version may append fields; version 00 has exactly four, and ff is forbidden.
        let version_fits =
            is_lower_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let ids_fit = is_id(trace_id, 32) && is_id(span_id, 16);
        if !version_fits || !ids_fit || !is_lower_hex(flags, 2) {
            return Err(InvalidTraceparent);
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| InvalidTraceparent)?;
        Ok(Self {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            // Only the sampled bit is defined in version 00; the others must be sent as zero.
            flags: flags & 1,
            tracestate: None,
        })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

/// The trace id of a response: `X-Argus-Trace-ID`, else the one of `traceparent`, else nothing.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    id_header(headers, TRACE_ID_HEADER, 32).or_else(|| traceparent_part(headers, 1, 32))
}

/// The span id of a response: `X-Argus-Span-ID`, else the one of `traceparent`, else nothing.
pub fn span_id(headers: &HeaderMap) -> Option<&str> {
    id_header(headers, SPAN_ID_HEADER, 16).or_else(|| traceparent_part(headers, 2, 16))
}

fn id_header<'h>(headers: &'h HeaderMap, name: &str, length: usize) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().filter(|text| is_id(text, length))
}

fn traceparent_part(headers: &HeaderMap, index: usize, length: usize) -> Option<&str> {
    headers.get(TRACEPARENT)?.to_str().ok()?.split('-').nth(index).filter(|text| is_id(text, length))
}

fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(text: &str, length: usize) -> bool {
    is_lower_hex(text, length) && text.bytes().any(|b| b != b'0')
}

fn random_hex<const N: usize>() -> String {
    let mut bytes: [u8; N] = rand::random();
    // The all-zero id is invalid; one draw in 2^64 must not break a request.
    bytes[N - 1] |= u8::from(bytes.iter().all(|byte| *byte == 0));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(InvalidTraceparent), "{text}");
        }
    }

    #[test]
    fn a_random_context_parses_and_a_child_keeps_the_trace() {
        let context = TraceContext::random();
        assert_eq!(context.traceparent().parse(), Ok(context.clone()));
        let child = context.child();
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
