//! The errors that mocks have in common.

use argus_openapi::types::error::{Error, ErrorCode};

/// The resource does not exist.
pub(crate) fn not_found(resource: &str) -> Error {
    Error { error_code: ErrorCode::NotFound, message: format!("no such {resource}") }
}

/// The request does not fit the contract.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error { error_code: ErrorCode::InvalidRequest, message: message.into() }
}

/// The resource is in a state that forbids the operation.
pub(crate) fn conflict(message: &str) -> Error {
    Error { error_code: ErrorCode::Conflict, message: message.to_owned() }
}
