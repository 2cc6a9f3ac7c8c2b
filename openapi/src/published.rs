//! The generated documents, embedded as they are committed. `cargo xtask regen` writes them.

mod schemas;

pub use schemas::SCHEMAS;

/// The published descriptor as JSON.
pub const DESCRIPTOR_JSON: &str = include_str!("../argus.json");

/// The published descriptor as YAML.
pub const DESCRIPTOR_YAML: &str = include_str!("../argus.yaml");

/// The API catalogue (RFC 9727).
pub const API_CATALOG_JSON: &str = include_str!("../api-catalog.json");

/// A data schema: a JSON Schema 2020-12 document that refers to nothing outside itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedSchema {
    /// Stable identifier, as `argus.profile.v1`.
    pub id: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Operations that take, return or act on it, as `GET /v1/profiles/{id}`.
    pub operations: &'static [&'static str],
    /// The document.
    pub text: &'static str,
}

impl PublishedSchema {
    /// The schema with this identifier.
    pub fn find(id: &str) -> Option<&'static PublishedSchema> {
        SCHEMAS.iter().find(|schema| schema.id == id)
    }
}
