//! W3C Trace Context: the inbound trace is continued, otherwise a fresh one begins.

use argus_openapi::http::StandardHeaders;
use argus_sandbox::TraceIds;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::{SpanId, TraceId};

/// An inbound trace context that is valid.
pub struct Inbound {
    trace_id: TraceId,
    sampled: bool,
    tracestate: Option<HeaderValue>,
}

impl Inbound {
    /// The context of a request, unless `traceparent` is missing, repeated or malformed (W3C Trace
    /// Context, section 3.2).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(StandardHeaders::TRACEPARENT).iter();
        let (trace_id, sampled) = parse(values.next()?.to_str().ok()?)?;
        if values.next().is_some() {
            return None;
        }
        Some(Self { trace_id, sampled, tracestate: tracestate(headers) })
    }
}

fn parse(traceparent: &str) -> Option<(TraceId, bool)> {
    let mut parts = traceparent.splitn(4, '-');
    let (version, trace_id, parent_id, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let version = lower_hex(version, 2)?;
    let flags = lower_hex(rest.get(..2)?, 2)?;
    // A later version may append fields; version 00 may not, and ff is invalid.
    let rest_fits = rest.len() == 2 || (version != 0 && rest.as_bytes()[2] == b'-');
    if version == 0xff || !rest_fits {
        return None;
    }
    lower_hex(trace_id, 32)?;
    lower_hex(parent_id, 16)?;
    let trace_id = TraceId::from_hex(trace_id).ok().filter(|id| *id != TraceId::INVALID)?;
    SpanId::from_hex(parent_id).ok().filter(|id| *id != SpanId::INVALID)?;
    Some((trace_id, flags & 1 == 1))
}

/// The number behind exactly `digits` lower-case hexadecimal digits; only its low bits are of use.
fn lower_hex(text: &str, digits: usize) -> Option<u128> {
    let fits = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// All `tracestate` headers as one list, as RFC 9110, section 5.3 combines them.
fn tracestate(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(StandardHeaders::TRACESTATE).iter();
    let first = values.next()?;
    let mut joined = first.as_bytes().to_vec();
    for value in values {
        joined.extend_from_slice(b",");
        joined.extend_from_slice(value.as_bytes());
    }
    HeaderValue::from_bytes(&joined).ok()
}

/// A fresh trace and span.
pub fn random_ids() -> TraceIds {
    let mut ids = TraceIds { trace_id: [0; 16], span_id: [0; 8] };
    let filled =
        aws_lc_rs::rand::fill(&mut ids.trace_id).and_then(|()| aws_lc_rs::rand::fill(&mut ids.span_id));
    // Ids need to differ, not to be secret: if the system has no randomness left, the clock does.
    if filled.is_err() {
        let nanos = chrono::Utc::now().timestamp_nanos_opt().unwrap_or(1).to_be_bytes();
        ids.trace_id[..8].copy_from_slice(&nanos);
        ids.span_id = nanos;
    }
    ids
}

/// The standard headers of a response: the inbound trace, or else that of `ids`, and the span of
/// `ids`.
pub fn standard_headers(inbound: Option<Inbound>, ids: &TraceIds, sandbox: bool) -> StandardHeaders {
    let trace_id = inbound.as_ref().map_or(ids.trace_id, |inbound| inbound.trace_id.to_bytes());
    let flags: u8 = inbound.as_ref().is_none_or(|inbound| inbound.sampled).into();

    // "00-<trace id>-<span id>-<flags>" once; the two id headers share its bytes.
    let mut text = vec![0_u8; 55];
    text[..3].copy_from_slice(b"00-");
    write_hex(&trace_id, &mut text[3..35]);
    text[35] = b'-';
    write_hex(&ids.span_id, &mut text[36..52]);
    text[52..55].copy_from_slice(b"-00");
    text[54] += flags;
    let text = Bytes::from(text);
    let value =
        |range| HeaderValue::from_maybe_shared(text.slice(range)).unwrap_or(HeaderValue::from_static(""));
    StandardHeaders {
        trace_id: value(3..35),
        span_id: value(36..52),
        traceparent: value(0..55),
        tracestate: inbound.and_then(|inbound| inbound.tracestate),
        sandbox,
    }
}

fn write_hex(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn fresh(headers: &HeaderMap) -> StandardHeaders {
        standard_headers(Inbound::of(headers), &random_ids(), false)
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
    fn an_unsampled_trace_stays_unsampled() {
        let mut headers = HeaderMap::new();
        let inbound = format!("00-{TRACE}-b7ad6b7169203331-00");
        headers.insert("traceparent", HeaderValue::from_str(&inbound).expect("a header value"));
        assert!(fresh(&headers).traceparent.to_str().expect("ASCII").ends_with("-00"));
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
