//! Extractors that never fail by themselves.
//!
//! dropshot runs extractors before the handler, and the handler opens the gate. An extractor that
//! failed would answer a caller who has not shown a token, without our headers. So these keep the
//! outcome, or the unread body, until the handler asks for it through the open gate.

use dropshot::{
    ApiEndpointBodyContentType, ExclusiveExtractor, ExtractorMetadata, HttpError, RequestContext,
    ServerContext, SharedExtractor, TypedBody,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A path, query or header extractor whose error waits for the handler.
pub struct Checked<E>(Result<E, HttpError>);

impl<E> Checked<E> {
    /// The extracted value, or why there is none.
    pub fn into_result(self) -> Result<E, HttpError> {
        self.0
    }
}

#[async_trait::async_trait]
impl<E: SharedExtractor> SharedExtractor for Checked<E> {
    async fn from_request<Context: ServerContext>(
        rqctx: &RequestContext<Context>,
    ) -> Result<Self, HttpError> {
        Ok(Self(E::from_request(rqctx).await))
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <E as SharedExtractor>::metadata(content_type)
    }
}

/// A request body that is read only when the handler asks for it.
pub struct Body<T> {
    request: hyper::Request<dropshot::Body>,
    body: PhantomData<fn() -> T>,
}

impl<T> Body<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    /// The request headers.
    pub fn headers(&self) -> &::http::HeaderMap {
        self.request.headers()
    }

    /// Whether the request surely has no body.
    pub fn is_empty(&self) -> bool {
        hyper::body::Body::is_end_stream(self.request.body())
    }

    /// Reads and parses the body.
    pub async fn read<Context: ServerContext>(self, rqctx: &RequestContext<Context>) -> Result<T, HttpError> {
        TypedBody::from_request(rqctx, self.request).await.map(TypedBody::into_inner)
    }
}

#[async_trait::async_trait]
impl<T> ExclusiveExtractor for Body<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _: &RequestContext<Context>,
        request: hyper::Request<dropshot::Body>,
    ) -> Result<Self, HttpError> {
        Ok(Self { request, body: PhantomData })
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <TypedBody<T> as ExclusiveExtractor>::metadata(content_type)
    }
}
