//! The sandbox that the targets share, and what holds of each of its answers.

use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::types::common::SecrecyLevel;
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

/// The answer to a request of a caller with these preferences and scenarios. Panics unless it has a
/// documented status, a body of JSON or none, ids that are not all zero, and comes out the same twice.
pub(crate) fn answer<M: Mock<Data = Sandbox>>(
    mock: &M,
    preferences: &Preferences,
    scenarios: &ScenarioSet,
) -> MockReply {
    let caller = Caller {
        tenant_id: "tnt_1",
        organization_id: "org_1",
        secrecy_level: SecrecyLevel::Restricted,
        scenarios,
        preferences,
    };
    let reply = SANDBOX.answer(&caller, mock);
    let operation = M::OPERATION.id();
    let documented = DOCUMENTED.get(operation).expect("sandbox operations are published");
    assert!(documented.contains(&reply.status), "{operation} does not document {}", reply.status);
    if let Some(body) = &reply.body {
        assert!(serde_json::from_slice::<Value>(body).is_ok(), "{operation}: the body is not JSON");
    }
    assert!(reply.trace.trace_id() != [0; 16] && reply.trace.span_id() != [0; 8], "{:?}", reply.trace);
    assert_eq!(reply, SANDBOX.answer(&caller, mock), "{operation}: the same request, another answer");
    reply
}
