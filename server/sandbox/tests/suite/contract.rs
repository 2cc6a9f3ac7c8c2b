//! Every reply of every operation, under every scenario and every forced status, is one that the
//! published descriptor documents, and its body fits the published schema.

use crate::support::{Ask, DESCRIPTOR, REQUESTS, SANDBOX, Session, ask, body, scenario_sets};
use argus_openapi::Operation;
use argus_openapi::types::error::ErrorCode;
use argus_sandbox::{MockReply, partner};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Schema of the body by operation and status; `None` for a documented response without a body.
static RESPONSES: LazyLock<BTreeMap<(String, u16), Option<jsonschema::Validator>>> = LazyLock::new(|| {
    let mut responses = BTreeMap::new();
    for (path, item) in DESCRIPTOR["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            let Some(id) = operation["operationId"].as_str() else { continue };
            for status in operation["responses"].as_object().expect("responses").keys() {
                // A range documents no status.
                let Ok(number) = status.parse() else { continue };
                let pointer = format!("/paths/{}/{method}/responses/{status}", path.replace('/', "~1"));
                let mut response = DESCRIPTOR.pointer(&pointer).expect("is there");
                while let Some(target) = response["$ref"].as_str() {
                    response = DESCRIPTOR.pointer(&target[1..]).expect("resolves");
                }
                let schema = &response["content"]["application/json"]["schema"];
                let validator = schema.is_object().then(|| {
                    // The schema beside the components, so that its references resolve.
                    let mut root = schema.clone();
                    root["components"] = DESCRIPTOR["components"].clone();
                    jsonschema::draft202012::new(&root).expect("a valid schema")
                });
                responses.insert((id.to_owned(), number), validator);
            }
        }
    }
    responses
});

fn assert_documented(operation: Operation, mock: &MockReply) {
    let response = RESPONSES.get(&(operation.id().to_owned(), mock.status));
    let Some(schema) = response else { panic!("{} documents no {}: {mock:?}", operation.id(), mock.status) };
    match (schema, &mock.body) {
        (None, None) => {}
        (Some(schema), Some(bytes)) => {
            let value: Value = serde_json::from_slice(bytes).expect("JSON");
            let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{} {}: {errors:?} in {value}", operation.id(), mock.status);
        }
        _ => panic!("{}: the body is not as documented: {mock:?}", operation.id()),
    }
}

fn documented_statuses(operation: Operation) -> Vec<u16> {
    RESPONSES.keys().filter(|(id, _)| id == operation.id()).map(|(_, status)| *status).collect()
}

#[test]
fn every_operation_whose_row_says_so_is_mocked() {
    let mocked: BTreeSet<&str> = REQUESTS.iter().map(|request| request.operation().id()).collect();
    let operations = Operation::ALL.iter().filter(|operation| operation.row().is_mocked());
    let expected: BTreeSet<&str> = operations.map(|operation| operation.id()).collect();
    assert_eq!(mocked, expected);
}

#[test]
fn every_reply_under_every_scenario_is_documented_and_fits_its_schema() {
    for scenarios in scenario_sets() {
        for prefer in ["", "argus-clock=0", "argus-clock=12", "argus-clock=30", "argus-clock=31536000"] {
            let session = Session::new(&scenarios, prefer);
            for request in REQUESTS.iter() {
                let mock = session.ask(request);
                assert_documented(request.operation(), &mock);
                assert!(mock.status < 400 || !prefer.is_empty(), "{}: {mock:?}", request.operation().id());
            }
        }
    }
}

#[test]
fn every_profile_of_a_rotation_fits_its_schema() {
    for scenarios in scenario_sets() {
        let session = Session::new(&scenarios, "");
        for index in 0..64 {
            let id = format!("p{index}");
            assert_documented(Operation::ProfileView, &session.ask(&partner::ProfileView { id: &id }));
            let request = partner::ProfileEnrich { id: &id, body: &Default::default() };
            assert_documented(Operation::ProfileEnrich, &session.ask(&request));
        }
    }
}

#[test]
fn every_documented_status_can_be_forced() {
    for request in REQUESTS.iter() {
        let operation = request.operation();
        let statuses = documented_statuses(operation);
        assert!(statuses.contains(&401) && statuses.contains(&500), "{}", operation.id());
        for status in statuses {
            let mock = ask(&format!("code={status}"), request);
            assert_eq!(mock.status, status, "{}: {mock:?}", operation.id());
            assert_eq!(mock.preference_applied, Some(format!("code={status}")), "{}", operation.id());
            assert_documented(operation, &mock);
            assert_eq!(mock, ask(&format!("code={status}"), request));
        }
    }
}

#[test]
fn a_refusal_hands_on_the_error_that_its_body_shows() {
    for request in REQUESTS.iter() {
        for status in documented_statuses(request.operation()).into_iter().filter(|status| *status >= 400) {
            let mock = ask(&format!("code={status}"), request);
            let error = mock.error.as_ref().unwrap_or_else(|| panic!("{mock:?}"));
            assert_eq!((mock.status, error.error_code.status()), (status, status));
            assert_eq!(body(&mock)["error_code"], error.error_code.to_string());
        }
        assert_eq!(ask("", request).error, None);
        let unknown = ask("code=418", request).error.map(|error| error.error_code);
        assert_eq!(unknown, Some(ErrorCode::PreferenceNotSupported));
    }
}

#[test]
fn an_undocumented_status_is_refused_and_the_documented_ones_are_named() {
    for request in REQUESTS.iter() {
        let mock = ask("code=418", request);
        assert_eq!((mock.status, &mock.preference_applied), (400, &None));
        let error = body(&mock);
        assert_eq!(error["error_code"], "preference_not_supported");
        for status in documented_statuses(request.operation()) {
            assert!(error["message"].as_str().expect("text").contains(&status.to_string()), "{error}");
        }
    }
}

#[test]
fn a_forced_replay_of_a_job_returns_the_first_job() {
    let job = crate::support::job(&["p1"]);
    let (first, replay) = (
        ask("", &partner::JobCreate { idempotency_key: None, body: &job }),
        ask("code=200", &partner::JobCreate { idempotency_key: None, body: &job }),
    );
    assert_eq!((first.status, replay.status), (201, 200));
    assert_eq!(first.body, replay.body);
}

#[test]
fn a_success_cannot_be_forced_where_there_is_nothing() {
    let mock = ask("code=200", &partner::JobView { id: "01HFXY" });
    assert_eq!((mock.status, mock.preference_applied), (404, None));
}

#[test]
fn a_trace_that_is_out_of_reach_points_at_the_caller_s_backend() {
    let request = partner::TraceView { trace_id: "0af7651916cd43dd8448eb211c80319c" };
    assert_eq!(body(&ask("code=503", &request))["query_hint"], "use_your_backend");
}

#[test]
fn the_catalogue_holds_the_five_scenarios_of_the_contract() {
    let ids: Vec<&str> = SANDBOX.scenarios().iter().map(|scenario| scenario.id.as_str()).collect();
    assert_eq!(
        ids,
        ["wallet.high-risk", "wallet.clean", "entity.sanctioned", "incident.escalating", "device.offline"]
    );
    let list = body(&ask("", &partner::SandboxScenarioList));
    assert_eq!(list["scenarios"].as_array().expect("a list").len(), 5);
    let error = SANDBOX.scenario_set(&["wallet.clean".to_owned(), "nope\n".to_owned()]).expect_err("unknown");
    let message = error.to_string();
    assert!(ids.iter().all(|id| message.contains(id)) && message.contains(r#""nope\n""#), "{message}");
}
