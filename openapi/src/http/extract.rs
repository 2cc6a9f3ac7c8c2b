//! Extractors that never fail by themselves.
//!
//! dropshot runs extractors before the handler, and the handler opens the gate. An extractor that
//! failed would answer a caller who has not shown a token, without our headers. So these keep the
//! outcome, or the unread body, until the handler asks for it through the open gate. How bytes become
//! contract types lives in [`crate::read`].

use crate::read::MediaType;
use crate::types::error::{Error, ErrorCode};
use ::http::HeaderValue;
use ::http::header::CONTENT_TYPE;
use dropshot::{
    ApiEndpointBodyContentType, ExclusiveExtractor, ExtractorMetadata, HttpError, RequestContext,
    ServerContext, SharedExtractor, TypedBody,
};
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
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
    unread: dropshot::Body,
    parsed: PhantomData<fn() -> T>,
}

impl<T> Body<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    /// Whether the request surely has no body.
    pub fn is_empty(&self) -> bool {
        hyper::body::Body::is_end_stream(&self.unread)
    }

    /// Reads and parses the body as the media type that the operation takes; a body without a
    /// `Content-Type` is taken for that type.
    ///
    /// Errors: `unsupported_media_type`, `body_too_large`, `invalid_request` with line and column.
    pub async fn read<Context: ServerContext>(self, rqctx: &RequestContext<Context>) -> Result<T, Error> {
        let media_type = media_type(&rqctx.endpoint.body_content_type);
        media_type.accept(rqctx.request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes))?;
        let bytes = read_within(self.unread, rqctx.request_body_max_bytes()).await?;
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

/// How long a body may take to arrive in whole. It is cut off then: a caller must not hold a connection
/// and a handler for as long as it likes.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Reads the body, which may have `most` bytes: as many as it declares, and as many as arrive. dropshot's
/// own reader takes it for a bad request when there are more, and reads on to the end, wherever that is.
async fn read_within(body: dropshot::Body, most: usize) -> Result<Vec<u8>, Error> {
    let declared = hyper::body::Body::size_hint(&body).lower();
    if usize::try_from(declared).map_or(true, |declared| declared > most) {
        return Err(too_large(most));
    }
    let whole = tokio::time::timeout(BODY_TIME_MAX, read_frames(body, most)).await;
    whole.unwrap_or_else(|_| {
        let seconds = BODY_TIME_MAX.as_secs();
        Err(Error {
            error_code: ErrorCode::RequestTimeout,
            message: format!("the body did not arrive in whole within {seconds} seconds"),
        })
    })
}

async fn read_frames(mut body: dropshot::Body, most: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error {
            error_code: ErrorCode::InvalidRequest,
            message: "the body ended before it was complete".to_owned(),
        })?;
        // Trailers mean nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large(most: usize) -> Error {
    Error { error_code: ErrorCode::BodyTooLarge, message: format!("the body may have at most {most} bytes") }
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
        Ok(Self { unread: request.into_body(), parsed: PhantomData })
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        <TypedBody<T> as ExclusiveExtractor>::metadata(content_type)
    }
}

#[cfg(test)]
mod tests {
    use super::{BODY_TIME_MAX, read_within};
    use crate::types::error::ErrorCode;
    use hyper::body::{Body, Bytes, Frame};
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// A body that begins and never ends.
    struct Stalled(Option<Bytes>);

    impl Body for Stalled {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_in_time_is_given_up() {
        let began = tokio::time::Instant::now();
        let body = dropshot::Body::wrap(Stalled(Some(Bytes::from_static(b"{"))));
        let error = read_within(body, 1024).await.expect_err("it never ends");
        assert_eq!(error.error_code, ErrorCode::RequestTimeout);
        assert_eq!(error.error_code.status(), 408);
        assert!(error.message.contains("30 seconds"), "{}", error.message);
        assert!(began.elapsed() >= BODY_TIME_MAX && began.elapsed() < 2 * BODY_TIME_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_whole_is_read_without_waiting() {
        let body = dropshot::Body::with_content("{}");
        assert_eq!(read_within(body, 1024).await.expect("it is whole"), b"{}");
    }
}
