//! Every answer that a test receives, judged by the published descriptor: its status is documented for the
//! operation, and so are media type, body and each header; what is documented as required is there. A
//! request that no operation takes is judged by what the descriptor says of such requests. What is exempt
//! stands here, each with its reason.

use crate::{Answer, operations_of_the_trait};
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes;
use argus_openapi::published::DESCRIPTOR_JSON;
use http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

/// Headers that belong to HTTP's own framing. OpenAPI ignores `Content-Type` among headers: the media type
/// stands in `content`.
const FRAMING: [&str; 6] =
    ["connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"];

/// What the descriptor does not speak of, and why.
type Exemption = (&'static str, fn(&Asked<'_>, &Answer) -> bool);

const EXEMPT: [Exemption; 3] = [
    ("the operation is never published", |asked, _| asked.is_internal()),
    ("HTTP defines OPTIONS; the descriptor has a sentence on it", |asked, answer| {
        *asked.method == Method::OPTIONS && answer.status == 204
    }),
    ("the HTTP parser answers to what is no HTTP, before there is a request", |_, answer| {
        matches!(answer.status.as_u16(), 400 | 414 | 431)
            && answer.body.is_empty()
            && !answer.headers.contains_key("x-request-id")
    }),
];

/// Where an issuer without a path has its metadata.
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// What was asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The host that was asked.
    pub host: Host,
    /// Method.
    pub method: &'a Method,
    /// Path, without its query.
    pub path: &'a str,
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DESCRIPTOR_JSON).unwrap());

static INTERNAL: LazyLock<Vec<(&'static [Host], Method, String)>> = LazyLock::new(|| {
    operations_of_the_trait(&ARGUS)
        .into_iter()
        .filter(|(row, _, _)| !row.is_published())
        .map(|(row, method, path)| (row.hosts, method, path))
        .collect()
});

impl Asked<'_> {
    /// The method whose operation answers: what HEAD brings is said of GET.
    fn operation_method(&self) -> &Method {
        if *self.method == Method::HEAD { &Method::GET } else { self.method }
    }

    fn is_internal(&self) -> bool {
        INTERNAL.iter().any(|(hosts, method, path)| {
            hosts.contains(&self.host) && method == self.operation_method() && fits(path, self.path)
        })
    }

    /// The path as it is published. Behind that of the metadata RFC 8414 puts the issuer's own, where it has
    /// one; behind it there is nothing else, as a 404 says.
    fn published_path(&self, answer: &Answer) -> &str {
        let of_an_issuer = self.path.strip_prefix(METADATA).is_some_and(|rest| rest.starts_with('/'));
        if of_an_issuer && answer.status != 404 { METADATA } else { self.path }
    }

    /// The responses that the descriptor documents: the operation's, or those of no operation.
    fn responses(&self, answer: &Answer) -> &'static Value {
        let path = self.published_path(answer);
        let operation = routes(&DOCUMENT).find(|route| {
            route.method == self.operation_method().as_str()
                && fits(route.path, path)
                && route.operation["x-argus-hosts"].as_array().unwrap().contains(&json!(self.host.name()))
        });
        operation.map_or(&DOCUMENT["x-argus-unrouted"], |route| &route.operation["responses"])
    }
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    template.split('/').count() == path.split('/').count()
        && template.split('/').zip(path.split('/')).all(|(template, segment)| {
            let Some((prefix, rest)) = template.split_once('{') else { return template == segment };
            let (_, suffix) = rest.split_once('}').unwrap();
            segment.len() > prefix.len() + suffix.len()
                && segment.starts_with(prefix)
                && segment.ends_with(suffix)
        })
}

/// Asserts that an answer is one that the descriptor publishes.
#[track_caller]
pub fn assert_published(asked: &Asked<'_>, answer: &Answer) {
    if let Err(difference) = judge(asked, answer) {
        panic!("{difference}");
    }
}

