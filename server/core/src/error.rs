//! Why work of the core did not succeed. A product's domain has an error of its own, which takes this
//! one in; how a caller reads it is decided in the gate.

use crate::store;
use std::panic::Location;

/// Why work did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be carried out as it is; the text says what to change.
    #[error("{0}")]
    Invalid(String),
    /// The tenant has no such resource. The text is the resource's name.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A defect or a failure of this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<diesel::result::Error> for Error {
    #[track_caller]
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl store::Failure for Error {
    fn store_error(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// A failure of this side that no caller can mend, with the place where it arose.
#[derive(Debug, thiserror::Error)]
#[error("{cause} (at {place})")]
pub struct Fault {
    cause: Box<dyn std::error::Error + Send + Sync>,
    place: &'static Location<'static>,
}

impl Fault {
    /// A failure that arose where this is called.
    #[track_caller]
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: cause.into(), place: Location::caller() }
    }
}
