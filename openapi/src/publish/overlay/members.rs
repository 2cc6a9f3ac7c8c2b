//! Which members of a body are always there. What is sent with `null` for nothing is sent always; what may be
//! left out of a request has no `default`, because generators of types take a member with one for always there.

use crate::publish::document::{Object, routes};
use crate::publish::prune::reachable;
use crate::publish::walk;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Requires the members that responses always send, and drops the defaults of all.
pub(super) fn complete(document: &mut Value) {
    let requested: BTreeSet<String> = routes(document)
        .filter_map(|route| route.operation.get("requestBody"))
        .flat_map(|body| reachable(document, body))
        .collect();
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        walk::schema(schema, &mut |schema| drop(schema.remove("default")));
        if !requested.contains(&format!("#/components/schemas/{name}")) {
            walk::schema(schema, &mut require_nullable);
        }
    }
}

/// Requires the members that can be `null`: a response leaves no such member out.
fn require_nullable(schema: &mut Object) {
    let Some(members) = schema.get("properties").and_then(Value::as_object) else { return };
    let nullable = members.iter().filter(|(_, member)| member["nullable"] == true);
    let nullable: BTreeSet<String> = nullable.map(|(name, _)| name.clone()).collect();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required = required.filter_map(Value::as_str).map(str::to_owned).chain(nullable);
    let required: BTreeSet<String> = required.collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
}
