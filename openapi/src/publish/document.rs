//! Getting about in an OpenAPI document that is held as JSON.

use super::PublishError;
use serde_json::{Map, Value};

/// Keys of a path item that hold an operation.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A JSON object.
pub type Object = Map<String, Value>;

/// The member `key` of `value` as an object.
pub fn object_mut<'a>(value: &'a mut Value, key: &str) -> Result<&'a mut Object, PublishError> {
    value
        .get_mut(key)
        .and_then(Value::as_object_mut)
        .ok_or_else(|| PublishError::Shape(format!("`{key}` is not an object")))
}

/// The member `key` of `object`, made an empty object when absent.
pub fn entry<'a>(object: &'a mut Object, key: &str) -> Result<&'a mut Object, PublishError> {
    object
        .entry(key)
        .or_insert_with(|| Value::Object(Object::new()))
        .as_object_mut()
        .ok_or_else(|| PublishError::Shape(format!("`{key}` is not an object")))
}

/// One operation of a document.
pub struct Route<'a> {
    /// Method, upper case.
    pub method: String,
    /// Path template.
    pub path: &'a str,
    /// The operation object.
    pub operation: &'a Value,
}

impl Route<'_> {
    /// The operation id; empty when there is none.
    pub fn id(&self) -> &str {
        self.operation.get("operationId").and_then(Value::as_str).unwrap_or_default()
    }

    /// Method and path, as `GET /v1/jobs`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every operation of a document.
pub fn routes(document: &Value) -> impl Iterator<Item = Route<'_>> {
    document.get("paths").and_then(Value::as_object).into_iter().flatten().flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            item.get(method).map(|operation| Route { method: method.to_uppercase(), path, operation })
        })
    })
}

/// Every operation object of a document, to be changed.
pub fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Object> {
    document.get_mut("paths").into_iter().flat_map(items_mut)
}

/// The member that holds webhooks, since OpenAPI 3.1.
pub const WEBHOOKS: &str = "webhooks";
/// What holds them before: an extension.
pub const X_WEBHOOKS: &str = "x-webhooks";

/// Gives a member of a document another name.
pub fn rename(document: &mut Value, from: &str, to: &str) {
    if let Some(members) = document.as_object_mut()
        && let Some(member) = members.remove(from)
    {
        members.insert(to.to_owned(), member);
    }
}

/// Every operation object that partners serve, to be changed: of webhooks and of callbacks.
pub fn deliveries_mut(document: &mut Value) -> impl Iterator<Item = &mut Object> {
    let members = document.as_object_mut().into_iter().flatten();
    members.flat_map(|(name, member)| -> Vec<&mut Object> {
        match name.as_str() {
            "paths" => items_mut(member).flat_map(callbacks_mut).collect(),
            WEBHOOKS | X_WEBHOOKS => items_mut(member).collect(),
            _ => Vec::new(),
        }
    })
}

/// The operations of the callbacks of an operation.
fn callbacks_mut(operation: &mut Object) -> impl Iterator<Item = &mut Object> {
    let callbacks = operation.get_mut("callbacks").and_then(Value::as_object_mut);
    callbacks.into_iter().flatten().flat_map(|(_, callback)| items_mut(callback))
}

/// The operations of path items that stand under a name each.
fn items_mut(items: &mut Value) -> impl Iterator<Item = &mut Object> {
    items.as_object_mut().into_iter().flatten().flat_map(|(_, item)| {
        item.as_object_mut()
            .into_iter()
            .flatten()
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .filter_map(|(_, operation)| operation.as_object_mut())
    })
}