/// Judges an answer. The error says in what it is not one that the descriptor publishes.
pub(crate) fn judge(asked: &Asked<'_>, answer: &Answer) -> Result<(), String> {
    if EXEMPT.iter().any(|(_, holds)| holds(asked, answer)) {
        return Ok(());
    }
    let faults = faults(asked, answer);
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} {} on {}: what is served is not what is published:\n  {}\n{answer:?}",
        asked.method,
        asked.path,
        asked.host.name(),
        faults.join("\n  ")
    ))
}

fn faults(asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
    // A range such as `4XX` documents nothing that a caller could rely on.
    let response = &asked.responses(answer)[answer.status.as_str()];
    if response.is_null() {
        return vec![format!("the status {} is not documented", answer.status)];
    }
    let response = resolve(response);
    let mut faults = content_faults(asked, answer, response);
    faults.extend(header_faults(answer, response));
    faults
}

fn content_faults(asked: &Asked<'_>, answer: &Answer, response: &'static Value) -> Vec<String> {
    let sent = answer.headers.get("content-type").map(|value| value.to_str().unwrap());
    let documented = response.get("content").and_then(Value::as_object);
    let (sent, documented) = match (sent, documented) {
        (None, None) if answer.body.is_empty() => return Vec::new(),
        (Some(sent), Some(documented)) => (sent, documented),
        (sent, documented) => {
            let documented = documented.map(|content| content.keys().collect::<Vec<_>>());
            return vec![format!("it has the content {sent:?}, documented is {documented:?}")];
        }
    };
    let Some(media) = documented.get(sent) else {
        return vec![format!("the media type {sent} is not documented")];
    };
    if *asked.method == Method::HEAD {
        return if answer.body.is_empty() { Vec::new() } else { vec!["HEAD has a body".to_owned()] };
    }
    let essence = sent.split(';').next().unwrap_or_default();
    let body = if essence.ends_with("json") {
        match serde_json::from_slice(&answer.body) {
            Ok(body) => body,
            Err(error) => return vec![format!("the body is no JSON: {error}")],
        }
    } else {
        Value::from(String::from_utf8_lossy(&answer.body))
    };
    misfits(&media["schema"], &body).map(|misfit| format!("the body does not fit: {misfit}")).collect()
}

fn header_faults(answer: &Answer, response: &'static Value) -> Vec<String> {
    let mut faults = Vec::new();
    let documented: HashMap<String, &Value> = response["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, header)| (name.to_ascii_lowercase(), resolve(header)))
        .collect();
    for (name, value) in &answer.headers {
        if FRAMING.contains(&name.as_str()) {
            continue;
        }
        let Some(header) = documented.get(name.as_str()) else {
            faults.push(format!("the header {name} is not documented for this status"));
            continue;
        };
        let text = String::from_utf8_lossy(value.as_bytes());
        let value = match header["schema"]["type"].as_str() {
            Some("integer") => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
            _ => json!(text),
        };
        faults.extend(misfits(&header["schema"], &value).map(|misfit| format!("{name}: {misfit}")));
    }
    for (name, header) in documented {
        if header["required"] == true && !answer.headers.contains_key(&name) {
            faults.push(format!("the header {name} is required and not there"));
        }
    }
    faults
}

/// The published schema of an operation's body; none for an operation without a body.
pub fn request_body(id: &str) -> Option<&'static Value> {
    let content = &resolve(operation(id)?.get("requestBody")?)["content"];
    content.as_object()?.values().next().map(|media| &media["schema"])
}

/// The published examples of an operation's body, where they are of several shapes.
pub fn request_examples(id: &str) -> Vec<&'static Value> {
    let body = operation(id).map(|operation| resolve(&operation["requestBody"]));
    let media = body.and_then(|body| body["content"].as_object()?.values().next());
    let named = media.and_then(|media| media["examples"].as_object());
    named.into_iter().flatten().map(|(_, example)| &example["value"]).collect()
}

