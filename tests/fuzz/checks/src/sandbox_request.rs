//! Requests to the sandbox. The lines are the operation, an id that also serves as cursor, tenant header
//! and trace id, the `Prefer` value, scenarios with commas between, and the body: JSON, or else text that
//! becomes the part of the body that is free. In the id, `JOB_ID`, `WEBHOOK_ID` and `CURSOR` stand for
//! real ones, which no fuzzer can guess.
//!
//! Every answer is JSON with a documented status, and the same request gets the same answer.

use crate::edits::parts;
use crate::sandbox::{SANDBOX, answer};
use argus_openapi::Operation;
use argus_openapi::types::common::{PageQuery, SecrecyLevel};
use argus_openapi::types::graphql::GraphqlRequest;
use argus_openapi::types::jobs::{JobCreate, JobKind, JobQuery};
use argus_openapi::types::webhooks::{WebhookCreate, WebhookEvent};
use argus_sandbox::{Mock, Preferences, Sandbox, ScenarioSet, partner};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// What stands in the input for an id or cursor of the sandbox's own making.
static REAL: LazyLock<[(&str, String); 3]> = LazyLock::new(|| {
    [
        ("JOB_ID", member(&partner::JobCreate { body: &job(b"p1") }, "id")),
        ("WEBHOOK_ID", member(&partner::WebhookCreate { body: &webhook(b"https://example.com/hook") }, "id")),
        ("CURSOR", {
            let query = JobQuery { limit: Some(1), ..JobQuery::default() };
            member(&partner::JobList { query: &query }, "next_cursor")
        }),
    ]
});

fn member(mock: &impl Mock<Data = Sandbox>, name: &str) -> String {
    let reply = answer(mock, &Preferences::default(), &ScenarioSet::default());
    let body: Value = serde_json::from_slice(&reply.body.unwrap_or_default()).expect("a JSON body");
    body[name].as_str().expect("a text").to_owned()
}

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [operation, id, prefer, scenarios, body] = parts::<5>(input);
    let Some(operation) = std::str::from_utf8(operation).ok().and_then(Operation::from_id) else { return };
    let id = String::from_utf8_lossy(id).into_owned();
    let id = &*REAL.iter().fold(id, |id, (name, real)| id.replace(name, real));
    let preferences = Preferences::parse([&*String::from_utf8_lossy(prefer)]).unwrap_or_default();
    let pinned: Vec<String> = String::from_utf8_lossy(scenarios).split(',').map(str::to_owned).collect();
    let scenarios = SANDBOX.scenario_set(&pinned).unwrap_or_else(|_| ScenarioSet::default());
    let _ = Asked { id, body, preferences, scenarios }.ask(operation);
}

/// What is asked, whatever the operation.
struct Asked<'i> {
    id: &'i str,
    body: &'i [u8],
    preferences: Preferences,
    scenarios: ScenarioSet,
}

impl Asked<'_> {
    /// Asks for an operation; none if the sandbox does not mock it.
    fn ask(&self, operation: Operation) -> Option<()> {
        let Self { id, body, .. } = *self;
        match operation {
            Operation::JobCreate => {
                self.of(&partner::JobCreate { body: &parsed(body).unwrap_or_else(|| job(body)) })
            }
            Operation::JobList => self.of(&partner::JobList {
                query: &JobQuery { cursor: cursor(id), ..parsed(body).unwrap_or_default() },
            }),
            Operation::JobView => self.of(&partner::JobView { id }),
            Operation::JobCancel => self.of(&partner::JobCancel { id }),
            Operation::JobResult => self.of(&partner::JobResult { id }),
            Operation::ProfileView => self.of(&partner::ProfileView { id }),
            Operation::ProfileEnrich => {
                self.of(&partner::ProfileEnrich { id, body: &parsed(body).unwrap_or_default() })
            }
            Operation::GraphqlExecute => {
                let body = &parsed(body).unwrap_or_else(|| document(id, body));
                self.of(&partner::GraphqlExecute { tenant_id: Some(id), body })?;
                self.of(&partner::GraphqlExecute { tenant_id: None, body })
            }
            Operation::TraceView => self.of(&partner::TraceView { trace_id: id }),
            Operation::WebhookCreate => {
                self.of(&partner::WebhookCreate { body: &parsed(body).unwrap_or_else(|| webhook(body)) })
            }
            Operation::WebhookList => self.of(&partner::WebhookList { page: &page(id, body) }),
            Operation::WebhookView => self.of(&partner::WebhookView { id }),
            Operation::WebhookUpdate => {
                self.of(&partner::WebhookUpdate { id, body: &parsed(body).unwrap_or_default() })
            }
            Operation::WebhookDelete => self.of(&partner::WebhookDelete { id }),
            Operation::WebhookDeliveryList => {
                self.of(&partner::WebhookDeliveryList { id, page: &page("", body) })
            }
            Operation::WebhookTest => self.of(&partner::WebhookTest { id }),
            Operation::DataSchemaList => {
                self.of(&partner::DataSchemaList { query: &parsed(body).unwrap_or_default() })
            }
            Operation::SandboxScenarioList => self.of(&partner::SandboxScenarioList),
            _ => None,
        }
    }

    fn of(&self, mock: &impl Mock<Data = Sandbox>) -> Option<()> {
        answer(mock, &self.preferences, &self.scenarios);
        Some(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_the_sandbox_mocks_is_asked_for() {
        for operation in Operation::ALL {
            let asked = Asked {
                id: "p1",
                body: b"",
                preferences: Preferences::default(),
                scenarios: ScenarioSet::default(),
            };
            assert_eq!(asked.ask(*operation).is_some(), operation.row().is_mocked(), "{}", operation.id());
        }
    }
}
