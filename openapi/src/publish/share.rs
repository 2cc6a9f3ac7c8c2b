//! Step 7: writes an error response that several operations have in common once, as a component.

use super::PublishError;
use super::document::{entry, object_mut, operations_mut, routes};
use crate::{Access, Contract, Host};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Moves shared error responses into the components.
pub fn share(contract: &Contract, mut document: Value) -> Result<Value, PublishError> {
    let mut uses: BTreeMap<String, (Value, usize)> = BTreeMap::new();
    for route in routes(&document) {
        for (status, response) in route.operation["responses"].as_object().into_iter().flatten() {
            if let Some(name) = component_name(contract, route.id(), status, response) {
                let (first, count) = uses.entry(name).or_insert_with(|| (response.clone(), 0));
                *count += usize::from(first == response);
            }
        }
    }
    uses.retain(|_, (_, count)| *count > 1);
    for operation in operations_mut(&mut document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            if let Some(name) = component_name(contract, &id, status, response)
                && uses.get(&name).is_some_and(|(shared, _)| shared == response)
            {
                *response = json!({ "$ref": format!("#/components/responses/{name}") });
            }
        }
    }
    let components = object_mut(&mut document, "components")?;
    let shared = entry(components, "responses")?;
    shared.extend(uses.into_iter().map(|(name, (response, _))| (name, response)));
    Ok(document)
}

/// The name of a response that shows a shared example: the example's, after the kind of operation,
/// because the headers depend on that. A range has neither, and one name.
fn component_name(contract: &Contract, id: &str, status: &str, response: &Value) -> Option<String> {
    let operation = contract.row(id)?;
    if let Some(class) = status.strip_suffix("XX") {
        let name = if class == "4" { "OtherRefusal" } else { "OtherFault" };
        return (operation.access != Access::Client).then(|| name.to_owned());
    }
    let kind = match (operation.served_by(Host::Auth), operation.served_by(Host::Sandbox), operation.access) {
        (true, _, Access::Public) => "AuthDocument",
        (true, true, _) => "AuthAndSandbox",
        (true, false, _) => "Auth",
        (false, _, Access::Public) => "Document",
        (false, ..) => "Partner",
    };
    let media = response.get("content")?.as_object()?.values().next()?;
    let example = media.get("examples")?.as_object()?.keys().next()?;
    Some(format!("{kind}{}", super::generator::pascal_case(example)))
}
