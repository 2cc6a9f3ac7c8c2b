//! Step 4: what dropshot cannot say and the operation table can: hosts, security, audience,
//! stability, every status with its headers.

mod headers;
mod info;
mod parameters;
mod paths;
mod responses;
mod security;

use super::PublishError;
use super::document::{entry, object_mut, operations_mut};
use crate::{Access, Host, Operation};
use schemars::r#gen::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};

/// Adds what the operation table says.
pub fn overlay(mut document: Value) -> Result<Value, PublishError> {
    let mut generator = SchemaSettings::openapi3().into_generator();
    paths::rename(&mut document)?;
    info::describe(&mut document)?;
    for operation in operations_mut(&mut document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let found = Operation::from_id(id).ok_or_else(|| PublishError::UnknownOperation(id.to_owned()))?;
        let row = found.row();
        let servers: Vec<Value> = row.hosts.iter().copied().map(info::server).collect();
        operation.insert("servers".to_owned(), Value::Array(servers));
        operation.insert("security".to_owned(), security::requirement(found));
        operation.insert("x-argus-audience".to_owned(), json!(row.audience.as_str()));
        operation.insert("x-argus-stability".to_owned(), json!(row.stability.as_str()));
        let hosts: Vec<&str> = row.hosts.iter().map(|host| host.name()).collect();
        operation.insert("x-argus-hosts".to_owned(), json!(hosts));
        // The statuses follow from the signature, so they come before parameters of every operation.
        responses::complete(operation, found, &mut generator)?;
        parameters::complete(operation, found)?;
    }
    let components = object_mut(&mut document, "components")?;
    components.remove("responses");
    components.insert("headers".to_owned(), headers::components());
    components.insert("parameters".to_owned(), parameters::components());
    components.insert("securitySchemes".to_owned(), security::schemes());
    add_definitions(entry(components, "schemas")?, generator)?;
    Ok(document)
}

/// Adds the schemas that only the operation table refers to.
fn add_definitions(
    schemas: &mut super::document::Object,
    generator: SchemaGenerator,
) -> Result<(), PublishError> {
    for (name, schema) in generator.into_root_schema_for::<()>().definitions {
        let schema = serde_json::to_value(schema).map_err(|error| PublishError::Shape(error.to_string()))?;
        schemas.entry(name).or_insert(schema);
    }
    Ok(())
}

/// Whether the sandbox answers the operation with mocks, and so honours `Prefer`. The documents are
/// served there as they are.
fn mocked(operation: Operation) -> bool {
    operation.served_by(Host::Sandbox) && operation.row().access != Access::Public
}

/// Whether the operation serves a document that a client can revalidate.
fn revalidated(operation: Operation) -> bool {
    operation.row().extra.iter().any(|extra| extra.status == 304)
}
