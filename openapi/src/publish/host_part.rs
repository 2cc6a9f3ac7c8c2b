//! Step 10: the part of the descriptor that one host serves. A server in a document is a promise for every
//! operation in it, and most code generators know one server.

use super::document::{METHODS, Object, WEBHOOKS, object_mut, operations_mut};
use super::overlay::server;
use super::prune::prune;
use super::{PublishError, sort};
use crate::{Contract, Host};
use serde_json::{Value, json};

/// What `host` serves of the descriptor, with nothing that only other hosts need.
pub fn of(contract: &Contract, descriptor: &Value, host: Host) -> Result<Value, PublishError> {
    let mut document = descriptor.clone();
    let info = object_mut(&mut document, "info")?;
    info.insert("title".to_owned(), json!(format!("{} ({})", contract.title, host.name())));
    document["servers"] = json!([server(host)]);
    let hosts = format!("x-{}-hosts", contract.name);
    let is_of = |described: &Value| {
        described[&hosts].as_array().is_some_and(|hosts| hosts.contains(&json!(host.name())))
    };
    for member in ["paths", WEBHOOKS] {
        let Some(items) = document.get_mut(member).and_then(Value::as_object_mut) else { continue };
        for item in items.values_mut().filter_map(Value::as_object_mut) {
            item.retain(|key, operation| !METHODS.contains(&key.as_str()) || is_of(operation));
        }
        items.retain(|_, item| METHODS.iter().any(|method| item.get(method).is_some()));
    }
    if let Some(members) = document.as_object_mut()
        && members.get(WEBHOOKS).and_then(Value::as_object).is_some_and(Object::is_empty)
    {
        members.remove(WEBHOOKS);
    }
    let schemes = document["components"]["securitySchemes"].clone();
    for operation in operations_mut(&mut document) {
        let alternatives = operation.get_mut("security").and_then(Value::as_array_mut);
        let taken = |alternative: &Value| {
            alternative.as_object().into_iter().flatten().all(|(scheme, _)| is_of(&schemes[scheme]))
        };
        alternatives.into_iter().for_each(|alternatives| alternatives.retain(taken));
    }
    Ok(sort::sorted(prune(document)?))
}
