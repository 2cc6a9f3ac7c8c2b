//! Paths that dropshot cannot express: there a variable is a whole segment.

use crate::publish::PublishError;
use crate::publish::document::object_mut;
use serde_json::{Value, json};

const ROUTED: &str = "/.well-known/schemas/{file}";
const PUBLISHED: &str = "/.well-known/schemas/{id}.json";

/// Publishes the routed path of data schemas as what a partner calls.
pub(super) fn rename(document: &mut Value) -> Result<(), PublishError> {
    let paths = object_mut(document, "paths")?;
    let mut item =
        paths.remove(ROUTED).ok_or_else(|| PublishError::Shape(format!("the path `{ROUTED}` is gone")))?;
    let parameter = item
        .pointer_mut("/get/parameters/0")
        .ok_or_else(|| PublishError::Shape(format!("the path `{ROUTED}` has no parameter")))?;
    parameter["name"] = json!("id");
    parameter["description"] = json!("Identifier of the schema, for example `argus.profile.v1`.");
    paths.insert(PUBLISHED.to_owned(), item);
    Ok(())
}
