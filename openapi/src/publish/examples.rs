//! Step 6: puts the hand-written examples in place, and fails when one is missing or left over.
//! That each fits its schema is a test's business.

use super::PublishError;
use super::document::{Object, deliveries_mut, entry, object_mut, operations_mut};
use crate::Contract;
use crate::contract::{ErrorShape, PolicyFile};
use crate::types::error::Error;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The hand-written examples.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// Error bodies that operations share.
    pub shared: SharedExamples,
    /// Examples of one operation or delivery, by its operation id.
    pub operations: BTreeMap<String, OperationExamples>,
}

/// Error bodies that operations share, by status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedExamples {
    /// Those of the contract's own shape.
    pub errors: BTreeMap<String, SharedExample>,
    /// Those of OAuth endpoints.
    pub oauth_errors: BTreeMap<String, SharedExample>,
}

/// An example that is published under a name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedExample {
    /// The name.
    pub name: String,
    /// What it shows.
    pub summary: String,
    /// The body.
    pub value: Value,
}

impl SharedExample {
    fn published(&self) -> Value {
        json!({ "summary": self.summary, "value": self.value })
    }
}

/// The examples of one operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationExamples {
    /// The file that holds them, below `openapi/policy`.
    #[serde(skip)]
    pub file: &'static str,
    /// Parameter values, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// The request body.
    pub request: Option<Value>,
    /// Request bodies instead of the one, where they are of several shapes.
    #[serde(default)]
    pub requests: Vec<SharedExample>,
    /// Members that a request has instead of those that are published, where the published ones only
    /// hint at what to send. `{"file": path}` stands for the text of a file below `openapi`.
    #[serde(default)]
    pub sample: Object,
    /// Response bodies, by status.
    #[serde(default)]
    pub responses: BTreeMap<String, Value>,
}

