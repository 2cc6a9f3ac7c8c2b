//! The request body: what the signature says of it and what the operation table says must be the same.
//! How long it may be is the table's alone.

use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::read::MediaType;
use crate::row::{OperationRow, RequestBody};
use serde_json::{Value, json};

/// Says how long the body may be and whether it may be left out, and fails unless signature and table agree on its kind.
pub(super) fn complete(
    contract: &Contract,
    operation: &mut Object,
    row: &OperationRow,
) -> Result<(), PublishError> {
    let described = media_type(operation.get("requestBody"));
    let stated = row.body.media_type().map(MediaType::as_str);
    if described != stated {
        let name = |media_type: Option<&str>| media_type.unwrap_or("no body").to_owned();
        return Err(PublishError::Disagreement {
            operation: row.id,
            reason: format!("the table says {}, the signature {}", name(stated), name(described)),
        });
    }
    if let Some(body) = operation.get_mut("requestBody") {
        body[format!("x-{}-max-bytes", contract.name)] = json!(row.body_max_bytes);
        if row.body == RequestBody::OptionalJson {
            body["required"] = json!(false);
        }
    }
    Ok(())
}

/// The media type of a request body, if there is one.
fn media_type(body: Option<&Value>) -> Option<&str> {
    body?.get("content")?.as_object()?.keys().next().map(String::as_str)
}
