//! From the bytes of a request to contract types, and what a caller reads whose request does not fit:
//! which part, and what would. Pure code without an HTTP type, so that whoever answers for the contract
//! gives the same answers. How the bytes arrive does not live here.

mod body;
mod bounds;
mod header;
mod query;
mod quotation;
mod request;

pub use body::{MediaType, Readable};
pub use bounds::within_bounds;
pub use header::{header, header_text, single_header};
pub use query::query;
pub use quotation::quoted;
pub use request::RequestParts;

use crate::types::error::{Error, ErrorCode};

/// More was sent than is taken.
pub fn too_large(most: usize) -> Error {
    Error { error_code: ErrorCode::BodyTooLarge, message: format!("the body may have at most {most} bytes") }
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error { error_code: ErrorCode::InvalidRequest, message: message.into() }
}
