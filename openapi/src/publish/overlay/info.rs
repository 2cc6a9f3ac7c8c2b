//! The head of the descriptor: what it is, where it is served, and whom to ask.

use crate::publish::PublishError;
use crate::{Contract, Host};
use serde_json::{Value, json};

/// Writes `info`, `servers` and `externalDocs`.
pub(super) fn describe(contract: &Contract, document: &mut Value) -> Result<(), PublishError> {
    let publication = &contract.publication;
    let ((contact, contact_url), (licence, licence_url)) = (publication.contact, publication.licence);
    let document = document
        .as_object_mut()
        .ok_or_else(|| PublishError::Shape("the document is not an object".to_owned()))?;
    document.insert(
        "info".to_owned(),
        json!({
            "title": contract.title,
            "version": contract.version,
            "description": publication.description,
            "contact": { "name": contact, "url": contact_url },
            "license": { "name": licence, "url": licence_url },
        }),
    );
    // Tools that know one server take the first: the sandbox, where a mistake has no effect.
    document.insert("servers".to_owned(), contract.hosts.iter().rev().copied().map(server).collect());
    document.insert(
        "externalDocs".to_owned(),
        json!({ "description": "Documentation for people", "url": contract.addresses.service_doc }),
    );
    Ok(())
}

/// A host as a server object.
pub(in crate::publish) fn server(host: Host) -> Value {
    json!({ "url": host.public_url(), "description": host.description() })
}
