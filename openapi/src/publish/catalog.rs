//! The API catalogue document (RFC 9727).

use super::PublishError;
use crate::Contract;
use crate::types::discovery::{ApiCatalog, ApiCatalogEntry, Link};
use serde_json::Value;

/// The link set that points at the descriptors of a contract.
pub fn catalog(contract: &Contract) -> Result<Value, PublishError> {
    let link = |href: String, media_type: &str| Link { href, media_type: media_type.to_owned() };
    let base = contract.documents_host.public_url();
    let publication = &contract.publication;
    let catalog = ApiCatalog {
        linkset: vec![ApiCatalogEntry {
            anchor: format!("{base}/"),
            service_desc: publication
                .service_desc
                .iter()
                .map(|(path, media_type)| link(format!("{base}{path}"), media_type))
                .collect(),
            service_doc: vec![link(publication.service_doc.to_owned(), "text/html")],
        }],
    };
    serde_json::to_value(catalog).map_err(|error| PublishError::Shape(error.to_string()))
}