/// The schema that a sample fits: of several shapes, that of its kind.
pub fn shape_of(schema: &'static Value, sample: &Value) -> &'static Value {
    let schema = resolve(schema);
    let shapes = schema["oneOf"].as_array();
    shapes.into_iter().flatten().find(|shape| validator(shape).is_valid(sample)).map_or(schema, resolve)
}

/// The published schemas of an operation's parameters of one kind, by name.
pub fn parameters(id: &str, kind: &str) -> BTreeMap<String, &'static Value> {
    let parameters = operation(id).and_then(|operation| operation["parameters"].as_array());
    let parameters = parameters.into_iter().flatten().map(resolve);
    let of_the_kind = parameters.filter(|parameter| parameter["in"] == kind);
    of_the_kind
        .map(|parameter| (parameter["name"].as_str().unwrap().to_owned(), &parameter["schema"]))
        .collect()
}

/// Every published operation's id.
pub fn operations() -> impl Iterator<Item = &'static str> {
    routes(&DOCUMENT).map(|route| route.operation["operationId"].as_str().unwrap())
}

fn operation(id: &str) -> Option<&'static Value> {
    routes(&DOCUMENT).find(|route| route.id() == id).map(|route| route.operation)
}

/// Fails unless a request that a receiver got is one that the contract publishes as the delivery of this event.
pub fn assert_delivers(event: &str, headers: &http::HeaderMap, body: &[u8]) {
    let delivery = &DOCUMENT["webhooks"][event]["post"];
    assert!(delivery.is_object(), "{event} is not published");
    assert_is_delivery(delivery, headers, body);
}

/// Fails unless a request that a receiver got is the published callback of an operation.
pub fn assert_calls_back(id: &str, headers: &http::HeaderMap, body: &[u8]) {
    let callbacks = operation(id).and_then(|operation| operation["callbacks"].as_object());
    let urls = callbacks.and_then(|callbacks| callbacks.values().next()?.as_object());
    let item = urls.and_then(|urls| urls.values().next()).unwrap_or_else(|| panic!("{id} has no callback"));
    assert_is_delivery(&item["post"], headers, body);
}

fn assert_is_delivery(delivery: &'static Value, headers: &http::HeaderMap, body: &[u8]) {
    let body: Value = serde_json::from_slice(body).unwrap();
    let content = &delivery["requestBody"]["content"]["application/json"];
    let misfits: Vec<String> = misfits(&content["schema"], &body).collect();
    assert!(misfits.is_empty(), "{misfits:?}: {body:#}");
    let published: Vec<&Value> = delivery["parameters"].as_array().unwrap().iter().map(resolve).collect();
    for header in &published {
        let name = header["name"].as_str().unwrap();
        assert!(header["required"] != true || headers.contains_key(name), "{name}: {headers:?}");
    }
    // What belongs to any HTTP request is nobody's to publish.
    let told = |name: &str| {
        published.iter().any(|header| header["name"].as_str().unwrap().eq_ignore_ascii_case(name))
    };
    let own = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-") || name.starts_with("webhook-") || name.starts_with("trace"));
    own.for_each(|name| assert!(told(name), "{name} is not published"));
}

