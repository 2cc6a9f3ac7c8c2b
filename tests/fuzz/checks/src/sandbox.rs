//! The sandbox that the targets share, and what holds of each of its answers.

use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::read::RequestParts;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::{Operation, OperationRow};
use argus_sandbox::{Caller, Mock, MockReply, Preferences, Sandbox, ScenarioSet};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(crate) static SANDBOX: LazyLock<Sandbox> = LazyLock::new(Sandbox::load);

/// The documented statuses by operation id.
static DOCUMENTED: LazyLock<BTreeMap<String, BTreeSet<u16>>> = LazyLock::new(|| {
    let descriptor: Value = serde_json::from_str(DESCRIPTOR_JSON).expect("the descriptor is JSON");
    let paths = descriptor["paths"].as_object().expect("an object of paths");
    let operations = paths.values().filter_map(Value::as_object).flat_map(|path| path.values());
    let described = operations.filter_map(|operation| {
        let id = operation.get("operationId")?.as_str()?.to_owned();
        let responses = operation.get("responses")?.as_object()?;
        Some((id, responses.keys().filter_map(|status| status.parse().ok()).collect()))
    });
    described.collect()
});

/// The answer to a mock.
pub(crate) fn answer<M: Mock<Data = Sandbox>>(
    mock: &M,
    preferences: &Preferences,
    scenarios: &ScenarioSet,
) -> MockReply {
    answered(M::OPERATION.id(), preferences, scenarios, |caller| SANDBOX.answer(caller, mock))
}

/// The answer to a request, if its parts fit the contract.
pub(crate) fn answer_request(
    row: &OperationRow,
    parts: &RequestParts<'_>,
    preferences: &Preferences,
    scenarios: &ScenarioSet,
) -> Option<MockReply> {
    let operation = Operation::from_id(row.id).expect("an operation");
    let caller = caller(preferences, scenarios);
    match SANDBOX.answer_request(&caller, operation, parts) {
        Ok(None) => panic!("{} is not in the list of mocks", row.id),
        Ok(Some(_)) => Some(answered(row.id, preferences, scenarios, |caller| {
            SANDBOX.answer_request(caller, operation, parts).ok().flatten().expect("it fits as before")
        })),
        Err(error) => {
            assert!(!error.message.is_empty(), "{}: a misfit without a reason", row.id);
            None
        }
    }
}

fn caller<'c>(preferences: &'c Preferences, scenarios: &'c ScenarioSet) -> Caller<'c> {
    Caller {
        tenant_id: "tnt_1",
        organization_id: "org_1",
        secrecy_level: SecrecyLevel::Restricted,
        scenarios,
        preferences,
    }
}

/// An answer. Panics unless it has a documented status, a body of JSON or none, ids that are not all zero,
/// and comes out the same twice.
fn answered(
    operation: &str,
    preferences: &Preferences,
    scenarios: &ScenarioSet,
    answer: impl Fn(&Caller<'_>) -> MockReply,
) -> MockReply {
    let caller = caller(preferences, scenarios);
    let reply = answer(&caller);
    let documented = DOCUMENTED.get(operation).expect("sandbox operations are published");
    assert!(documented.contains(&reply.status), "{operation} does not document {}", reply.status);
    if let Some(body) = &reply.body {
        assert!(serde_json::from_slice::<Value>(body).is_ok(), "{operation}: the body is not JSON");
    }
    assert!(reply.trace.trace_id() != [0; 16] && reply.trace.span_id() != [0; 8], "{:?}", reply.trace);
    assert_eq!(reply, answer(&caller), "{operation}: the same request, another answer");
    reply
}
