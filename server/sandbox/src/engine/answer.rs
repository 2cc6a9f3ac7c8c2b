//! The way from a request to its reply: its digest, what `Prefer` forces, the mock, and what becomes
//! of its answer.

use crate::engine::digest::{Digest, Frame};
use crate::engine::documented::{Documented, Response};
use crate::engine::mock::{Caller, Context, Mock};
use crate::engine::reply::MockReply;
use argus_openapi::contract::ARGUS;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_wire::trace_context::TraceIds;

/// Answers a request: the same bytes for the same request, for ever.
pub(crate) fn answer<M: Mock>(
    documented: &Documented,
    data: &M::Data,
    caller: &Caller<'_>,
    mock: &M,
) -> MockReply {
    let clock = caller.preferences.clock.filter(|_| M::SHOWS_TIME);
    let digest = request_digest(caller, mock, clock);
    let mut forced = None;
    if let Some(code) = caller.preferences.code {
        match documented.response(M::OPERATION, code) {
            Some(Response::Success) => forced = Some(code),
            Some(Response::Refusal(example)) => {
                let (body, error) = example.clone().map(|own| (own.body, own.error)).unzip();
                return MockReply {
                    status: code,
                    body,
                    trace: digest.trace(),
                    preference_applied: Some(format!("code={code}")),
                    error: error.flatten(),
                };
            }
            None => return failed::<M>(documented.unsupported(M::OPERATION, code), &digest),
        }
    }
    match mock.answer(&Context { data, caller, digest, clock, forced }) {
        Ok(reply) => MockReply {
            status: forced.unwrap_or(reply.status),
            body: reply.body,
            trace: reply.trace.unwrap_or_else(|| digest.trace()),
            preference_applied: applied(forced, clock),
            error: None,
        },
        Err(error) => {
            // These come about by the clock; the others would come about under any.
            let by_clock = matches!(error.error_code, ErrorCode::Conflict | ErrorCode::Gone);
            let preference_applied = applied(None, clock.filter(|_| by_clock));
            MockReply { preference_applied, ..failed::<M>(error, &digest) }
        }
    }
}

/// Trace and span ids of a reply that is given before a mock is asked: a refusal by the gate, a
/// body that does not parse, an unknown route.
pub fn derive_trace(operation: Option<&str>, method_and_path: &str) -> TraceIds {
    let mut frame = Frame::new("refusal");
    frame.part(ARGUS.version.as_bytes());
    frame.part(operation.unwrap_or_default().as_bytes());
    frame.part(method_and_path.as_bytes());
    frame.finish().trace()
}

/// The digest of a request. `Prefer: code` stays out: it chooses the status of a reply and not its
/// identity, so that a forced replay of a creation returns the first creation's resource.
fn request_digest<M: Mock>(caller: &Caller<'_>, mock: &M, clock: Option<u32>) -> Digest {
    let mut frame = Frame::new("request");
    frame.part(ARGUS.version.as_bytes());
    frame.part(M::OPERATION.id().as_bytes());
    frame.scalar(&clock);
    frame.scalar(&caller.scenarios.ids());
    if M::SHOWS_TENANT {
        frame.part(caller.tenant_id.as_bytes());
    }
    mock.frame(&mut frame);
    frame.finish()
}

fn failed<M: Mock>(error: Error, digest: &Digest) -> MockReply {
    MockReply {
        status: error.error_code.status(),
        // Errors serialise into memory without fail.
        body: (ARGUS.error_of(M::OPERATION.row()).write)(&error).ok().map(Into::into),
        trace: digest.trace(),
        preference_applied: None,
        error: Some(error),
    }
}

fn applied(code: Option<u16>, clock: Option<u32>) -> Option<String> {
    match (code, clock) {
        (None, None) => None,
        (Some(code), None) => Some(format!("code={code}")),
        (None, Some(clock)) => Some(format!("argus-clock={clock}")),
        (Some(code), Some(clock)) => Some(format!("code={code}, argus-clock={clock}")),
    }
}
