//! What the suites share: one caller, one request of every operation, and the published schemas.

use argus_openapi::contract::ARGUS;
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::read::MediaType;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobCreate;
use argus_openapi::{Operation, OperationRow};
use argus_samples::{Given, Sample, Source, given};
use argus_sandbox::{Caller, Mock, MockReply, Preferences, Sandbox, ScenarioSet};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub static SANDBOX: LazyLock<Sandbox> = LazyLock::new(Sandbox::load);
pub static DESCRIPTOR: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(DESCRIPTOR_JSON).expect("the descriptor is JSON"));

/// The tenant of every caller.
pub const TENANT: &str = "tnt_123";

/// A request of whatever operation.
pub trait Ask {
    fn operation(&self) -> Operation;
    fn ask(&self, sandbox: &Sandbox, caller: &Caller<'_>) -> MockReply;
}

impl<M: Mock<Data = Sandbox>> Ask for M {
    fn operation(&self) -> Operation {
        M::OPERATION
    }

    fn ask(&self, sandbox: &Sandbox, caller: &Caller<'_>) -> MockReply {
        sandbox.answer(caller, self)
    }
}

/// A caller's token and `Prefer` header.
pub struct Session {
    pub tenant_id: &'static str,
    pub secrecy_level: SecrecyLevel,
    pub scenarios: ScenarioSet,
    pub preferences: Preferences,
}

impl Session {
    pub fn new(scenarios: &[&str], prefer: &str) -> Self {
        let ids: Vec<String> = scenarios.iter().map(|id| (*id).to_owned()).collect();
        Self {
            tenant_id: TENANT,
            secrecy_level: SecrecyLevel::Standard,
            scenarios: SANDBOX.scenario_set(&ids).expect("known scenarios"),
            preferences: Preferences::parse([prefer]).expect("well-formed"),
        }
    }

    pub fn caller(&self) -> Caller<'_> {
        Caller {
            tenant_id: self.tenant_id,
            organization_id: "org_1",
            secrecy_level: self.secrecy_level,
            scenarios: &self.scenarios,
            preferences: &self.preferences,
        }
    }

    pub fn ask(&self, request: &dyn Ask) -> MockReply {
        request.ask(&SANDBOX, &self.caller())
    }
}

/// Asks with nothing pinned.
pub fn ask(prefer: &str, request: &dyn Ask) -> MockReply {
    Session::new(&[], prefer).ask(request)
}

pub fn body(mock: &MockReply) -> Value {
    let bytes = mock.body.as_ref().unwrap_or_else(|| panic!("no body: {mock:?}"));
    serde_json::from_slice(bytes).expect("JSON")
}

pub fn parse<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("fits the contract type")
}

/// A job of a request's text.
pub fn read_job(text: &str) -> JobCreate {
    MediaType::Json.parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {}", error.message))
}

/// A job that enriches these profiles.
pub fn job(profile_ids: &[&str]) -> JobCreate {
    let payload = json!({ "profile_ids": profile_ids });
    read_job(&json!({ "kind": "intelligence.enrich.bulk", "payload": payload }).to_string())
}

/// A request as the contract's examples have it.
pub struct Request(Sample);

impl Ask for Request {
    fn operation(&self) -> Operation {
        Operation::from_id(self.0.row.id).expect("an operation")
    }

    fn ask(&self, sandbox: &Sandbox, caller: &Caller<'_>) -> MockReply {
        let answer = sandbox.answer_request(caller, self.operation(), &self.0.parts()).expect("it fits");
        answer.unwrap_or_else(|| panic!("{} is not in the list of mocks", self.0.row.id))
    }
}

pub const GRAPHQL: [&str; 4] = [
    include_str!("../../../../openapi/graphql/due-diligence/profile-risk.graphql"),
    include_str!("../../../../openapi/graphql/due-diligence/sanctions-matches.graphql"),
    include_str!("../../../../openapi/graphql/incident-liaison/incident-timeline.graphql"),
    include_str!("../../../../openapi/graphql/device-fleet/device-telemetry.graphql"),
];

/// A request of every operation that is mocked, each one that succeeds; of GraphQL, every document.
pub static REQUESTS: LazyLock<Vec<Request>> = LazyLock::new(|| {
    let source = Source::new(&ARGUS);
    let mocked = Operation::ALL.iter().map(|operation| operation.row()).filter(|row| row.is_mocked());
    mocked
        .flat_map(|row| {
            let sample = sample(&source, row);
            if row.id != Operation::GraphqlExecute.id() {
                return vec![sample];
            }
            GRAPHQL
                .map(|query| {
                    let body = json!({ "query": query, "variables": { "id": "p1" } }).to_string();
                    Sample { body: Some(("application/json", body.into_bytes())), ..sample.clone() }
                })
                .into()
        })
        .map(Request)
        .collect()
});

/// The sample of an operation, with what it needs made in the sandbox.
fn sample(source: &Source, row: &'static OperationRow) -> Sample {
    let mut needed = Given::new();
    for made_by in row.made_by {
        let maker = Request(sample(source, source.row(made_by.operation)));
        needed.extend(given(made_by, &maker.0, &body(&ask("", &maker))));
    }
    source.sample(row, TENANT, &needed)
}

/// The sets of scenarios that a token can be pinned to, as far as they make a difference.
pub fn scenario_sets() -> Vec<Vec<&'static str>> {
    let mut sets: Vec<Vec<&str>> = vec![
        vec![],
        vec!["wallet.high-risk", "entity.sanctioned"],
        vec!["wallet.high-risk", "wallet.clean"],
        SANDBOX.scenarios().iter().map(|scenario| scenario.id.as_str()).collect(),
    ];
    sets.extend(SANDBOX.scenarios().iter().map(|scenario| vec![scenario.id.as_str()]));
    sets
}
