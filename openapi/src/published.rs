//! The generated documents, embedded as they are committed.

/// The published descriptor as JSON.
pub const DESCRIPTOR_JSON: &str = include_str!("../argus.json");

/// The published descriptor as YAML.
pub const DESCRIPTOR_YAML: &str = include_str!("../argus.yaml");
