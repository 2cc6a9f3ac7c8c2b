//! Step 11: the part of the descriptor that one host serves. A server in a document is a promise for every
//! operation in it, and most code generators know one server.

use super::document::{METHODS, Object, WEBHOOKS, deliveries_mut, object_mut, operations_mut};
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
    keep_deprecations_of_the_rest(contract, &mut document);
    let schemes = document["components"]["securitySchemes"].clone();
    // Of two flows of OAuth, openapi-generator's Rust sends the token once for each. Whatever is sent here is a bearer
    // token, wherever it comes from; which flow needs a browser is told by the whole.
    let needs_browser = |scheme: &Value| scheme["flows"].get("authorizationCode").is_some();
    for operation in operations_mut(&mut document) {
        let alternatives = operation.get_mut("security").and_then(Value::as_array_mut);
        let taken = |alternative: &Value| {
            let mut schemes = alternative.as_object().into_iter().flatten().map(|(name, _)| &schemes[name]);
            schemes.all(|scheme| is_of(scheme) && !needs_browser(scheme))
        };
        alternatives.into_iter().for_each(|alternatives| alternatives.retain(taken));
    }
    Ok(sort::sorted(prune(document)?))
}

/// Leaves out what is said of operations and deliveries that are not there.
fn keep_deprecations_of_the_rest(contract: &Contract, document: &mut Value) {
    let operations = operations_mut(document).map(|operation| operation.get("operationId").cloned());
    let mut there: Vec<Option<Value>> = operations.collect();
    there.extend(deliveries_mut(document).map(|operation| operation.get("operationId").cloned()));
    let lines = document.get_mut(format!("x-{}-deprecations", contract.name)).and_then(Value::as_array_mut);
    lines.into_iter().for_each(|lines| lines.retain(|line| there.contains(&line.get("operation").cloned())));
}
