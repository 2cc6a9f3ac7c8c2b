//! The deprecation matrix as data, for whoever renders it, and for the gate that looks what a release announced.
//! What it says of single members is marked when the document is 3.1: [`super::super::deprecated_parts`].

use crate::Contract;
use crate::deprecations::Deprecations;
use crate::publish::document::operations_mut;
use serde_json::{Value, json};

/// Publishes the matrix, and marks the operations that go.
pub(super) fn describe(contract: &Contract, document: &mut Value, matrix: &Deprecations) {
    for operation in operations_mut(document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        if matrix.of_operation(id).is_some() {
            operation.insert("deprecated".to_owned(), json!(true));
        }
    }
    let lines: Vec<Value> = matrix.iter().map(|entry| json!(entry)).collect();
    document[format!("x-{}-deprecations", contract.name)] = Value::Array(lines);
}
