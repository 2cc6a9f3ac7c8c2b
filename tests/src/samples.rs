//! One request per operation of the trait, from the contract's own examples and the operation table. What
//! only a running service knows, such as the id of a job, is made on the host that is asked, anew for
//! each request. An operation without an example has no sample, and the walks over all operations fail
//! until it has one.

use crate::{Reach, TestServer, audience, claims};
use argus_openapi::Host;
use argus_openapi::contract::Contract;
use argus_openapi::publish::document::{Route, routes};
use argus_openapi::publish::examples::{Examples, OperationExamples};
use argus_openapi::publish::raw::raw;
use argus_openapi::row::{Access, MadeBy, OperationRow, RequestBody};
use http::Method;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A request.
#[derive(Clone)]
pub struct Sample {
    /// What is asked for.
    pub row: &'static OperationRow,
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

/// The samples of a contract, as requests of one tenant.
pub struct Samples {
    contract: &'static Contract,
    raw: Value,
    examples: Examples,
    /// The caller's tenant.
    pub tenant_id: String,
    /// The caller's organisation.
    pub organization_id: String,
}

/// Values that another operation gave, by the parameter or member that takes them.
type Given = BTreeMap<&'static str, String>;

impl Samples {
    /// The samples of a contract for a tenant.
    pub fn new(contract: &'static Contract, tenant_id: &str, organization_id: &str) -> Self {
        Self {
            contract,
            raw: raw(contract).unwrap(),
            examples: Examples::committed(contract).unwrap(),
            tenant_id: tenant_id.to_owned(),
            organization_id: organization_id.to_owned(),
        }
    }

    /// The sample of an operation for a host. Where the host serves what makes the sample's resources,
    /// they are made there first.
    pub async fn of(&self, server: &TestServer, row: &'static OperationRow, host: Host) -> Sample {
        let mut given = Given::new();
        for made_by in row.made_by {
            if self.row(made_by.operation).served_by(host) {
                // What makes it may need a resource itself.
                given.extend(Box::pin(self.make(server, made_by, host)).await);
            }
        }
        self.build(row, &given)
    }

    /// Makes a resource on a host.
    async fn make(&self, server: &TestServer, made_by: &MadeBy, host: Host) -> Given {
        let maker = self.of(server, self.row(made_by.operation), host).await;
        let reply = self.succeed(server, &maker, host).await;
        let given: Given = made_by
            .gives
            .iter()
            .map(|given| {
                let value = reply.pointer(given.pointer).and_then(Value::as_str);
                let value = value.unwrap_or_else(|| panic!("{} gives no {}", maker.row.id, given.pointer));
                (given.parameter, value.to_owned())
            })
            .collect();
        for id in made_by.then {
            self.succeed(server, &self.build(self.row(id), &given), host).await;
        }
        given
    }

    /// Sends a sample with the token that it needs, and reads the reply.
    async fn succeed(&self, server: &TestServer, sample: &Sample, host: Host) -> Value {
        let mut request = sample.request(server, host);
        if let Access::Scope(scope) = sample.row.access {
            let mut claims = claims(audience(host), &self.tenant_id, &[scope]);
            claims.organization_id.clone_from(&self.organization_id);
            request = request.bearer_auth(server.sign(&claims));
        }
        let answer = server.send(request).await;
        assert!(answer.status.is_success(), "{} on {}\n{answer:?}", sample.row.id, host.name());
        answer.json()
    }

    fn row(&self, id: &str) -> &'static OperationRow {
        self.contract.row(id).unwrap_or_else(|| panic!("{id} has no row in the table"))
    }

    /// The sample of an operation from its examples and what was given.
    fn build(&self, row: &'static OperationRow, given: &Given) -> Sample {
        let raw = routes(&self.raw).find(|route| route.id() == row.id);
        let raw = raw.unwrap_or_else(|| panic!("the trait has no {}", row.id));
        let example = match self.examples.operations.get(row.id) {
            Some(example) => example,
            // What is never published needs one only where it takes something.
            None if !row.is_published() => &OperationExamples::default(),
            None => panic!("{} needs an example in openapi/policy/examples", row.id),
        };
        let mut sample = Sample {
            row,
            method: raw.method.parse().unwrap(),
            path: path(row, raw.path, example, given),
            headers: Vec::new(),
            body: body(row, example, given),
        };
        self.add_parameters(&mut sample, &raw, example);
        sample
    }

    /// Adds the headers and the query parameters that have an example.
    fn add_parameters(&self, sample: &mut Sample, raw: &Route<'_>, example: &OperationExamples) {
        let mut query = Vec::new();
        for parameter in raw.operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let value = example.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            let value = value.map(|(_, value)| as_text(value));
            match parameter["in"].as_str() {
                Some("path") => {}
                // The one header that must be true of the caller.
                Some("header") if name.eq_ignore_ascii_case("x-tenant-id") => {
                    sample.headers.push((name.to_owned(), self.tenant_id.clone()));
                }
                Some("header") => sample.headers.extend(value.map(|value| (name.to_owned(), value))),
                _ => query.extend(value.map(|value| (name.to_owned(), value))),
            }
        }
        if !query.is_empty() {
            sample.path.push('?');
            sample.path.push_str(&serde_urlencoded::to_string(query).unwrap());
        }
    }
}

/// Every operation that a contract's trait describes, with its method and path, in the order of the table.
pub fn operations_of_the_trait(contract: &'static Contract) -> Vec<(&'static OperationRow, Method, String)> {
    let raw = raw(contract).unwrap();
    let mut operations: Vec<_> = routes(&raw)
        .map(|route| {
            let place = contract.rows.iter().position(|row| row.id == route.id());
            let place = place.unwrap_or_else(|| panic!("{} has no row in the table", route.id()));
            (place, route.method.parse().unwrap(), route.path.to_owned())
        })
        .collect();
    operations.sort_by_key(|(place, _, _)| *place);
    operations.into_iter().map(|(place, method, path)| (&contract.rows[place], method, path)).collect()
}

/// The path as a partner calls it, with a value for each variable.
fn path(row: &OperationRow, routed: &str, example: &OperationExamples, given: &Given) -> String {
    let mut path = row.published_path.map_or(routed, |path| path.template).to_owned();
    while let Some((name, _)) = path.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
        let value = given.get(name).cloned().or_else(|| example.parameters.get(name).map(as_text));
        let value = value.unwrap_or_else(|| panic!("{}: no example of `{name}`", row.id));
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    path
}

/// The body: the example's, with what a test must send instead of a hint, and with what was given.
fn body(row: &OperationRow, example: &OperationExamples, given: &Given) -> Option<(&'static str, Vec<u8>)> {
    let media_type = row.body.media_type();
    assert_eq!(media_type.is_some(), example.request.is_some(), "the example request of {}", row.id);
    let mut members: Map<String, Value> = example.request.as_ref()?.as_object().unwrap().clone();
    members.extend(example.sample.iter().map(|(name, value)| (name.clone(), in_full(value))));
    for (name, value) in given {
        if let Some(member) = members.get_mut(*name) {
            *member = Value::from(value.as_str());
        }
    }
    let content = match row.body {
        RequestBody::Form => {
            let fields: Vec<_> = members.iter().map(|(name, value)| (name, as_text(value))).collect();
            serde_urlencoded::to_string(fields).unwrap().into_bytes()
        }
        _ => serde_json::to_vec(&members).unwrap(),
    };
    Some((media_type?.as_str(), content))
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
