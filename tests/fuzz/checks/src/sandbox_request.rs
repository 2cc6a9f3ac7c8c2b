//! Requests to the sandbox. The lines are the operation, an id that also serves as cursor, tenant header
//! and trace id, the `Prefer` value, scenarios with commas between, and the body: JSON, or else text that
//! becomes the part of the body that is free. In the id, `JOB_ID`, `WEBHOOK_ID` and `CURSOR` stand for
//! real ones, which no fuzzer can guess.
//!
//! Every answer is JSON with a documented status, and the same request gets the same answer.

use crate::edits::parts;
use crate::sandbox::{SANDBOX, answer};
use argus_openapi::types::common::{PageQuery, SecrecyLevel};
use argus_openapi::types::discovery::DataSchemaQuery;
use argus_openapi::types::graphql::GraphqlRequest;
use argus_openapi::types::jobs::{JobCreate, JobKind, JobQuery};
use argus_openapi::types::profiles::ProfileEnrich;
use argus_openapi::types::webhooks::{WebhookCreate, WebhookEvent, WebhookUpdate};
use argus_sandbox::{Preferences, Request, ScenarioSet};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// What stands in the input for an id or cursor of the sandbox's own making.
static REAL: LazyLock<[(&str, String); 3]> = LazyLock::new(|| {
    let member = |request, name: &str| {
        let mock = answer(request, &Preferences::default(), &ScenarioSet::default());
        let body: Value = serde_json::from_slice(&mock.body.unwrap_or_default()).expect("a JSON body");
        body[name].as_str().expect("a text").to_owned()
    };
    let first = JobQuery { limit: Some(1), ..JobQuery::default() };
    [
        ("JOB_ID", member(Request::JobCreate(&job(b"p1")), "id")),
        ("WEBHOOK_ID", member(Request::WebhookCreate(&webhook(b"https://example.com/hook")), "id")),
        ("CURSOR", member(Request::JobList(&first), "next_cursor")),
    ]
});

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [operation, id, prefer, scenarios, body] = parts::<5>(input);
    let id = String::from_utf8_lossy(id).into_owned();
    let id = &*REAL.iter().fold(id, |id, (name, real)| id.replace(name, real));
    let preferences = Preferences::parse([&*String::from_utf8_lossy(prefer)]).unwrap_or_default();
    let pinned: Vec<String> = String::from_utf8_lossy(scenarios).split(',').map(str::to_owned).collect();
    let pinned = SANDBOX.scenario_set(&pinned).unwrap_or_else(|_| ScenarioSet::default());
    let ask = |request| {
        answer(request, &preferences, &pinned);
    };
    match std::str::from_utf8(operation).unwrap_or_default() {
        "job_create" => ask(Request::JobCreate(&parsed(body).unwrap_or_else(|| job(body)))),
        "job_list" => {
            ask(Request::JobList(&JobQuery { cursor: cursor(id), ..parsed(body).unwrap_or_default() }))
        }
        "job_view" => ask(Request::JobView { id }),
        "job_cancel" => ask(Request::JobCancel { id }),
        "job_result" => ask(Request::JobResult { id }),
        "profile_view" => ask(Request::ProfileView { id }),
        "profile_enrich" => {
            ask(Request::ProfileEnrich { id, body: &parsed::<ProfileEnrich>(body).unwrap_or_default() });
        }
        "graphql_execute" => {
            let body = parsed(body).unwrap_or_else(|| document(id, body));
            ask(Request::GraphqlExecute { tenant_id: Some(id), body: &body });
            ask(Request::GraphqlExecute { tenant_id: None, body: &body });
        }
        "trace_view" => ask(Request::TraceView { trace_id: id }),
        "webhook_create" => ask(Request::WebhookCreate(&parsed(body).unwrap_or_else(|| webhook(body)))),
        "webhook_list" => ask(Request::WebhookList(&page(id, body))),
        "webhook_view" => ask(Request::WebhookView { id }),
        "webhook_update" => {
            ask(Request::WebhookUpdate { id, body: &parsed::<WebhookUpdate>(body).unwrap_or_default() });
        }
        "webhook_delete" => ask(Request::WebhookDelete { id }),
        "webhook_delivery_list" => ask(Request::WebhookDeliveryList { id, page: &page("", body) }),
        "webhook_test" => ask(Request::WebhookTest { id }),
        "data_schema_list" => {
            ask(Request::DataSchemaList(&parsed::<DataSchemaQuery>(body).unwrap_or_default()));
        }
        _ => ask(Request::SandboxScenarioList),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

fn cursor(id: &str) -> Option<String> {
    (!id.is_empty()).then(|| id.to_owned())
}

fn page(id: &str, body: &[u8]) -> PageQuery {
    parsed(body).unwrap_or_else(|| PageQuery { cursor: cursor(id), ..PageQuery::default() })
}

/// A member that holds the text, under the text: names of members are free, too.
fn free(text: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(text).into_owned();
    Map::from_iter([("profile_ids".to_owned(), Value::from(vec![text.clone()])), (text.clone(), text.into())])
}

fn job(text: &[u8]) -> JobCreate {
    JobCreate {
        kind: JobKind::IntelligenceEnrichBulk,
        payload: free(text),
        callback_url: Some(String::from_utf8_lossy(text).into_owned()),
        secrecy_level: Some(SecrecyLevel::Restricted),
    }
}

fn document(id: &str, text: &[u8]) -> GraphqlRequest {
    GraphqlRequest {
        query: String::from_utf8_lossy(text).into_owned(),
        variables: Map::from_iter([("id".to_owned(), id.into())]),
        operation_name: None,
    }
}

fn webhook(text: &[u8]) -> WebhookCreate {
    let text = String::from_utf8_lossy(text).into_owned();
    WebhookCreate { url: text.clone(), events: WebhookEvent::ALL.to_vec(), secret: text.into() }
}