/// One file of examples: operations in the order of the file, so that none hides another.
struct Topic(Vec<(String, OperationExamples)>);

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Topic;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the examples of operations by their id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Topic, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Topic(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl OperationExamples {
    /// The request body, or the first of several.
    pub fn request(&self) -> Option<&Value> {
        self.request.as_ref().or(self.requests.first().map(|first| &first.value))
    }
}

impl Examples {
    /// The examples of a contract.
    pub fn committed(contract: &Contract) -> Result<Self, PublishError> {
        let shared = read(contract.publication.error_examples)?;
        Self::merged(shared, contract.publication.examples)
    }

    /// What the files hold together; an operation may stand in one of them, once.
    pub fn merged(shared: SharedExamples, files: &[PolicyFile]) -> Result<Self, PublishError> {
        let mut operations: BTreeMap<String, OperationExamples> = BTreeMap::new();
        for file in files {
            for (id, own) in read::<Topic>(*file)?.0 {
                let own = OperationExamples { file: file.name, ..own };
                if let Some(earlier) = operations.get(&id) {
                    let reason = format!("operation `{id}` already has examples in {}", earlier.file);
                    return Err(policy(file.name, reason));
                }
                operations.insert(id, own);
            }
        }
        Ok(Self { shared, operations })
    }
}

fn read<T: DeserializeOwned>(file: PolicyFile) -> Result<T, PublishError> {
    serde_json::from_str(file.text).map_err(|error| policy(file.name, error.to_string()))
}

fn policy(file: &str, reason: String) -> PublishError {
    PublishError::Policy { file: file.to_owned(), reason }
}

/// Puts the examples in place.
pub fn add(contract: &Contract, mut document: Value, examples: &Examples) -> Result<Value, PublishError> {
    let mut seen = BTreeSet::new();
    let mut add_all = |operation: &mut Object| {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let own = examples
            .operations
            .get(&id)
            .ok_or_else(|| policy("examples", format!("operation `{id}` has no examples")))?;
        add_parameters(operation, own)
            .and_then(|()| add_request(operation, own))
            .and_then(|()| add_responses(contract, &id, operation, own, &examples.shared))
            .map_err(|reason| policy(own.file, format!("operation `{id}`: {reason}")))?;
        seen.insert(id);
        Ok::<_, PublishError>(())
    };
    operations_mut(&mut document).try_for_each(&mut add_all)?;
    deliveries_mut(&mut document).try_for_each(&mut add_all)?;
    let internal = |id: &str| contract.row(id).is_some_and(|row| !row.is_published());
    if let Some((id, left)) = examples.operations.iter().find(|(id, _)| !seen.contains(*id) && !internal(id))
    {
        return Err(policy(left.file, format!("there is no operation `{id}`")));
    }
    let components = object_mut(&mut document, "components")?;
    let shared = entry(components, "examples")?;
    for example in examples.shared.errors.values().chain(examples.shared.oauth_errors.values()) {
        shared.insert(example.name.clone(), example.published());
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
    match (content.and_then(Value::as_object_mut), own.request()) {
        (Some(content), Some(example)) => {
            let named = own.requests.iter();
            let named: Object = named.map(|named| (named.name.clone(), named.published())).collect();
            for media in content.values_mut() {
                match named.is_empty() {
                    true => media["example"] = example.clone(),
                    false => media["examples"] = Value::Object(named.clone()),
                }
            }
            Ok(())
        }
        (None, None) => Ok(()),
        (Some(_), None) => Err("the request has no example".to_owned()),
        (None, Some(_)) => Err("there is no request body".to_owned()),
    }
}

fn add_responses(
    contract: &Contract,
    id: &str,
    operation: &mut Object,
    own: &OperationExamples,
    all: &SharedExamples,
) -> Result<(), String> {
    let responses = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .ok_or_else(|| "there are no responses".to_owned())?;
    if let Some(left) = own.responses.keys().find(|status| !responses.contains_key(*status)) {
        return Err(format!("there is no response {left}"));
    }
    let row_error = contract.row(id).and_then(|row| row.error);
    // A range stands for statuses that there are none of yet.
    for (status, response) in responses.iter_mut().filter(|(status, _)| !status.ends_with("XX")) {
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        if let Some(content) = content.filter(|content| content.len() > 1) {
            add_representations(status, content, own)?;
            continue;
        }
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        let media = content.and_then(|content| content.values_mut().next());
        let (media, own) = match (media, own.responses.get(status)) {
            (Some(media), own) => (media, own),
            (None, None) => continue,
            (None, Some(_)) => return Err(format!("response {status} has no body")),
        };
        // Written where the response was.
        if own.is_none() && media.get("example").is_some() {
            continue;
        }
        if let Some(example) = own {
            media["example"] = example.clone();
            continue;
        }
        let schema = media.pointer("/schema/$ref").and_then(Value::as_str);
        let shared = match schema.and_then(|to| to.strip_prefix("#/components/schemas/")) {
            Some("OauthError") => all.oauth_errors.get(status),
            Some(name) if name == contract.error.name => all.errors.get(status),
            _ => None,
        };
        if let (None, Some(shape), Some(example)) = (shared, row_error, all.errors.get(status)) {
            media["example"] = in_shape(shape, &example.value)?;
            continue;
        }
        let name = &shared.ok_or_else(|| format!("response {status} has no example"))?.name;
        let mut examples = Object::new();
        examples.insert(name.clone(), json!({ "$ref": format!("#/components/examples/{name}") }));
        media["examples"] = Value::Object(examples);
    }
    Ok(())
}

/// A shared error as an operation writes it that has a shape of its own.
fn in_shape(shape: &ErrorShape, example: &Value) -> Result<Value, String> {
    let error: Error = serde_json::from_value(example.clone()).map_err(|error| error.to_string())?;
    let written = (shape.write)(&error).and_then(|written| serde_json::from_slice(&written));
    written.map_err(|error| error.to_string())
}

/// A response of several media types has an example for each, by its name.
fn add_representations(status: &str, content: &mut Object, own: &OperationExamples) -> Result<(), String> {
    for (media_type, media) in content {
        let example = own.responses.get(status).and_then(|examples| examples.get(media_type));
        let missing = || format!("response {status} has no example of {media_type}");
        media["example"] = example.ok_or_else(missing)?.clone();
    }
    Ok(())
}
