//! The events that subscriptions are told of. OpenAPI 3.0 has no place for them but an extension, which
//! [`super::super::raise`] makes `webhooks`.

use super::deliveries::Delivery;
use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::{Object, X_WEBHOOKS};
use schemars::r#gen::SchemaGenerator;
use serde_json::{Value, json};

/// Publishes every event, with the hosts that take subscriptions.
pub(super) fn describe(
    contract: &Contract,
    document: &mut Value,
    generator: &mut SchemaGenerator,
) -> Result<(), PublishError> {
    let subscribe = contract.webhooks.subscribe;
    let row = contract.row(subscribe).ok_or(PublishError::MissingOperation(subscribe))?;
    let hosts: Vec<&str> = row.hosts.iter().map(|host| host.name()).collect();
    let mut webhooks = Object::new();
    for event in contract.webhooks.events {
        let delivery = Delivery {
            id: event.delivery_id(),
            summary: event.description,
            signed: "The secret of the subscription signs it.",
            tag: json!(contract.webhooks.tag),
            of_job: event.of_job,
            schema: (event.schema)(generator),
        };
        let mut operation = delivery.operation(contract)?;
        operation[format!("x-{}-hosts", contract.name)] = json!(hosts);
        webhooks.insert(event.name.to_owned(), json!({ "post": operation }));
    }
    document[X_WEBHOOKS] = Value::Object(webhooks);
    if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
        tags.push(json!({ "name": contract.webhooks.tag, "description": contract.webhooks.about }));
    }
    Ok(())
}
