//! Step 3: removes components that nothing references any more, and tags that no operation and no delivery has.

use super::PublishError;
use super::document::{Object, WEBHOOKS, deliveries_mut, object_mut, operations_mut, routes};
use serde_json::Value;
use std::collections::BTreeSet;

/// Kinds of component that are referenced by `$ref`.
const KINDS: [&str; 5] = ["schemas", "responses", "parameters", "headers", "examples"];

/// Every `$ref` target below `value`.
pub fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                found.insert(target.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Every component that is reachable from `roots` through references, as JSON pointers with `#`.
pub fn reachable(document: &Value, roots: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    references(roots, &mut found);
    let mut waiting: Vec<String> = found.iter().cloned().collect();
    while let Some(target) = waiting.pop() {
        let mut next = BTreeSet::new();
        if let Some(component) = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) {
            references(component, &mut next);
        }
        waiting.extend(next.into_iter().filter(|target| found.insert(target.clone())));
    }
    found
}

/// Removes what nothing uses.
pub fn prune(mut document: Value) -> Result<Value, PublishError> {
    let roots: Value = document
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name == "paths" || *name == WEBHOOKS || name.starts_with("x-"))
        .map(|(_, member)| member.clone())
        .collect();
    let live = reachable(&document, &roots);
    // Security schemes are referenced by name.
    let schemes_used: BTreeSet<String> = routes(&document)
        .filter_map(|route| route.operation.get("security").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|alternative| alternative.keys().cloned())
        .collect();
    let components = object_mut(&mut document, "components")?;
    for kind in KINDS {
        if let Some(members) = components.get_mut(kind).and_then(Value::as_object_mut) {
            members.retain(|name, _| live.contains(&format!("#/components/{kind}/{name}")));
        }
    }
    if let Some(schemes) = components.get_mut("securitySchemes").and_then(Value::as_object_mut) {
        schemes.retain(|name, _| schemes_used.contains(name));
    }
    components.retain(|_, members| members.as_object().is_some_and(|members| !members.is_empty()));

    let mut used = BTreeSet::new();
    let mut take = |operation: &mut Object| {
        let tags = operation.get("tags").and_then(Value::as_array);
        used.extend(tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    };
    operations_mut(&mut document).for_each(&mut take);
    deliveries_mut(&mut document).for_each(&mut take);
    if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| tag["name"].as_str().is_some_and(|name| used.contains(name)));
    }
    Ok(document)
}
