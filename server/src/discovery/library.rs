//! Every published document, made ready once at start-up.

use super::Document;
use argus_openapi::{Contract, Operation};
use http::HeaderValue;
use http::header::LINK;
use std::collections::HashMap;

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
    pub fn new(contract: &Contract) -> Self {
        let media_type = |operation: Operation| operation.row().media_type;
        let documents = &contract.documents;
        let catalog = Document::public(media_type(Operation::ApiCatalog), documents.catalog);
        let host = contract.documents_host.public_url();
        let link = format!("<{host}/.well-known/api-catalog>; rel=\"api-catalog\"");
        Self {
            openapi_json: Document::public(media_type(Operation::OpenapiJson), documents.json),
            openapi_yaml: Document::public(media_type(Operation::OpenapiYaml), documents.yaml),
            api_catalog: match HeaderValue::try_from(link) {
                Ok(link) => catalog.with_header(LINK, link),
                Err(_) => catalog,
            },
            schemas: documents
                .schemas
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
