//! What the tests share: the descriptor, made once, and ways to look into it.

use argus_openapi::contract::ARGUS;
use argus_openapi::publish::{self, document::Route};
use serde_json::Value;
use std::sync::LazyLock;

static DESCRIPTOR: LazyLock<Value> =
    LazyLock::new(|| publish::descriptor(&ARGUS).expect("the contract can be published"));

/// The descriptor as the pipeline makes it now.
pub(crate) fn descriptor() -> &'static Value {
    &DESCRIPTOR
}

/// Every published operation.
pub(crate) fn routes() -> impl Iterator<Item = Route<'static>> {
    publish::document::routes(descriptor())
}

/// The published operation with this id.
pub(crate) fn operation(id: &str) -> &'static Value {
    routes().find(|route| route.id() == id).unwrap_or_else(|| panic!("no operation {id}")).operation
}

/// The value, or what it refers to.
pub(crate) fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(target) => descriptor()
            .pointer(target.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{target} leads nowhere")),
        None => value,
    }
}

/// The responses of an operation, by status. Ranges promise nothing and are left out.
pub(crate) fn responses(operation: &'static Value) -> impl Iterator<Item = (u16, &'static Value)> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    responses.filter(|(status, _)| !matches!(status.as_str(), "4XX" | "5XX")).map(|(status, response)| {
        (status.parse().unwrap_or_else(|_| panic!("{status} is not one status")), resolve(response))
    })
}

/// The media types of a body.
pub(crate) fn media(body: &'static Value) -> impl Iterator<Item = (&'static String, &'static Value)> {
    body["content"].as_object().into_iter().flatten()
}

/// Every delivery that is published, webhooks first: its operation, and what names it.
pub(crate) fn deliveries() -> impl Iterator<Item = (&'static String, &'static Value)> {
    let webhooks = descriptor()["webhooks"].as_object().unwrap_or_else(|| panic!("no webhooks"));
    let callbacks = routes().filter_map(|route| route.operation.get("callbacks")?.as_object()).flatten();
    let callbacks = callbacks
        .flat_map(|(name, urls)| urls.as_object().into_iter().flatten().map(move |(_, item)| (name, item)));
    webhooks.iter().chain(callbacks).map(|(name, item)| (name, &item["post"]))
}
