//! W3C Trace Context at the gate: the inbound trace is continued, otherwise a fresh one begins. How the headers are
//! read and written is `argus_openapi::headers`'s.

use crate::hosts::HostContext;
use argus_core::context::Trace;
use argus_openapi::Host;
use argus_openapi::headers::{Inbound, StandardHeaders};
use argus_wire::trace_context::{TraceIds, Traceparent};
use http::{HeaderMap, Method, Uri};

/// A fresh trace and span.
pub fn fresh_ids() -> TraceIds {
    Trace::begin().parent.ids
}

/// The trace of a call with the span of `ids`, for what goes on in it.
pub fn of_call(inbound: Option<&Inbound>, ids: TraceIds) -> Trace {
    let state = inbound.and_then(Inbound::tracestate);
    Trace { parent: Traceparent { ids, flags: Inbound::flags(inbound) }, state: state.map(Into::into) }
}

/// The standard headers of a response to a request that no operation takes.
pub fn unrouted(context: &HostContext, method: &Method, uri: &Uri, headers: &HeaderMap) -> StandardHeaders {
    let sandbox = context.host == Host::Sandbox;
    let ids =
        if sandbox { argus_sandbox::derive_trace(None, &format!("{method} {uri}")) } else { fresh_ids() };
    StandardHeaders::new(Inbound::of(headers).as_ref(), ids, sandbox)
}
