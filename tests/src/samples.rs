//! One request per operation of the trait, from the contract's own examples and the operation table. What
//! only a running service knows, such as the id of a job, is made on the host that is asked, anew for
//! each request. An operation without an example has no sample, and the walks over all operations fail
//! until it has one.

use crate::{Reach, TestServer, audience, claims};
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes;
use argus_openapi::publish::examples::{Examples, OperationExamples};
use argus_openapi::publish::raw::raw;
use argus_openapi::row::{MadeBy, RequestBody};
use argus_openapi::{Access, Host, Operation};
use http::Method;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Whose requests the samples are.
#[derive(Clone, Debug)]
pub struct Names {
    /// The caller's tenant.
    pub tenant_id: String,
    /// The caller's organisation.
    pub organization_id: String,
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

static RAW: LazyLock<Value> = LazyLock::new(|| raw(&ARGUS).unwrap());
static EXAMPLES: LazyLock<Examples> = LazyLock::new(|| Examples::committed(&ARGUS).unwrap());

/// Every operation of the raw description, with its method and path.
pub fn operations_of_the_trait() -> Vec<(Operation, Method, String)> {
    let mut operations: Vec<_> = routes(&RAW)
        .map(|route| (known(route.id()), route.method.parse().unwrap(), route.path.to_owned()))
        .collect();
    operations.sort_by_key(|(operation, _, _)| *operation);
    operations
}

fn known(id: &str) -> Operation {
    Operation::from_id(id).unwrap_or_else(|| panic!("{id} has no row in the table"))
}

/// Values that another operation gave, by the parameter or member that takes them.
type Given = BTreeMap<&'static str, String>;

/// The sample of an operation for a host. Where the host serves what makes the sample's resources, they
/// are made there first.
pub async fn sample(server: &TestServer, names: &Names, operation: Operation, host: Host) -> Sample {
    let mut given = Given::new();
    for made_by in operation.row().made_by {
        if known(made_by.operation).served_by(host) {
            // What makes it may need a resource itself.
            given.extend(Box::pin(make(server, names, made_by, host)).await);
        }
    }
    build(names, operation, &given)
}

/// Makes a resource on a host.
async fn make(server: &TestServer, names: &Names, made_by: &MadeBy, host: Host) -> Given {
    let maker = sample(server, names, known(made_by.operation), host).await;
    let reply = succeed(server, names, &maker, host).await;
    let given: Given = made_by
        .gives
        .iter()
        .map(|given| {
            let value = reply.pointer(given.pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{} gives no {}", made_by.operation, given.pointer));
            (given.parameter, value.to_owned())
        })
        .collect();
    for id in made_by.then {
        succeed(server, names, &build(names, known(id), &given), host).await;
    }
    given
}

/// Sends a sample with the token that it needs, and reads the reply.
async fn succeed(server: &TestServer, names: &Names, sample: &Sample, host: Host) -> Value {
    let mut request = sample.request(server, host);
    if let Access::Scope(scope) = sample.operation.row().access {
        let mut claims = claims(audience(host), &names.tenant_id, &[scope]);
        claims.organization_id.clone_from(&names.organization_id);
        request = request.bearer_auth(server.sign(&claims));
    }
    let answer = server.send(request).await;
    assert!(answer.status.is_success(), "{} on {}\n{answer:?}", sample.operation.id(), host.name());
    answer.json()
}

/// The sample of an operation from its examples and what was given.
fn build(names: &Names, operation: Operation, given: &Given) -> Sample {
    let raw = routes(&RAW).find(|route| route.id() == operation.id());
    let raw = raw.unwrap_or_else(|| panic!("the trait has no {}", operation.id()));
    let example = example(operation);
    let mut sample = Sample {
        operation,
        method: raw.method.parse().unwrap(),
        path: path(operation, raw.path, &example, given),
        headers: Vec::new(),
        body: body(operation, &example, given),
    };
    let mut query = Vec::new();
    for parameter in raw.operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let value = example.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = value.map(|(_, value)| as_text(value));
        match parameter["in"].as_str() {
            Some("path") => {}
            // The one header that must be true of the caller.
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
    sample
}

fn example(operation: Operation) -> OperationExamples {
    match EXAMPLES.operations.get(operation.id()) {
        Some(example) => example.clone(),
        // What is never published needs one only where it takes something.
        None if !operation.is_published() => OperationExamples::default(),
        None => panic!("{} needs an example in openapi/policy/examples", operation.id()),
    }
}

/// The path as a partner calls it, with a value for each variable.
fn path(operation: Operation, routed: &str, example: &OperationExamples, given: &Given) -> String {
    let mut path = operation.row().published_path.map_or(routed, |path| path.template).to_owned();
    while let Some((name, _)) = path.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
        let value = given.get(name).cloned().or_else(|| example.parameters.get(name).map(as_text));
        let value = value.unwrap_or_else(|| panic!("{}: no example of `{name}`", operation.id()));
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    path
}

/// The body: the example's, with what a test must send instead of a hint, and with what was given.
fn body(operation: Operation, example: &OperationExamples, given: &Given) -> Option<(&'static str, Vec<u8>)> {
    let body = operation.row().body;
    let media_type = body.media_type();
    assert_eq!(media_type.is_some(), example.request.is_some(), "the example request of {}", operation.id());
    let mut members: Map<String, Value> = example.request.as_ref()?.as_object().unwrap().clone();
    members.extend(example.sample.iter().map(|(name, value)| (name.clone(), in_full(value))));
    for (name, value) in given {
        if let Some(member) = members.get_mut(*name) {
            *member = Value::from(value.as_str());
        }
    }
    let content = match body {
        RequestBody::Form => {
            let fields: Vec<_> = members.iter().map(|(name, value)| (name, as_text(value))).collect();
            serde_urlencoded::to_string(fields).unwrap().into_bytes()
        }
        _ => serde_json::to_vec(&members).unwrap(),
    };
    Some((media_type?, content))
}

/// A member of a sample: `{"file": path}` is the text of a file below `openapi`.
fn in_full(value: &Value) -> Value {
    let Some(path) = value.get("file").and_then(Value::as_str) else { return value.clone() };
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi").join(path);
    Value::from(std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
