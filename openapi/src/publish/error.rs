//! Why the published documents cannot be made.

use crate::deprecations::DeprecationError;
use std::fmt;

/// Why the published documents cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// The trait does not give a valid description.
    Description(String),
    /// A policy file cannot be read.
    Policy {
        /// The file, below `openapi/policy`.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The description holds an operation that the operation table does not know.
    UnknownOperation(String),
    /// The operation table publishes an operation that the description lacks.
    MissingOperation(&'static str),
    /// The operation table says that an operation is internal, and no denylist pattern matches it.
    NotDenied {
        /// The denylist, below `openapi/policy`.
        file: &'static str,
        /// The operation.
        operation: &'static str,
        /// Its method and path.
        route: String,
    },
    /// A denylist pattern matches an operation that the operation table publishes.
    WronglyDenied {
        /// The denylist, below `openapi/policy`.
        file: &'static str,
        /// The operation.
        operation: &'static str,
        /// Its method and path.
        route: String,
        /// The pattern.
        pattern: String,
    },
    /// The operation table and the trait disagree about an operation.
    Disagreement {
        /// The operation.
        operation: &'static str,
        /// About what.
        reason: String,
    },
    /// The document is not shaped as this step of the pipeline needs it.
    Shape(String),
}

impl From<DeprecationError> for PublishError {
    fn from(error: DeprecationError) -> Self {
        Self::Policy { file: error.file.to_owned(), reason: error.reason }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Description(reason) => write!(f, "the contract trait gives no valid description: {reason}"),
            Self::Policy { file, reason } => write!(f, "openapi/policy/{file}: {reason}"),
            Self::UnknownOperation(operation) => {
                write!(f, "operation `{operation}` is neither in the operation table nor denied")
            }
            Self::MissingOperation(operation) => {
                write!(f, "operation `{operation}` is in the operation table, but not in the trait")
            }
            Self::NotDenied { file, operation, route } => write!(
                f,
                "operation `{operation}` ({route}) is internal, but no pattern of openapi/policy/{file} matches it"
            ),
            Self::WronglyDenied { file, operation, route, pattern } => write!(
                f,
                "operation `{operation}` ({route}) is published, but openapi/policy/{file} denies it by `{pattern}`"
            ),
            Self::Disagreement { operation, reason } => {
                write!(f, "the operation table and the trait disagree about `{operation}`: {reason}")
            }
            Self::Shape(reason) => write!(f, "unexpected document: {reason}"),
        }
    }
}

impl std::error::Error for PublishError {}
