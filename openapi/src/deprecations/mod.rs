//! The deprecation matrix of a contract: what will go, since when that is known, when it goes and what to use
//! instead. It is a policy file, of which the gate makes headers and the descriptor its `x-` member; a break that no
//! release of it has announced does not pass the gate of `cargo xtask regen --check`. How a line is read and checked
//! stands in [`entry`], what it says in headers in [`headers`].

mod entry;
mod headers;

pub use entry::{Deprecation, Successor};
pub use headers::{DEPRECATION, SUNSET, successor_link};

use crate::Contract;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The lines of the matrix, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deprecations(Vec<Deprecation>);

/// Why a matrix cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeprecationError {
    /// The file, below `openapi/policy`.
    pub file: &'static str,
    /// Which line and member, and what to change there.
    pub reason: String,
}

impl fmt::Display for DeprecationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "openapi/policy/{}: {}", self.file, self.reason)
    }
}

impl std::error::Error for DeprecationError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    deprecations: Vec<Value>,
}

impl Deprecations {
    /// The matrix of a contract.
    pub fn of(contract: &Contract) -> Result<Self, DeprecationError> {
        let file = contract.deprecations;
        Self::read(contract, file.text).map_err(|reason| DeprecationError { file: file.name, reason })
    }

    fn read(contract: &Contract, text: &str) -> Result<Self, String> {
        let matrix: Matrix = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut entries: Vec<Deprecation> = Vec::with_capacity(matrix.deprecations.len());
        for (position, value) in matrix.deprecations.into_iter().enumerate() {
            let explain = |reason| format!("deprecations[{position}]{reason}");
            let read = Deprecation::read(contract, value).map_err(explain)?;
            if let Some(earlier) = entries.iter().position(|entry| entry.is_about_the_same(&read)) {
                return Err(explain(format!(".operation: deprecations[{earlier}] is about the same")));
            }
            entries.push(read);
        }
        Ok(Self(entries))
    }

    /// Every line.
    pub fn iter(&self) -> impl Iterator<Item = &Deprecation> {
        self.0.iter()
    }

    /// The line by which a whole operation is deprecated. What is said of a part of it has no headers: they speak of
    /// the resource (RFC 9745, section 2).
    pub fn of_operation(&self, id: &str) -> Option<&Deprecation> {
        self.0.iter().find(|entry| entry.operation == id && entry.part.is_none())
    }
}
