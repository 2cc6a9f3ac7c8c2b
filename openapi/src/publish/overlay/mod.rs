//! Step 4: what dropshot cannot say and the operation table can: hosts, security, audience,
//! stability, every status with its headers; and what the deprecation matrix says.

mod body;
mod callbacks;
mod deliveries;
mod deprecations;
mod headers;
mod info;
mod members;
mod parameters;
mod paths;
mod responses;
mod security;
mod unrouted;
mod webhooks;

pub(super) use info::server;

use super::PublishError;
use super::document::{Object, entry, object_mut, operations_mut};
use crate::deprecations::Deprecations;
use crate::row::OperationRow;
use crate::{Access, Contract};
use schemars::r#gen::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};

/// Adds what the operation table says.
pub fn overlay(contract: &Contract, mut document: Value) -> Result<Value, PublishError> {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let matrix = Deprecations::of(contract)?;
    paths::rename(contract, &mut document)?;
    info::describe(contract, &mut document)?;
    for operation in operations_mut(&mut document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let row = contract.row(id).ok_or_else(|| PublishError::UnknownOperation(id.to_owned()))?;
        security::complete(operation, row);
        extend(contract, operation, row);
        body::complete(contract, operation, row)?;
        // The statuses follow from the signature, so they come before parameters of every operation.
        let announced = matrix.of_operation(row.id);
        responses::complete(contract, operation, row, announced, &mut generator)?;
        parameters::complete(contract, operation, row)?;
        callbacks::describe(contract, operation, row, &mut generator)?;
    }
    webhooks::describe(contract, &mut document, &mut generator)?;
    let components = object_mut(&mut document, "components")?;
    components.insert("responses".to_owned(), deliveries::responses());
    components.insert("headers".to_owned(), headers::components());
    let parameters = [parameters::components(), deliveries::parameters()];
    components.insert("parameters".to_owned(), parameters.into_iter().flat_map(members_of).collect());
    components.insert("securitySchemes".to_owned(), (contract.publication.security_schemes)());
    add_definitions(entry(components, "schemas")?, generator)?;
    members::complete(&mut document);
    unrouted::describe(contract, &mut document)?;
    deprecations::describe(contract, &mut document, &matrix);
    document[format!("x-{}-request-headers", contract.name)] = parameters::everywhere();
    Ok(document)
}

/// Adds what OpenAPI has no member for.
fn extend(contract: &Contract, operation: &mut Object, row: &OperationRow) {
    let hosts: Vec<&str> = row.hosts.iter().map(|host| host.name()).collect();
    let mut extension =
        |name: &str, value: Value| operation.insert(format!("x-{}-{name}", contract.name), value);
    extension("audience", json!(row.audience.as_str()));
    extension("stability", json!(row.stability.as_str()));
    extension("hosts", json!(hosts));
    if let Access::Scope(scope) = row.access {
        extension("scopes", json!([scope.as_str()]));
    }
}

fn members_of(value: Value) -> Object {
    match value {
        Value::Object(members) => members,
        _ => Object::new(),
    }
}

/// Adds the schemas that only the operation table refers to.
fn add_definitions(schemas: &mut Object, generator: SchemaGenerator) -> Result<(), PublishError> {
    for (name, schema) in generator.into_root_schema_for::<()>().definitions {
        let schema = serde_json::to_value(schema).map_err(|error| PublishError::Shape(error.to_string()))?;
        schemas.entry(name).or_insert(schema);
    }
    Ok(())
}
