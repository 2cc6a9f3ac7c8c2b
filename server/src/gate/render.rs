//! What handlers return, as responses: contract types as JSON, documents as they are, mocks as the
//! sandbox made them.

use super::entry::Entry;
use super::refusal;
use crate::discovery::{self, Document};
use crate::download::Download;
use argus_openapi::http::{DocumentReply, EmptyReply, FromStamped, Reply};
use argus_wire::trace_context::TraceIds;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

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
        let mut response = json(STATUS, &self);
        discovery::keep(response.headers_mut(), entry.row.caching);
        Rendered::of(response)
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
            Self::Other(status, body) => Rendered::of(json(status, &body)),
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
        Rendered::of(self.into_response())
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
        let Self(mock) = self;
        let media_type = mock.body.is_some().then_some(JSON);
        let mut response = response(mock.status, media_type, mock.body);
        if let Some(applied) = mock.preference_applied.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
        }
        // What is refused in a mock looks as it would without.
        if let Some(error) = &mock.error {
            response.headers_mut().extend(refusal::header(error, entry.row));
        }
        Rendered { response, trace: Some(mock.trace) }
    }
}

/// A JSON response.
pub(super) fn json<T: Serialize>(status: u16, body: &T) -> Response<dropshot::Body> {
    // Room for nearly every body.
    let mut bytes = Vec::with_capacity(512);
    let outcome = serde_json::to_writer(&mut bytes, body);
    written(status, outcome.map(|()| bytes))
}

/// A JSON response of what was written.
pub(super) fn written(status: u16, body: serde_json::Result<Vec<u8>>) -> Response<dropshot::Body> {
    match body {
        Ok(bytes) => response(status, Some(JSON), Some(bytes.into())),
        // Contract types always serialise; a map with a key that is not text would not.
        Err(_) => response(500, None, None),
    }
}

/// A response that no cache may keep: it was made for one caller.
pub(super) fn response(
    status: u16,
    media_type: Option<HeaderValue>,
    body: Option<Bytes>,
) -> Response<dropshot::Body> {
    let mut response = Response::new(body.map_or_else(dropshot::Body::empty, dropshot::Body::with_content));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Room for all that the wrapper and dropshot add.
    *response.headers_mut() = HeaderMap::with_capacity(10);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Some(media_type) = media_type {
        headers.insert(CONTENT_TYPE, media_type);
    }
    response
}
