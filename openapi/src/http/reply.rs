//! Replies whose status, headers and body are chosen at run time, and whose documentation comes
//! from their type.

use crate::headers::StandardHeaders;
use ::http::{Response, StatusCode};
use dropshot::{
    ApiEndpointResponse, Body, FreeformBody, HttpError, HttpResponse, HttpResponseDeleted, HttpResponseOk,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::marker::PhantomData;

/// A response that surely carries the standard headers.
pub struct Stamped(Response<Body>);

impl Stamped {
    /// Stamps a response.
    pub fn new(headers: StandardHeaders, mut response: Response<Body>) -> Self {
        headers.stamp(response.headers_mut());
        Self(response)
    }
}

/// A reply type of the trait.
pub trait FromStamped: HttpResponse {
    /// The reply that sends this response.
    fn from_stamped(response: Stamped) -> Self;
}

/// A JSON reply: `T` with status `STATUS`, unless the operation table documents another.
pub struct Reply<T, const STATUS: u16>(Stamped, PhantomData<fn() -> T>);

/// A reply with a document of some other media type.
pub struct DocumentReply(Stamped);

/// A reply with status 204 and no body, unless the operation table documents another.
pub struct EmptyReply(Stamped);

impl<T: JsonSchema + Serialize + Send + Sync + 'static, const STATUS: u16> FromStamped for Reply<T, STATUS> {
    fn from_stamped(response: Stamped) -> Self {
        Self(response, PhantomData)
    }
}

impl<T: JsonSchema + Serialize + Send + Sync + 'static, const STATUS: u16> HttpResponse for Reply<T, STATUS> {
    fn to_result(self) -> Result<Response<Body>, HttpError> {
        Ok(self.0.0)
    }

    fn response_metadata() -> ApiEndpointResponse {
        ApiEndpointResponse {
            success: StatusCode::from_u16(STATUS).ok(),
            ..HttpResponseOk::<T>::response_metadata()
        }
    }

    fn status_code(&self) -> StatusCode {
        self.0.0.status()
    }
}

/// A reply to a browser: a page, or the way to another one. Its status is chosen at run time.
pub struct PageReply(Stamped);

/// A reply to a browser that sends it on with status 302, or a page that says why not.
pub struct RedirectReply(Stamped);

/// What dropshot is to say of it: nothing but the status.
struct Found;

impl Found {
    fn response_metadata() -> ApiEndpointResponse {
        ApiEndpointResponse { success: Some(StatusCode::FOUND), ..HttpResponseDeleted::response_metadata() }
    }
}

macro_rules! untyped_reply {
    ($reply:ident, $metadata:ty) => {
        impl FromStamped for $reply {
            fn from_stamped(response: Stamped) -> Self {
                Self(response)
            }
        }

        impl HttpResponse for $reply {
            fn to_result(self) -> Result<Response<Body>, HttpError> {
                Ok(self.0.0)
            }

            fn response_metadata() -> ApiEndpointResponse {
                <$metadata>::response_metadata()
            }

            fn status_code(&self) -> StatusCode {
                self.0.0.status()
            }
        }
    };
}

untyped_reply!(DocumentReply, HttpResponseOk<FreeformBody>);
untyped_reply!(PageReply, HttpResponseOk<FreeformBody>);
untyped_reply!(RedirectReply, Found);
untyped_reply!(EmptyReply, HttpResponseDeleted);
