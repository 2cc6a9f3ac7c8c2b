//! The published documents as they are served: entity tags, conditional requests, caching, CORS.

mod document;
mod library;
mod oauth_metadata;
mod reference;

pub use document::{Document, keep, lists_others, open_to_all};
pub use library::Library;
pub use oauth_metadata::{issuer_path, oauth_metadata, protected_resource};
pub use reference::{Reference, ReferencePlaces};
