//! The API catalogue document (RFC 9727).

use super::PublishError;
use crate::published::Format;
use crate::types::discovery::{ApiCatalog, ApiCatalogEntry, HostDocument, Link};
use crate::{Contract, Host};
use serde_json::Value;

/// The link set that points at the descriptors of a contract: an entry per host, first that of
/// the documents' host, which has the whole, too.
pub fn catalog(contract: &Contract) -> Result<Value, PublishError> {
    let home = contract.documents_host;
    let whole = Format::ALL.map(|format| link(contract, home, &format!(".{}", format.extension()), format));
    let others = contract.hosts.iter().filter(|host| **host != home);
    let mut linkset = vec![of_host(contract, home, whole.into())];
    linkset.extend(others.map(|host| of_host(contract, *host, Vec::new())));
    let catalog = ApiCatalog { linkset };
    serde_json::to_value(catalog).map_err(|error| PublishError::Shape(error.to_string()))
}

/// What describes a host: these descriptors and its own.
fn of_host(contract: &Contract, host: Host, mut service_desc: Vec<Link>) -> ApiCatalogEntry {
    let own = |format| link(contract, host, &format!("/{}", HostDocument { host, format }), format);
    service_desc.extend(Format::ALL.map(own));
    ApiCatalogEntry {
        anchor: format!("{}/", host.public_url()),
        service_desc,
        service_doc: vec![Link {
            href: contract.addresses.service_doc.to_owned(),
            media_type: "text/html".to_owned(),
        }],
    }
}

/// A descriptor that the host serves.
fn link(contract: &Contract, host: Host, rest: &str, format: Format) -> Link {
    let href = format!("{}{}{rest}", host.public_url(), contract.publication.service_desc);
    Link { href, media_type: format.media_type().to_owned() }
}
