//! GraphQL documents, the same for whoever serves them: one normal form and one parser. Whether a document is approved
//! and what answers it is not decided here.
//!
//! - `normal_form`: what is left of a document when everything that does not matter is gone, and its hash
//! - `document`: a document of one query, parsed (feature `graphql`)
//! - `limits`: how much a document may ask for (feature `graphql`)

#[cfg(feature = "graphql")]
mod document;
#[cfg(feature = "graphql")]
mod limits;
mod normal_form;

#[cfg(feature = "graphql")]
pub use async_graphql_parser::types as syntax;
#[cfg(feature = "graphql")]
pub use async_graphql_value as value;
#[cfg(feature = "graphql")]
pub use document::{Document, Unreadable};
#[cfg(feature = "graphql")]
pub use limits::{Exceeded, Limits};
pub use normal_form::{DocumentHash, NormalForm, TYPE_NAME};
