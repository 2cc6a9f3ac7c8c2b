//! Paths that dropshot cannot express: there a variable is a whole segment.

use crate::Contract;
use crate::publish::PublishError;
use crate::publish::document::{METHODS, Object, object_mut, routes};
use crate::row::PublishedPath;
use serde_json::{Value, json};

/// Publishes each routed path as what a partner calls.
pub(super) fn rename(contract: &Contract, document: &mut Value) -> Result<(), PublishError> {
    let mut moves = Vec::new();
    for route in routes(document) {
        if let Some(published) = contract.row(route.id()).and_then(|row| row.published_path) {
            moves.push((route.path.to_owned(), route.method.to_lowercase(), published));
        }
    }
    let paths = object_mut(document, "paths")?;
    for (routed, method, published) in moves {
        let item = paths.get_mut(&routed).and_then(Value::as_object_mut);
        let mut operation = item
            .and_then(|item| item.remove(&method))
            .ok_or_else(|| PublishError::Shape(format!("the path `{routed}` is gone")))?;
        rename_variable(&mut operation, published)
            .ok_or_else(|| PublishError::Shape(format!("the path `{routed}` has no variable")))?;
        let item = paths.entry(published.template).or_insert_with(|| Value::Object(Object::new()));
        item[method] = operation;
    }
    paths.retain(|_, item| METHODS.iter().any(|method| item.get(method).is_some()));
    Ok(())
}

/// Calls the path's variable what the published template calls it.
fn rename_variable(operation: &mut Value, published: PublishedPath) -> Option<()> {
    let parameters = operation.get_mut("parameters")?.as_array_mut()?;
    let variable = parameters.iter_mut().find(|parameter| parameter["in"] == "path")?;
    variable["name"] = json!(published.variable);
    variable["description"] = json!(published.description);
    // The routed variable is the whole segment, with what stands around the published one.
    let segment = published.template.split('/').find(|segment| segment.contains('{'))?;
    let around = segment.len() - format!("{{{}}}", published.variable).len();
    if let Some(most) = variable["schema"]["maxLength"].as_u64() {
        variable["schema"]["maxLength"] = json!(most.checked_sub(around as u64)?);
    }
    Some(())
}
