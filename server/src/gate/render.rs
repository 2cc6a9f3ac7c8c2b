//! What handlers return, as responses: contract types as JSON, documents as they are, mocks as the
//! sandbox made them.

use super::entry::Entry;
use crate::download::Download;
use argus_openapi::headers::{self, Document};
use argus_openapi::http::{DocumentReply, EmptyReply, FromStamped, Reply};
use argus_wire::trace_context::TraceIds;
use bytes::Bytes;
use http::{HeaderValue, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// A response without the standard headers.
pub struct Rendered {
    pub(super) response: Response<dropshot::Body>,
    /// Set when the reply has a trace of its own.
    pub(super) trace: Option<TraceIds>,
}

impl Rendered {
    pub(super) fn of(response: Response<dropshot::Body>) -> Self {
        Self { response, trace: None }
    }
}

/// What a handler can return where the contract wants an `R`.
pub trait Render<R: FromStamped> {
    /// The response.
    fn render(self, entry: &Entry<'_>) -> Rendered;
}

impl<T, const STATUS: u16> Render<Reply<T, STATUS>> for T
where
    T: JsonSchema + Serialize + Send + Sync + 'static,
{
    fn render(self, entry: &Entry<'_>) -> Rendered {
        let mut response = headers::json(STATUS, &self);
        headers::keep(response.headers_mut(), entry.row.caching);
        Rendered::of(whole(response))
    }
}

/// What a handler answers with where the operation documents more than one success.
pub enum Success<T, U = T> {
    /// The one of the signature.
    Usual(T),
    /// One with another status, of the operation's row.
    Other(u16, U),
}

impl<T, U, const STATUS: u16> Render<Reply<T, STATUS>> for Success<T, U>
where
    T: JsonSchema + Serialize + Send + Sync + 'static,
    U: Serialize,
{
    fn render(self, entry: &Entry<'_>) -> Rendered {
        match self {
            Self::Usual(body) => Render::<Reply<T, STATUS>>::render(body, entry),
            Self::Other(status, body) => Rendered::of(whole(headers::json(status, &body))),
        }
    }
}

/// A success without a body, and its status.
pub struct Empty(pub u16);

impl Render<EmptyReply> for Empty {
    fn render(self, _: &Entry<'_>) -> Rendered {
        Rendered::of(response(self.0, None, None))
    }
}

impl Render<DocumentReply> for Document {
    fn render(self, _: &Entry<'_>) -> Rendered {
        Rendered::of(whole(self.into_response()))
    }
}

impl Render<DocumentReply> for Download {
    fn render(self, _: &Entry<'_>) -> Rendered {
        Rendered::of(self.into_response())
    }
}

/// What the sandbox has answered.
pub struct Mocked(pub(super) argus_sandbox::MockReply);

impl<R: FromStamped> Render<R> for Mocked {
    fn render(self, entry: &Entry<'_>) -> Rendered {
        let (response, trace) = argus_sandbox::responder::rendered(self.0, entry.row);
        Rendered { response: whole(response), trace: Some(trace) }
    }
}

/// The response with its body for dropshot.
pub(super) fn whole(response: Response<Bytes>) -> Response<dropshot::Body> {
    response.map(dropshot::Body::with_content)
}

/// A response that no cache may keep: it was made for one caller.
pub(super) fn response(
    status: u16,
    media_type: Option<HeaderValue>,
    body: Option<Bytes>,
) -> Response<dropshot::Body> {
    whole(headers::response(status, media_type, body))
}
