//! One request per operation of a contract, from its own examples and its operation table: what the walks
//! over all operations send. An operation without an example has no sample, and the walks fail until it
//! has one. How a sample is sent, and what makes the resources that it names, does not live here.

#![allow(clippy::unwrap_used)]

use argus_openapi::contract::Contract;
use argus_openapi::publish::document::{Route, routes};
use argus_openapi::publish::examples::{Examples, OperationExamples};
use argus_openapi::publish::raw::raw;
use argus_openapi::read::RequestParts;
use argus_openapi::row::{MadeBy, OperationRow, RequestBody};
use http::Method;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A request.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is asked for.
    pub row: &'static OperationRow,
    /// Method.
    pub method: Method,
    /// The path template, as it is published.
    pub template: String,
    /// The values of its variables.
    pub path_parameters: Vec<(String, String)>,
    /// The query string, without the `?`.
    pub query: String,
    /// Headers that the operation documents.
    pub headers: Vec<(String, String)>,
    /// Media type and content.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// What was made for it.
    pub given: Given,
}

impl Sample {
    /// Path and query, as they stand in a request.
    pub fn target(&self) -> String {
        let mut target = self.template.clone();
        for (name, value) in &self.path_parameters {
            target = target.replace(&format!("{{{name}}}"), value);
        }
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&self.query);
        }
        target
    }

    /// Leads the request where a signed URL does, whose path has the segments of the template.
    pub fn lead_to(&mut self, signed_url: &str) {
        let (place, query) = signed_url.split_once('?').unwrap();
        query.clone_into(&mut self.query);
        let (segments, count) = (place.rsplit('/'), self.path_parameters.len());
        let mut segments: Vec<&str> = segments.take(count).collect();
        segments.reverse();
        for ((_, value), segment) in self.path_parameters.iter_mut().zip(segments) {
            segment.clone_into(value);
        }
    }

    /// The request's parts, for whoever answers it without HTTP.
    pub fn parts(&self) -> RequestParts<'_> {
        RequestParts {
            path: &self.path_parameters,
            query: &self.query,
            headers: &self.headers,
            content_type: self.body.as_ref().map(|(media_type, _)| media_type.as_bytes()),
            body: self.body.as_ref().map_or(&[], |(_, content)| content),
        }
    }
}

/// Values that another operation gave, by the parameter or member that takes them.
pub type Given = BTreeMap<&'static str, String>;

/// What the reply to a sample gives to other requests, with what the sample itself was given: they may need to name
/// both.
pub fn given(made_by: &MadeBy, maker: &Sample, reply: &Value) -> Given {
    let text = |pointer| {
        let value = reply.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("{} gives no {pointer}", made_by.operation)).to_owned()
    };
    let gives = made_by.gives.iter().map(|given| (given.parameter, text(given.pointer)));
    maker.given.clone().into_iter().chain(gives).collect()
}

/// What samples are made from.
pub struct Source {
    contract: &'static Contract,
    raw: Value,
    examples: Examples,
}

impl Source {
    /// The trait and the examples of a contract.
    pub fn new(contract: &'static Contract) -> Self {
        Self { contract, raw: raw(contract).unwrap(), examples: Examples::committed(contract).unwrap() }
    }

    /// The row of an operation.
    pub fn row(&self, id: &str) -> &'static OperationRow {
        self.contract.row(id).unwrap_or_else(|| panic!("{id} has no row in the table"))
    }

    /// The sample of an operation for a caller of a tenant, with what other operations gave.
    pub fn sample(&self, row: &'static OperationRow, tenant_id: &str, given: &Given) -> Sample {
        let raw = routes(&self.raw).find(|route| route.id() == row.id);
        let raw = raw.unwrap_or_else(|| panic!("the trait has no {}", row.id));
        let example = match self.examples.operations.get(row.id) {
            Some(example) => example,
            // What is never published needs one only where it takes something.
            None if !row.is_published() => &OperationExamples::default(),
            None => panic!("{} needs an example in openapi/policy/examples", row.id),
        };
        let template = row.published_path.map_or(raw.path, |path| path.template);
        let (headers, query) = parameters(&raw, example, tenant_id, given);
        Sample {
            row,
            method: raw.method.parse().unwrap(),
            template: template.to_owned(),
            path_parameters: path_parameters(row, template, example, given),
            query: serde_urlencoded::to_string(query).unwrap(),
            headers,
            body: body(row, example, given),
            given: given.clone(),
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

/// Names with their values.
type Pairs = Vec<(String, String)>;

/// The headers and the query parameters that have an example.
fn parameters(
    raw: &Route<'_>,
    example: &OperationExamples,
    tenant_id: &str,
    given: &Given,
) -> (Pairs, Pairs) {
    let (mut headers, mut query) = (Pairs::new(), Pairs::new());
    for parameter in raw.operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let value = example.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = value.map(|(_, value)| as_text(value));
        match parameter["in"].as_str() {
            Some("path") => {}
            // The one header that must be true of the caller.
            Some("header") if name.eq_ignore_ascii_case("x-tenant-id") => {
                headers.push((name.to_owned(), tenant_id.to_owned()));
            }
            Some("header") => headers.extend(value.map(|value| (name.to_owned(), value))),
            // What was given counts before the example, where there is one at all.
            _ => {
                query.extend(value.map(|value| (name.to_owned(), given.get(name).cloned().unwrap_or(value))))
            }
        }
    }
    (headers, query)
}

/// A value for each variable of the path.
fn path_parameters(row: &OperationRow, template: &str, example: &OperationExamples, given: &Given) -> Pairs {
    let variables = template.split('{').skip(1).filter_map(|part| part.split_once('}'));
    let value = |name: &str| {
        let value = given.get(name).cloned().or_else(|| example.parameters.get(name).map(as_text));
        value.unwrap_or_else(|| panic!("{}: no example of `{name}`", row.id))
    };
    variables.map(|(name, _)| (name.to_owned(), value(name))).collect()
}

/// The body: the example's, with what a test must send instead of a hint, and with what was given.
fn body(row: &OperationRow, example: &OperationExamples, given: &Given) -> Option<(&'static str, Vec<u8>)> {
    let media_type = row.body.media_type();
    assert_eq!(media_type.is_some(), example.request().is_some(), "the example request of {}", row.id);
    let mut members: Map<String, Value> = example.request()?.as_object().unwrap().clone();
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
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi").join(path);
    Value::from(std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