/// The value, or what it refers to.
pub fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(target) => DOCUMENT.pointer(target.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Where a value does not fit a schema whose references lead into the descriptor.
fn misfits(schema: &Value, value: &Value) -> impl Iterator<Item = String> {
    let validator = validator(schema);
    let misfits: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    misfits.into_iter()
}

/// Validators take long to build, and most answers share a few.
pub fn validator(schema: &Value) -> Arc<Validator> {
    static BUILT: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let key = schema.to_string();
    if let Some(built) = BUILT.lock().unwrap().get(&key) {
        return Arc::clone(built);
    }
    let root = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
    let built = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&root)
        .unwrap_or_else(|error| panic!("{error} in {schema}"));
    let built = Arc::new(built);
    BUILT.lock().unwrap().insert(key, Arc::clone(&built));
    built
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderName, StatusCode};

    const EVERYWHERE: [(&str, &str); 5] = [
        ("x-request-id", "7b6f1c1e-5a4f-4f0e-9d0e-3f6f0f0e8a11"),
        ("x-argus-trace-id", "0af7651916cd43dd8448eb211c80319c"),
        ("x-argus-span-id", "b7ad6b7169203331"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("cache-control", "no-store"),
    ];

    fn answer(status: u16, body: &str, more: &[(&str, &str)]) -> Answer {
        let json = [("content-type", "application/json"), ("date", "today")];
        let mut headers = HeaderMap::new();
        for (name, value) in EVERYWHERE.iter().chain(&json).chain(more) {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    fn found(method: &Method, path: &str, answer: &Answer) -> String {
        faults(&Asked { host: Host::Auth, method, path }, answer).join("; ")
    }

    const SCOPES: &str = "/v1/platform/scopes";
    const SCOPE: &str = r#"{"scopes": [{"name": "argus:jobs:read", "description": "d"}]}"#;
    const ERROR: &str = r#"{"error_code": "internal", "message": "m"}"#;

    #[test]
    fn what_is_published_has_no_fault() {
        assert_eq!(found(&Method::GET, SCOPES, &answer(200, SCOPE, &[])), "");
        assert_eq!(found(&Method::HEAD, SCOPES, &answer(200, "", &[])), "");
        assert_eq!(found(&Method::GET, SCOPES, &answer(503, ERROR, &[("retry-after", "1")])), "");
        assert_eq!(found(&Method::GET, "/nowhere", &answer(404, ERROR, &[])), "");
    }

    #[test]
    fn the_metadata_of_an_issuer_with_a_path_is_judged_as_that_of_one_without() {
        let of_an_issuer = |answer| found(&Method::GET, &format!("{METADATA}/tenants/one"), &answer);
        assert!(of_an_issuer(answer(200, "{}", &[])).contains("\"issuer\" is a required property"));
        assert!(of_an_issuer(answer(200, "{}", &[("nonsense", "x")])).contains("nonsense is not documented"));
        assert_eq!(of_an_issuer(answer(404, ERROR, &[])), "");
    }

    #[test]
    fn what_is_not_published_is_named() {
        // Beside the single statuses there is a range, which documents none.
        assert!(!DOCUMENT["paths"][SCOPES]["get"]["responses"]["4XX"].is_null());
        let none = [("nonsense", "x")];
        for (status, body, more, named) in [
            (418, ERROR, &[][..], "the status 418"),
            (200, "{}", &[], "\"scopes\" is a required property"),
            (200, "nonsense", &[], "the body is no JSON"),
            (200, SCOPE, &[("content-type", "text/plain")], "the media type text/plain"),
            (200, SCOPE, &none, "the header nonsense is not documented"),
            (200, SCOPE, &[("retry-after", "1")], "the header retry-after is not documented"),
            (200, SCOPE, &[("x-argus-trace-id", "x")], "x-argus-trace-id: "),
            (503, ERROR, &[("retry-after", "soon")], "retry-after: "),
            (503, ERROR, &[], "the header retry-after is required"),
        ] {
            let found = found(&Method::GET, SCOPES, &answer(status, body, more));
            assert!(found.contains(named), "{status} {body} {more:?}: {found:?}");
        }
        assert!(found(&Method::HEAD, SCOPES, &answer(200, SCOPE, &[])).contains("HEAD has a body"));
        // Another host does not serve it, and another method is none of it.
        assert!(found(&Method::GET, "/v1/jobs", &answer(200, "{}", &[])).contains("200"));
        assert!(found(&Method::PUT, SCOPES, &answer(405, ERROR, &[])).contains("allow is required"));
    }
}
