//! Each published component schema as a JSON Schema 2020-12 document of its own.

use super::document::{Object, Route, WEBHOOKS, routes};
use super::prune::reachable;
use super::{PublishError, walk};
use crate::Contract;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const COMPONENTS: &str = "#/components/schemas/";

/// A published data schema.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSchemaDocument {
    /// Stable identifier, as `argus.job-create.v1`.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Operations that take, return, act on it or have it delivered, as method and path.
    pub operations: Vec<String>,
    /// Their ids.
    pub operation_ids: Vec<String>,
    /// The document.
    pub document: Value,
}

/// One document per component schema of the descriptor, by id.
pub fn data_schemas(
    contract: &Contract,
    descriptor: &Value,
) -> Result<Vec<DataSchemaDocument>, PublishError> {
    let schemas = descriptor
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .ok_or_else(|| PublishError::Shape("there are no component schemas".to_owned()))?;
    let mut documents: Vec<_> =
        schemas.keys().map(|name| data_schema(contract, descriptor, schemas, name)).collect();
    documents.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(documents)
}

fn data_schema(contract: &Contract, descriptor: &Value, schemas: &Object, name: &str) -> DataSchemaDocument {
    let words = words(name);
    let id = format!("{}.{}.v1", contract.name, words.join("-"));
    let title = title(&words);
    let own = format!("{COMPONENTS}{name}");

    let mut definitions = Object::new();
    for target in reachable(descriptor, &schemas[name]).iter().filter(|target| **target != own) {
        if let Some((used, schema)) =
            target.strip_prefix(COMPONENTS).and_then(|used| schemas.get(used).map(|schema| (used, schema)))
        {
            definitions.insert(used.to_owned(), schema.clone());
        }
    }
    let mut document = schemas[name].clone();
    document["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    document["$id"] =
        json!(format!("{}/.well-known/schemas/{id}.json", contract.documents_host.public_url()));
    document["title"] = json!(title);
    if !definitions.is_empty() {
        document["$defs"] = Value::Object(definitions);
    }
    walk::schema(&mut document, &mut |schema| {
        if let Some(used) =
            schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(COMPONENTS))
        {
            let inside = if used == name { "#".to_owned() } else { format!("#/$defs/{used}") };
            schema.insert("$ref".to_owned(), json!(inside));
        }
    });
    let (operations, operation_ids) = operations(contract, descriptor, &own);
    DataSchemaDocument { id, title, operations, operation_ids, document }
}

/// Operations that take or return the schema, directly or inside another, or have it delivered, and those below the
/// path of a resource that it describes: `POST /v1/profiles/{id}/enrich` acts on a profile. Their names, and their ids.
fn operations(contract: &Contract, descriptor: &Value, own: &str) -> (Vec<String>, Vec<String>) {
    let is_delivered =
        descriptor.get(WEBHOOKS).is_some_and(|webhooks| reachable(descriptor, webhooks).contains(own));
    let resources: Vec<&str> = routes(descriptor)
        .filter(|route| route.method == "GET" && route.path.ends_with('}') && returns(route, own))
        .map(|route| route.path)
        .collect();
    let involved = |route: &Route<'_>| {
        let below = resources.iter().any(|resource| {
            route.path.strip_prefix(resource).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let subscribes = is_delivered && route.id() == contract.webhooks.subscribe;
        below || subscribes || bodies(descriptor, route).contains(own)
    };
    let mut involved: Vec<Route<'_>> = routes(descriptor).filter(involved).collect();
    involved.sort_by_key(|route| (route.path, route.name()));
    involved.iter().map(|route| (route.name(), route.id().to_owned())).unzip()
}

/// Whether 200 of the operation is the schema itself.
fn returns(route: &Route<'_>, own: &str) -> bool {
    route.operation.pointer("/responses/200/content/application~1json/schema/$ref") == Some(&json!(own))
}

/// Everything that the operation's bodies and those of its callbacks refer to.
fn bodies(descriptor: &Value, route: &Route<'_>) -> BTreeSet<String> {
    ["requestBody", "responses", "callbacks"]
        .iter()
        .filter_map(|part| route.operation.get(part))
        .flat_map(|part| reachable(descriptor, part))
        .collect()
}

/// The words of a name in Pascal case, lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        if letter.is_uppercase() || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// Words that are not written as other words are.
const SPELLINGS: [(&str, &str); 4] =
    [("api", "API"), ("graphql", "GraphQL"), ("jwk", "JWK"), ("oauth", "OAuth")];

/// The words as a title: `Job create`.
fn title(words: &[String]) -> String {
    let spelt: Vec<&str> = words
        .iter()
        .map(|word| {
            SPELLINGS.iter().find(|(plain, _)| plain == word).map_or(word.as_str(), |(_, spelling)| spelling)
        })
        .collect();
    let text = spelt.join(" ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
