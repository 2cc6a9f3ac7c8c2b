//! What is sent to both hosts: each example of a request, and what can be wrong with one.

use argus_openapi::Access;
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::examples::Examples;
use argus_openapi::row::{OperationRow, RequestBody};
use argus_tests::operations_of_the_trait;
use http::Method;
use serde_json::json;

/// In which state the request finds what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As the operations make it that the table names.
    AsMade,
    /// A job that nobody has begun.
    Waiting,
    /// A job that has succeeded.
    Succeeded,
    /// A job that has failed.
    Failed,
    /// A job that was cancelled long ago.
    Cancelled,
    /// A job that was cancelled just now.
    CancelledNow,
    /// It is not there.
    Unknown,
    /// What is named is no identifier.
    NoIdentifier,
}

/// Which token is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    /// One with every scope.
    Good,
    /// None.
    None,
    /// What is no token.
    Broken,
    /// One of the other environment.
    OfTheOther,
    /// One that lacks the scope.
    WithoutScope,
}

/// What is sent in place of the sample's body.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Nothing.
    None,
    /// This, of a media type.
    Of(&'static str, Vec<u8>),
}

/// A request that both hosts are sent alike: the sample of the operation, but for what is said here.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) row: &'static OperationRow,
    /// What the differences call it.
    pub(super) name: String,
    pub(super) state: State,
    pub(super) bearer: Bearer,
    pub(super) method: Option<Method>,
    pub(super) query: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
    /// How often it is sent; the last answer counts.
    pub(super) times: usize,
}

impl Case {
    /// The sample as it is. Of a job, in a state that lasts.
    pub(super) fn usual(row: &'static OperationRow) -> Self {
        let state = match row.id {
            "job_view" | "job_result" => State::Succeeded,
            "job_cancel" => State::Waiting,
            _ => State::AsMade,
        };
        Self {
            row,
            name: "usual".to_owned(),
            state,
            bearer: Bearer::Good,
            method: None,
            query: None,
            headers: Vec::new(),
            body: None,
            times: 1,
        }
    }

    /// Every case of an operation.
    pub(super) fn of(row: &'static OperationRow) -> Vec<Self> {
        let mut cases = vec![Self::usual(row)];
        cases.extend(examples(row));
        cases.extend(tokens(row));
        cases.extend(identifiers(row));
        cases.extend(bodies(row));
        cases.extend(queries(row));
        cases.extend(headers(row));
        cases.extend(states(row));
        cases
    }

    fn named(row: &'static OperationRow, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::usual(row) }
    }

    fn in_state(row: &'static OperationRow, name: &str, state: State) -> Self {
        Self { state, ..Self::named(row, name) }
    }
}

/// Each request of the examples.
fn examples(row: &'static OperationRow) -> Vec<Case> {
    let examples = Examples::committed(&ARGUS).unwrap();
    let Some(examples) = examples.operations.get(row.id) else { return Vec::new() };
    let named = examples.requests.iter().map(|example| {
        let content = serde_json::to_vec(&example.value).unwrap();
        let body = Some(Body::Of("application/json", content));
        Case { body, ..Case::named(row, format!("the example {}", example.name)) }
    });
    named.collect()
}

fn tokens(row: &'static OperationRow) -> Vec<Case> {
    if matches!(row.access, Access::Public | Access::SignedUrl) {
        return Vec::new();
    }
    let mut bearers = vec![
        ("no token", Bearer::None),
        ("what is no token", Bearer::Broken),
        ("a token of the other environment", Bearer::OfTheOther),
    ];
    if let Access::Scope(_) = row.access {
        bearers.push(("a token without the scope", Bearer::WithoutScope));
    }
    bearers.into_iter().map(|(name, bearer)| Case { bearer, ..Case::named(row, name) }).collect()
}

fn identifiers(row: &'static OperationRow) -> Vec<Case> {
    let has_variables = operations_of_the_trait(&ARGUS)
        .iter()
        .any(|(known, _, path)| known.id == row.id && path.contains('{'));
    if !has_variables || row.access == Access::SignedUrl {
        return Vec::new();
    }
    vec![
        Case::in_state(row, "an identifier that nobody has", State::Unknown),
        Case::in_state(row, "what is no identifier", State::NoIdentifier),
    ]
}

