//! The API catalogue document (RFC 9727).

use super::PublishError;
use crate::Host;
use crate::types::discovery::{ApiCatalog, ApiCatalogEntry, Link};
use serde_json::Value;

/// Documentation for people.
pub const SERVICE_DOC: &str = "https://knogin.com/en/docs/api-reference";

/// The link set that points at the descriptors.
pub fn catalog() -> Result<Value, PublishError> {
    let link = |href: String, media_type: &str| Link { href, media_type: media_type.to_owned() };
    let base = Host::Api.public_url();
    let catalog = ApiCatalog {
        linkset: vec![ApiCatalogEntry {
            anchor: format!("{base}/"),
            service_desc: vec![
                link(format!("{base}/.well-known/openapi.json"), "application/json"),
                link(format!("{base}/.well-known/openapi.yaml"), "application/yaml"),
            ],
            service_doc: vec![link(SERVICE_DOC.to_owned(), "text/html")],
        }],
    };
    serde_json::to_value(catalog).map_err(|error| PublishError::Shape(error.to_string()))
}
