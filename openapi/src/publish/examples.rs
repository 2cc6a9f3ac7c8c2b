//! Step 6: puts the hand-written examples in place, and fails when one is missing or left over.
//! That each fits its schema is a test's business.

use super::PublishError;
use super::document::{Object, entry, object_mut, operations_mut};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "examples.json";

/// The hand-written examples.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    /// Error bodies that operations share, by status.
    pub errors: BTreeMap<String, SharedExample>,
    /// Error bodies of OAuth endpoints, by status.
    pub oauth_errors: BTreeMap<String, SharedExample>,
    /// Examples of one operation, by its id.
    pub operations: BTreeMap<String, OperationExamples>,
}

/// An example that is published as a component.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedExample {
    /// Name of the component.
    pub name: String,
    /// What it shows.
    pub summary: String,
    /// The body.
    pub value: Value,
}

/// The examples of one operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationExamples {
    /// Parameter values, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// The request body.
    pub request: Option<Value>,
    /// Response bodies, by status.
    pub responses: BTreeMap<String, Value>,
}

impl Examples {
    /// The examples of this version.
    pub fn committed() -> Result<Self, PublishError> {
        serde_json::from_str(include_str!("../../policy/examples.json"))
            .map_err(|error| policy(error.to_string()))
    }
}

fn policy(reason: String) -> PublishError {
    PublishError::Policy { file: FILE, reason }
}

/// Puts the examples in place.
pub fn add(mut document: Value, examples: &Examples) -> Result<Value, PublishError> {
    let mut seen = BTreeSet::new();
    for operation in operations_mut(&mut document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let own = examples
            .operations
            .get(&id)
            .ok_or_else(|| policy(format!("operation `{id}` has no examples")))?;
        add_parameters(operation, own).map_err(|reason| policy(format!("operation `{id}`: {reason}")))?;
        add_request(operation, own).map_err(|reason| policy(format!("operation `{id}`: {reason}")))?;
        add_responses(operation, own, examples)
            .map_err(|reason| policy(format!("operation `{id}`: {reason}")))?;
        seen.insert(id);
    }
    if let Some(left) = examples.operations.keys().find(|id| !seen.contains(*id)) {
        return Err(policy(format!("there is no published operation `{left}`")));
    }
    let components = object_mut(&mut document, "components")?;
    let shared = entry(components, "examples")?;
    for example in examples.errors.values().chain(examples.oauth_errors.values()) {
        shared.insert(example.name.clone(), json!({ "summary": example.summary, "value": example.value }));
    }
    Ok(document)
}

fn add_parameters(operation: &mut Object, own: &OperationExamples) -> Result<(), String> {
    let mut parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for (name, example) in &own.parameters {
        let parameter = parameters
            .iter_mut()
            .flat_map(|parameters| parameters.iter_mut())
            .find(|parameter| parameter["name"] == **name)
            .ok_or_else(|| format!("there is no parameter `{name}`"))?;
        parameter["example"] = example.clone();
    }
    Ok(())
}

fn add_request(operation: &mut Object, own: &OperationExamples) -> Result<(), String> {
    let content = operation.get_mut("requestBody").and_then(|body| body.get_mut("content"));
    match (content.and_then(Value::as_object_mut), &own.request) {
        (Some(content), Some(example)) => {
            content.values_mut().for_each(|media| media["example"] = example.clone());
            Ok(())
        }
        (None, None) => Ok(()),
        (Some(_), None) => Err("the request has no example".to_owned()),
        (None, Some(_)) => Err("there is no request body".to_owned()),
    }
}

fn add_responses(operation: &mut Object, own: &OperationExamples, all: &Examples) -> Result<(), String> {
    let responses = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .ok_or_else(|| "there are no responses".to_owned())?;
    if let Some(left) = own.responses.keys().find(|status| !responses.contains_key(*status)) {
        return Err(format!("there is no response {left}"));
    }
    for (status, response) in responses {
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        let media = content.and_then(|content| content.values_mut().next());
        let (media, own) = match (media, own.responses.get(status)) {
            (Some(media), own) => (media, own),
            (None, None) => continue,
            (None, Some(_)) => return Err(format!("response {status} has no body")),
        };
        if let Some(example) = own {
            media["example"] = example.clone();
            continue;
        }
        let shared = match media.pointer("/schema/$ref").and_then(Value::as_str) {
            Some("#/components/schemas/Error") => all.errors.get(status),
            Some("#/components/schemas/OauthError") => all.oauth_errors.get(status),
            _ => None,
        };
        let name = &shared.ok_or_else(|| format!("response {status} has no example"))?.name;
        let mut examples = Object::new();
        examples.insert(name.clone(), json!({ "$ref": format!("#/components/examples/{name}") }));
        media["examples"] = Value::Object(examples);
    }
    Ok(())
}
