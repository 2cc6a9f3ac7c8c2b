//! Extractors that never fail by themselves.
//!
//! dropshot runs extractors before the handler, and the handler opens the gate. An extractor that
//! failed would answer a caller who has not shown a token, without our headers. So these keep the
//! outcome, or the unread body, until the handler asks for it through the open gate. How bytes become
//! contract types lives in [`crate::read`].

use super::unread::Unread;
use crate::read::{MediaType, Readable};
use crate::types::error::Error;
use ::http::HeaderValue;
use ::http::header::CONTENT_TYPE;
use dropshot::{
    ApiEndpointBodyContentType, ExclusiveExtractor, ExtractorMetadata, HttpError, RequestContext,
    ServerContext, SharedExtractor, TypedBody, UntypedBody,
};
use hyper::body::Bytes;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::de::{Deserialize, Deserializer, Error as _};
use std::marker::PhantomData;
use std::time::Duration;

/// A path or query extractor whose error waits for the handler.
pub struct Checked<E>(Result<E, HttpError>);

impl<E> Checked<E> {
    /// The extracted value, or why there is none.
    pub fn into_result(self) -> Result<E, Error> {
        self.0.map_err(Error::from)
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

/// Headers that a signature documents and nobody extracts: the handler reads them from the request.
///
/// dropshot's extractor fails at any header that is no text, takes the last one of several, and copies
/// every header of the request to find these.
pub struct Documented<E>(PhantomData<fn() -> E>);

#[async_trait::async_trait]
impl<E: SharedExtractor> SharedExtractor for Documented<E> {
    async fn from_request<Context: ServerContext>(_: &RequestContext<Context>) -> Result<Self, HttpError> {
        Ok(Self(PhantomData))
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <E as SharedExtractor>::metadata(content_type)
    }
}

/// A request body that is read only when the handler asks for it. The request's headers are not kept
/// beside it: the request context has them, and this value is moved often.
pub struct Body<T> {
    unread: Unread,
    parsed: PhantomData<fn() -> T>,
}

impl<T> Body<T>
where
    T: JsonSchema + Readable + Send + Sync + 'static,
{
    /// What was not read of it.
    pub fn into_unread(self) -> Unread {
        self.unread
    }

    /// Whether the request surely has no body.
    pub fn is_empty(&self) -> bool {
        self.unread.is_over()
    }

    /// Reads and parses the body as the media type that the operation takes; a body without a
    /// `Content-Type` is taken for that type. It must be there in whole within `limit`.
    ///
    /// Errors: `unsupported_media_type`, `body_too_large`, `request_timeout`, `invalid_request` with line and
    /// column.
    pub async fn read<Context: ServerContext>(
        &mut self,
        rqctx: &RequestContext<Context>,
        limit: Duration,
    ) -> Result<T, Error> {
        let media_type = media_type(&rqctx.endpoint.body_content_type);
        media_type.accept(rqctx.request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes))?;
        let bytes = self.unread.read(rqctx.request_body_max_bytes(), limit).await?;
        media_type.parse(&bytes)
    }
}

fn media_type(documented: &ApiEndpointBodyContentType) -> MediaType {
    match documented {
        ApiEndpointBodyContentType::UrlEncoded => MediaType::Form,
        // `TypedBody`, which documents our bodies, knows no third.
        _ => MediaType::Json,
    }
}

#[async_trait::async_trait]
impl<T> ExclusiveExtractor for Body<T>
where
    T: JsonSchema + Readable + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _: &RequestContext<Context>,
        request: hyper::Request<dropshot::Body>,
    ) -> Result<Self, HttpError> {
        Ok(Self { unread: Unread::of(request.into_body()), parsed: PhantomData })
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <TypedBody<Shape<T>> as ExclusiveExtractor>::metadata(content_type)
    }
}

/// The shape of a body for dropshot's documentation. dropshot documents what serde reads; a body is read by
/// [`Body::read`] alone, and nothing is ever read as this.
struct Shape<T>(PhantomData<fn() -> T>);

impl<'de, T> Deserialize<'de> for Shape<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("a body is read as its contract type"))
    }
}

impl<T: JsonSchema> JsonSchema for Shape<T> {
    fn schema_name() -> String {
        T::schema_name()
    }

    fn is_referenceable() -> bool {
        T::is_referenceable()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A request body that is taken as it comes, for whoever keeps it elsewhere. Its media type is the sender's
/// business.
pub struct Upload(Unread);

impl Upload {
    /// What was not read of it.
    pub fn into_unread(self) -> Unread {
        self.0
    }

    /// How many bytes it has at least, as far as the sender has said.
    pub fn least(&self) -> u64 {
        self.0.least()
    }

    /// The next bytes, or none at the end.
    ///
    /// Errors: `request_timeout` where the sender is silent for longer than `limit`, `invalid_request` where
    /// the body breaks off.
    pub async fn next(&mut self, limit: Duration) -> Result<Option<Bytes>, Error> {
        self.0.next(limit).await
    }
}

#[async_trait::async_trait]
impl ExclusiveExtractor for Upload {
    async fn from_request<Context: ServerContext>(
        _: &RequestContext<Context>,
        request: hyper::Request<dropshot::Body>,
    ) -> Result<Self, HttpError> {
        Ok(Self(Unread::of(request.into_body())))
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <UntypedBody as ExclusiveExtractor>::metadata(content_type)
    }
}
