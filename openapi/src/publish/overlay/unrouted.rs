//! Responses to requests that no operation takes. They have no place below `paths`, so an extension of the
//! document has them.

use super::headers;
use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::{Object, entry, object_mut};
use serde_json::{Value, json};

/// The statuses with which such a request is answered, and when.
const STATUSES: [(u16, &str); 3] = [
    (
        400,
        "The path is not percent-encoded UTF-8 without empty or dot segments, or `Host` is missing, repeated or invalid.",
    ),
    (404, "The host has no such path."),
    (405, "The path takes other methods; `Allow` lists them."),
];

/// Says how such requests are answered: with the contract's error, and the response's identifier in it.
pub(super) fn describe(contract: &Contract, document: &mut Value) -> Result<(), PublishError> {
    let name = contract.error.name;
    let responses: Object = STATUSES
        .iter()
        .map(|(status, description)| {
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            let response = json!({
                "description": description,
                "headers": headers::unrouted(contract, *status),
                "content": { "application/json": { "schema": schema } },
            });
            (status.to_string(), response)
        })
        .collect();
    document[format!("x-{}-unrouted", contract.name)] = Value::Object(responses);
    let schemas = entry(object_mut(document, "components")?, "schemas")?;
    let error = schemas.get_mut(name).and_then(|error| error.get_mut("properties"));
    let error = error.ok_or_else(|| PublishError::Shape(format!("`{name}` has no properties")))?;
    error["request_id"] = json!({
        "description": "The response's `X-Request-ID`; only where the request was refused before its operation was \
            found: 404 and 405 of no operation, a malformed path, an invalid `Host`.",
        "type": "string",
    });
    Ok(())
}
