//! How the contract's error satisfies dropshot. Errors that a caller can cause are sent as replies,
//! because only a reply carries headers; what passes here is a fault of this side.

use crate::types::error::{Error, ErrorCode};
use dropshot::{ErrorStatusCode, HttpError, HttpResponseError};
use std::fmt;

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        let error_code = match error.status_code.as_u16() {
            413 => ErrorCode::BodyTooLarge,
            status if status < 500 => ErrorCode::InvalidRequest,
            503 => ErrorCode::Unavailable,
            _ => ErrorCode::Internal,
        };
        Self { error_code, message: error.external_message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_code, self.message)
    }
}

impl HttpResponseError for Error {
    fn status_code(&self) -> ErrorStatusCode {
        ErrorStatusCode::from_u16(self.error_code.status()).unwrap_or(ErrorStatusCode::INTERNAL_SERVER_ERROR)
    }
}
