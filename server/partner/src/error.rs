//! Why an operation of this product did not succeed. Statuses and headers are the gate's business.

use argus_core::{Fault, store};
use argus_openapi::types::error::ErrorCode;
use std::error::Error as StdError;

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller must change something. The code is part of the contract.
    #[error("{message}")]
    Refused {
        /// Stable reason.
        code: ErrorCode,
        /// What the caller should change.
        message: String,
    },
    /// The core did not do it.
    #[error(transparent)]
    Core(argus_core::Error),
}

impl Error {
    /// A refusal that the caller can read in full.
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    /// The request does not fit the contract.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::refused(ErrorCode::InvalidRequest, message)
    }

    /// A failure of this side that arose where this is called.
    #[track_caller]
    pub fn fault(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Core(Fault::new(cause).into())
    }
}

impl<E: Into<argus_core::Error>> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::Core(error.into())
    }
}

impl store::Failure for Error {
    fn store_error(&self) -> Option<&store::Error> {
        match self {
            Self::Core(error) => error.store_error(),
            Self::Refused { .. } => None,
        }
    }
}
