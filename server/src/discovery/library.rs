//! Every published document, made ready once at start-up.

use super::{Document, Reference, ReferencePlaces};
use argus_openapi::published::Format;
use argus_openapi::types::discovery::{ApiCatalog, HostDocument};
use argus_openapi::{Contract, Operation};
use bytes::Bytes;
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
    /// The reference.
    pub reference: Reference,
    hosts: HashMap<HostDocument, Document>,
    schemas: HashMap<&'static str, Document>,
}

impl Library {
    /// Computes the entity tags. `docs_url` is where people find the documentation.
    pub fn new(contract: &Contract, docs_url: &str, places: &ReferencePlaces) -> Self {
        let documents = &contract.documents;
        let descriptor = |format: Format, text| Document::public(format.media_type(), text);
        let catalog = document(Operation::ApiCatalog, catalog(contract, docs_url));
        let host = contract.documents_host.public_url();
        let link = format!("<{host}/.well-known/api-catalog>; rel=\"api-catalog\"");
        Self {
            openapi_json: descriptor(Format::Json, documents.json),
            openapi_yaml: descriptor(Format::Yaml, documents.yaml),
            api_catalog: match HeaderValue::try_from(link) {
                Ok(link) => catalog.with_header(LINK, link),
                Err(_) => catalog,
            },
            reference: Reference::new(contract, places),
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
    pub fn host(&self, name: HostDocument) -> Option<&Document> {
        self.hosts.get(&name)
    }

    /// The data schema in `<id>.json`.
    pub fn schema(&self, file: &str) -> Option<&Document> {
        file.strip_suffix(".json").and_then(|id| self.schemas.get(id))
    }
}

/// The document of an operation that has one form.
fn document(operation: Operation, text: impl Into<Bytes>) -> Document {
    let form = operation.row().document.first();
    Document::public(form.map_or(Format::Json.media_type(), |form| form.media_type), text)
}

/// The catalogue as it is committed, or with another place of the documentation.
fn catalog(contract: &Contract, docs_url: &str) -> Bytes {
    let committed = Bytes::from_static(contract.documents.catalog.as_bytes());
    if docs_url == contract.addresses.service_doc {
        return committed;
    }
    let moved = serde_json::from_slice::<ApiCatalog>(&committed).and_then(|mut catalog| {
        for link in catalog.linkset.iter_mut().flat_map(|entry| &mut entry.service_doc) {
            docs_url.clone_into(&mut link.href);
        }
        // By way of a value, which has its members in the order of the committed file.
        serde_json::to_vec_pretty(&serde_json::to_value(catalog)?)
    });
    // What is committed is a catalogue, and tests read it.
    moved.map_or(committed, |mut text| {
        text.push(b'\n');
        text.into()
    })
}
