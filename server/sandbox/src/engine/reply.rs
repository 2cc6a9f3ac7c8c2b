//! What a mock answers with, and what the sandbox makes of it.

use argus_openapi::types::error::Error;
use argus_wire::trace_context::TraceIds;
use bytes::Bytes;
use serde::Serialize;
use std::fmt;

/// A mock's reply, or the error that the engine renders.
pub type Answer = Result<Reply, Error>;

/// A successful reply, or one that ends without a body.
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Bytes>,
    /// Set when the trace shows in the body and does not come from the request's digest.
    pub(crate) trace: Option<TraceIds>,
}

impl Reply {
    /// A reply whose body is a contract type.
    pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Self {
        Self::rendered(status, json(body))
    }

    /// A reply whose body is JSON already.
    pub(crate) fn rendered(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: Some(body.into()), trace: None }
    }

    /// A reply without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, trace: None }
    }
}

/// The JSON of a contract type.
pub(crate) fn json<T: Serialize>(body: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    // Contract types serialise into memory without fail: no maps with other keys than strings.
    let _ = serde_json::to_writer(&mut bytes, body);
    bytes
}

/// What the sandbox answers. The host adds the standard headers and nothing to the body.
#[derive(Clone, PartialEq, Eq)]
pub struct MockReply {
    /// HTTP status.
    pub status: u16,
    /// Body, in JSON; `None` for a response without one.
    pub body: Option<Bytes>,
    /// Trace and span of the reply, for a request that brought no `traceparent`.
    pub trace: TraceIds,
    /// Value of `Preference-Applied`.
    pub preference_applied: Option<String>,
    /// The error that it is, whose headers the host adds.
    pub error: Option<Error>,
}

impl fmt::Debug for MockReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockReply")
            .field("status", &self.status)
            .field("body", &self.body.as_deref().map(String::from_utf8_lossy))
            .field("trace", &self.trace)
            .field("preference_applied", &self.preference_applied)
            .field("error", &self.error)
            .finish()
    }
}
