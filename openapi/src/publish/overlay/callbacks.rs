//! What is delivered to a URL that a request names. It stands with the operation that takes the request, as OpenAPI
//! has it in every version, and not among the webhooks: nobody subscribes to it, another secret signs it, and the
//! operation's hosts are its hosts.

use super::deliveries::Delivery;
use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::Object;
use crate::row::OperationRow;
use schemars::r#gen::SchemaGenerator;
use serde_json::{Value, json};

/// Publishes the callback of an operation, if it has one.
pub(super) fn describe(
    contract: &Contract,
    operation: &mut Object,
    row: &OperationRow,
    generator: &mut SchemaGenerator,
) -> Result<(), PublishError> {
    let Some(callback) = row.callback else { return Ok(()) };
    let delivery = Delivery {
        id: callback.delivery_id(),
        summary: callback.summary,
        signed: "The callback secret of the app signs it.",
        tag: operation.get("tags").and_then(|tags| tags.get(0)).cloned().unwrap_or_default(),
        of_job: callback.of_job,
        schema: (callback.schema)(generator),
    };
    let mut urls = Object::new();
    urls.insert(callback.url.to_owned(), json!({ "post": delivery.operation(contract)? }));
    let mut callbacks = Object::new();
    callbacks.insert(callback.name.to_owned(), Value::Object(urls));
    operation.insert("callbacks".to_owned(), Value::Object(callbacks));
    Ok(())
}
