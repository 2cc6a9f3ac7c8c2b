//! One request per operation of the trait, from the contract's own examples. An operation without an
//! example has no sample, and the walks over all operations fail until it has one.

use crate::{AppCredentials, Reach};
use argus_openapi::publish::raw::raw;
use argus_openapi::{Host, Operation};
use http::Method;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// What stands in the samples for names that only a running server gives.
#[derive(Clone, Debug)]
pub struct Names {
    /// An app that exists, whose secret nobody needs.
    pub client_id: String,
    /// An app that asks for tokens.
    pub credentials: AppCredentials,
    /// The caller's tenant.
    pub tenant_id: String,
    /// The caller's organisation.
    pub organization_id: String,
    /// A job of the sandbox.
    pub job_id: String,
    /// A webhook of the sandbox.
    pub webhook_id: String,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is asked for.
    pub operation: Operation,
    /// Method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Headers that the operation documents.
    pub headers: Vec<(String, String)>,
    /// Media type and content.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl Sample {
    /// The request to a host, still without a token.
    pub fn request(&self, reach: &Reach, host: Host) -> reqwest::RequestBuilder {
        let mut request = reach.request(host, self.method.clone(), &self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            Some((media_type, body)) => request.header("content-type", *media_type).body(body.clone()),
            None => request,
        }
    }
}

static RAW: LazyLock<Value> = LazyLock::new(|| raw().unwrap());
static EXAMPLES: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../openapi/policy/examples.json")).unwrap());

/// Every operation of the raw description, with its method and path.
pub fn operations_of_the_trait() -> Vec<(Operation, Method, String)> {
    let mut operations = Vec::new();
    for (path, methods) in RAW["paths"].as_object().unwrap() {
        for (method, description) in methods.as_object().unwrap() {
            let id = description["operationId"].as_str().unwrap();
            let operation = Operation::from_id(id).unwrap_or_else(|| panic!("{id} has no row in the table"));
            operations.push((operation, method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    operations.sort_by_key(|(operation, _, _)| *operation);
    operations
}

/// The sample of an operation.
pub fn sample(operation: Operation, names: &Names) -> Sample {
    let (_, method, template) = operations_of_the_trait()
        .into_iter()
        .find(|(candidate, _, _)| *candidate == operation)
        .unwrap_or_else(|| panic!("the trait has no {}", operation.id()));
    let example = example(operation);
    let mut sample = Sample { operation, method, path: template.clone(), headers: Vec::new(), body: None };
    let mut query = Vec::new();
    for parameter in RAW["paths"][&template][sample.method.as_str().to_lowercase()]["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = parameter["name"].as_str().unwrap();
        let value = example["parameters"]
            .as_object()
            .and_then(|values| values.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|(_, value)| as_text(value));
        match parameter["in"].as_str() {
            Some("path") => {
                let value = named(operation, name, value, names);
                sample.path = sample.path.replace(&format!("{{{name}}}"), &value);
            }
            Some("header") if name.eq_ignore_ascii_case("x-tenant-id") => {
                sample.headers.push((name.to_owned(), names.tenant_id.clone()));
            }
            Some("header") => sample.headers.extend(value.map(|value| (name.to_owned(), value))),
            _ => query.extend(value.map(|value| (name.to_owned(), value))),
        }
    }
    if !query.is_empty() {
        sample.path.push('?');
        sample.path.push_str(&serde_urlencoded::to_string(query).unwrap());
    }
    sample.body = body(operation, &example, names);
    let takes_body =
        RAW["paths"][&template][sample.method.as_str().to_lowercase()]["requestBody"].is_object();
    assert_eq!(takes_body, sample.body.is_some(), "the example request of {}", operation.id());
    sample
}

fn example(operation: Operation) -> Value {
    if let Some(example) = EXAMPLES["operations"].get(operation.id()) {
        return example.clone();
    }
    // What is never published has no example in the policy.
    match operation {
        Operation::OpenapiJsonHead
        | Operation::OpenapiYamlHead
        | Operation::ApiCatalogHead
        | Operation::OauthMetadataView
        | Operation::HealthView
        | Operation::ReadinessView
        | Operation::MetricsView => json!({}),
        Operation::DataSchemaHead => EXAMPLES["operations"]["data_schema_view"].clone(),
        Operation::TenantBootstrap => json!({"request": {"name": "Example tenant"}}),
        _ => panic!("{} needs an example in openapi/policy/examples.json", operation.id()),
    }
}

/// The value of a path parameter: that of the example, unless only the server knows a real one.
fn named(operation: Operation, parameter: &str, example: Option<String>, names: &Names) -> String {
    match (parameter, operation) {
        ("client_id", _) => names.client_id.clone(),
        ("webhook_id", _) => names.webhook_id.clone(),
        ("id", Operation::JobView | Operation::JobCancel | Operation::JobResult) => names.job_id.clone(),
        ("file", _) => {
            let id = EXAMPLES["operations"]["data_schema_view"]["parameters"]["id"].as_str().unwrap();
            format!("{id}.json")
        }
        _ => example.unwrap_or_else(|| panic!("{}: no example of `{parameter}`", operation.id())),
    }
}

fn body(operation: Operation, example: &Value, names: &Names) -> Option<(&'static str, Vec<u8>)> {
    let mut request = example.get("request")?.clone();
    match operation {
        Operation::OauthToken => {
            let mut form: Map<String, Value> = request.as_object().unwrap().clone();
            form.insert("client_id".to_owned(), json!(names.credentials.client_id));
            form.insert("client_secret".to_owned(), json!(names.credentials.client_secret));
            let fields: Vec<(String, String)> =
                form.into_iter().map(|(name, value)| (name, as_text(&value))).collect();
            let form = serde_urlencoded::to_string(fields).unwrap();
            return Some(("application/x-www-form-urlencoded", form.into_bytes()));
        }
        Operation::GraphqlExecute => {
            request["query"] = json!(include_str!("../../openapi/graphql/profile-risk.graphql"));
            request["variables"] = json!({"id": "p1"});
        }
        _ => {}
    }
    Some(("application/json", serde_json::to_vec(&request).unwrap()))
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
