//! Deliveries as an extractor of axum, whose body is read to its bound and no further.

use super::{BODY_MAX_BYTES, Delivery, ReceiveError, Receiver};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;

impl<S> FromRequest<S> for Delivery
where
    Receiver: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ReceiveError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ReceiveError> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        Receiver::from_ref(state).receive(&parts.headers, &body)
    }
}

impl IntoResponse for ReceiveError {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}

async fn read(body: Body) -> Result<Bytes, ReceiveError> {
    let mut chunks = body.into_data_stream();
    let mut read = BytesMut::new();
    while let Some(chunk) = chunks.try_next().await.map_err(|_| ReceiveError::Unfinished)? {
        if read.len() + chunk.len() > BODY_MAX_BYTES {
            return Err(ReceiveError::TooLong);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}
