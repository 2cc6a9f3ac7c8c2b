//! Every published document, made ready once at start-up.

use super::Document;
use argus_openapi::published::{API_CATALOG_JSON, DESCRIPTOR_JSON, DESCRIPTOR_YAML, SCHEMAS};
use argus_openapi::{Host, Operation};
use http::HeaderValue;
use http::header::LINK;
use std::collections::HashMap;

/// The profile of RFC 9727, section 5.
const CATALOG_MEDIA_TYPE: &str =
    "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

/// The published documents.
pub struct Library {
    /// The descriptor as JSON.
    pub openapi_json: Document,
    /// The descriptor as YAML.
    pub openapi_yaml: Document,
    /// The API catalogue.
    pub api_catalog: Document,
    schemas: HashMap<&'static str, Document>,
}

impl Library {
    /// Computes the entity tags.
    pub fn load() -> Self {
        let media_type = |operation: Operation| operation.row().media_type;
        let catalog = Document::public(CATALOG_MEDIA_TYPE, API_CATALOG_JSON);
        let link = format!("<{}/.well-known/api-catalog>; rel=\"api-catalog\"", Host::Api.public_url());
        Self {
            openapi_json: Document::public(media_type(Operation::OpenapiJson), DESCRIPTOR_JSON),
            openapi_yaml: Document::public(media_type(Operation::OpenapiYaml), DESCRIPTOR_YAML),
            api_catalog: match HeaderValue::try_from(link) {
                Ok(link) => catalog.with_header(LINK, link),
                Err(_) => catalog,
            },
            schemas: SCHEMAS
                .iter()
                .map(|schema| {
                    (schema.id, Document::public(media_type(Operation::DataSchemaView), schema.text))
                })
                .collect(),
        }
    }

    /// The data schema in `<id>.json`.
    pub fn schema(&self, file: &str) -> Option<&Document> {
        file.strip_suffix(".json").and_then(|id| self.schemas.get(id))
    }
}
