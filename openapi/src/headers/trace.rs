//! W3C Trace Context as a request brings it. What the values of the headers mean is
//! `argus_wire::trace_context`'s; here are the headers.

use super::StandardHeaders;
use argus_wire::trace_context::{TraceFlags, TraceIds, Traceparent, join_tracestate};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Looked for in each request; a constant would be made anew each time.
static TRACEPARENT: HeaderName = StandardHeaders::TRACEPARENT;

/// An inbound trace context that is valid.
pub struct Inbound {
    pub(super) traceparent: Traceparent,
    pub(super) tracestate: Option<HeaderValue>,
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
    /// The inbound trace with the span of `ids`, or `ids` where there is none.
    pub fn continued(inbound: Option<&Self>, ids: TraceIds) -> TraceIds {
        inbound.map_or(ids, |inbound| inbound.traceparent.ids.with_span(ids.span_id()))
    }

    /// The flags of the inbound trace; a trace of our own is sampled.
    pub fn flags(inbound: Option<&Self>) -> TraceFlags {
        inbound.map_or(TraceFlags::SAMPLED, |inbound| inbound.traceparent.flags)
    }

    /// What came with it, untouched.
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_ref()?.to_str().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn fresh(headers: &HeaderMap) -> StandardHeaders {
        StandardHeaders::new(Inbound::of(headers).as_ref(), TraceIds::new([7; 16], [9; 8]), false)
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
