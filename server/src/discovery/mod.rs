//! What clients are told that ask where to get tokens. The published documents are `argus_openapi::headers`'s.

mod oauth_metadata;

pub use oauth_metadata::{issuer_path, oauth_metadata};
