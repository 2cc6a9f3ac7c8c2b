//! Every published document, made ready once at start-up.

use super::Document;
use crate::published::Format;
use crate::types::discovery::HostDocument;
use crate::types::error::{Error, ErrorCode};
use crate::{Contract, Operation};
use http::HeaderValue;
use http::header::LINK;
use std::collections::HashMap;

/// The published documents.
#[derive(Clone, Debug)]
pub struct Library {
    /// The descriptor as JSON.
    pub openapi_json: Document,
    /// The descriptor as YAML.
    pub openapi_yaml: Document,
    /// The API catalogue.
    pub api_catalog: Document,
    hosts: HashMap<HostDocument, Document>,
    schemas: HashMap<&'static str, Document>,
}

impl Library {
    /// Computes the entity tags.
    pub fn new(contract: &Contract) -> Self {
        let documents = &contract.documents;
        let descriptor = |format: Format, text| Document::public(format.media_type(), text);
        let catalog = document(Operation::ApiCatalog, documents.catalog);
        let host = contract.documents_host.public_url();
        let link = format!("<{host}/.well-known/api-catalog>; rel=\"api-catalog\"");
        Self {
            openapi_json: descriptor(Format::Json, documents.json),
            openapi_yaml: descriptor(Format::Yaml, documents.yaml),
            api_catalog: match HeaderValue::try_from(link) {
                Ok(link) => catalog.with_header(LINK, link),
                Err(_) => catalog,
            },
            hosts: documents
                .hosts
                .iter()
                .flat_map(|of| {
                    Format::ALL.map(|format| (HostDocument { host: of.host, format }, of.text(format)))
                })
                .map(|(name, text)| (name, descriptor(name.format, text)))
                .collect(),
            schemas: documents
                .schemas
                .iter()
                .map(|schema| (schema.id, document(Operation::DataSchemaView, schema.text)))
                .collect(),
        }
    }

    /// The descriptor of a host.
    ///
    /// # Errors
    ///
    /// `not_found`, with the names that there are, where the path has none.
    pub fn host(&self, name: Option<HostDocument>) -> Result<&Document, Error> {
        name.and_then(|name| self.hosts.get(&name)).ok_or_else(|| {
            let names: Vec<String> = HostDocument::all().map(|name| name.to_string()).collect();
            not_found(format!("no such descriptor; there are {}", names.join(", ")))
        })
    }

    /// The data schema in `<id>.json`.
    ///
    /// # Errors
    ///
    /// `not_found`
    pub fn schema(&self, file: &str) -> Result<&Document, Error> {
        let schema = file.strip_suffix(".json").and_then(|id| self.schemas.get(id));
        schema.ok_or_else(|| not_found("no such data schema".to_owned()))
    }
}

fn not_found(message: String) -> Error {
    Error { error_code: ErrorCode::NotFound, message }
}

/// The document of an operation that has one form.
fn document(operation: Operation, text: &'static str) -> Document {
    let form = operation.row().document.first();
    Document::public(form.map_or(Format::Json.media_type(), |form| form.media_type), text)
}