fn bodies(row: &'static OperationRow) -> Vec<Case> {
    if !matches!(row.body, RequestBody::Json | RequestBody::OptionalJson) {
        return Vec::new();
    }
    let json = |text: &str| Body::Of("application/json", text.into());
    let long = vec![b' '; row.body_max_bytes + 1];
    [
        ("no body", Body::None),
        ("an empty body", json("")),
        ("what is no JSON", json("{")),
        ("a list", json("[]")),
        ("an unknown member", json(r#"{"colour": 1}"#)),
        ("a text of another media type", Body::Of("text/plain", b"{}".to_vec())),
        ("a body that is too long", Body::Of("application/json", long)),
    ]
    .into_iter()
    .map(|(name, body)| Case { body: Some(body), ..Case::named(row, name) })
    .collect()
}

fn queries(row: &'static OperationRow) -> Vec<Case> {
    // The signature covers the query: any other is another URL.
    let mut queries = vec![("an unknown parameter", "colour=1")];
    if row.id == "job_list" {
        queries.extend([
            ("a page with one behind it", "limit=2"),
            ("no page at all", "limit=0"),
            ("a page that is too long", "limit=201"),
            ("a number that is none", "limit=two"),
            ("an unknown kind", "kind=nonsense"),
            ("an unknown status", "status=nonsense"),
            ("a cursor that nobody gave", "cursor=nonsense"),
            ("one parameter twice", "limit=1&limit=2"),
        ]);
    }
    let case = |(name, query): (&str, &str)| Case { query: Some(query.to_owned()), ..Case::named(row, name) };
    queries.into_iter().map(case).collect()
}

fn headers(row: &'static OperationRow) -> Vec<Case> {
    let with = |name: &str, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Case { headers: headers.collect(), ..Case::named(row, name) }
    };
    let mut cases = vec![
        with("another entity tag", &[("if-match", "\"other\"")]),
        with("a trace", &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]),
        with("an origin", &[("origin", "https://partner.example")]),
    ];
    for (name, method) in [("HEAD", Method::HEAD), ("OPTIONS", Method::OPTIONS), ("PATCH", Method::PATCH)] {
        let body = Some(Body::None);
        cases.push(Case { method: Some(method), body, ..Case::named(row, name) });
    }
    if row.id == "object_view" {
        cases.push(with("a part", &[("range", "bytes=1-2")]));
        cases.push(with("a part that is not there", &[("range", "bytes=99999999-")]));
    }
    cases
}

fn states(row: &'static OperationRow) -> Vec<Case> {
    let prefer = vec![("prefer".to_owned(), "argus-clock=0".to_owned())];
    let waiting =
        || Case { headers: prefer.clone(), ..Case::in_state(row, "a job that waits", State::Waiting) };
    let succeeded = || Case::in_state(row, "a job that has succeeded", State::Succeeded);
    let failed = || Case::in_state(row, "a job that has failed", State::Failed);
    let cancelled = || Case::in_state(row, "a job that was cancelled", State::Cancelled);
    match row.id {
        "job_view" | "job_result" => vec![waiting(), succeeded(), failed(), cancelled()],
        "job_cancel" => vec![
            Case::in_state(row, "a job that waits", State::Waiting),
            Case::in_state(row, "a job that was cancelled just now", State::CancelledNow),
            Case { headers: clock_at_end(), ..succeeded() },
            failed(),
            cancelled(),
        ],
        "job_create" => vec![
            Case { times: 2, ..Case::named(row, "its key a second time") },
            Case { body: Some(above_clearance()), ..Case::named(row, "above the clearance") },
        ],
        _ => Vec::new(),
    }
}

/// Where the sandbox's clock finds a new job at its end.
fn clock_at_end() -> Vec<(String, String)> {
    vec![("prefer".to_owned(), "argus-clock=30".to_owned())]
}

fn above_clearance() -> Body {
    let body = json!({"kind": "export.bulk", "payload": {}, "secrecy_level": "secret"});
    Body::Of("application/json", body.to_string().into_bytes())
}
