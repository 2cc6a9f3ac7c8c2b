//! The one error of the domain modules. What a caller may read and what an operator needs are kept
//! apart: the second goes to the log, once, where the reply is built.

use argus_openapi::types::error::ErrorCode;
use http::{HeaderName, HeaderValue};
use std::fmt;

/// Why an operation did not succeed.
#[derive(Debug)]
pub struct Problem {
    /// Stable reason; it decides the HTTP status.
    pub code: ErrorCode,
    /// What the caller should change.
    pub message: String,
    /// Headers that belong to the error.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For the operator's log only.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Outcome of a domain function.
pub type Outcome<T> = Result<T, Problem>;

impl Problem {
    /// A problem that the caller can read in full.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), headers: Vec::new(), cause: None }
    }

    /// The request does not fit the contract.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    /// The resource does not exist for this caller.
    pub fn not_found(resource: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("no such {resource}"))
    }

    /// A fault of this side, which the caller cannot mend.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(ErrorCode::Internal, "a fault on this side; the trace id finds it in the logs")
        }
    }

    /// A backend is out of reach.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            cause: Some(cause.into()),
            headers: vec![(http::header::RETRY_AFTER, HeaderValue::from_static("1"))],
            ..Self::new(ErrorCode::Unavailable, "a backend is out of reach; try again later")
        }
    }

    /// Adds a header to the error reply.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
