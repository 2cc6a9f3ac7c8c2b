//! What the suites share: one caller, one request of every operation, and the published schemas.

use argus_openapi::Operation;
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::types::common::{PageQuery, SecrecyLevel};
use argus_openapi::types::discovery::DataSchemaQuery;
use argus_openapi::types::graphql::GraphqlRequest;
use argus_openapi::types::jobs::{JobCreate, JobQuery};
use argus_openapi::types::profiles::ProfileEnrich;
use argus_openapi::types::webhooks::{WebhookCreate, WebhookUpdate};
use argus_sandbox::{Caller, Mock, MockReply, Preferences, Sandbox, ScenarioSet, partner};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub static SANDBOX: LazyLock<Sandbox> = LazyLock::new(Sandbox::load);
pub static DESCRIPTOR: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(DESCRIPTOR_JSON).expect("the descriptor is JSON"));

/// A mock of whatever operation.
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
            tenant_id: "tnt_123",
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

pub fn job(payload: &Value) -> JobCreate {
    parse(json!({ "kind": "intelligence.enrich.bulk", "payload": payload }))
}

/// The parts of one request of every operation.
pub struct Requests {
    job: JobCreate,
    jobs: JobQuery,
    job_id: String,
    enrich: ProfileEnrich,
    graphql: Vec<GraphqlRequest>,
    page: PageQuery,
    webhook: WebhookCreate,
    webhook_id: String,
    update: WebhookUpdate,
    schemas: DataSchemaQuery,
}

pub const GRAPHQL: [&str; 4] = [
    include_str!("../../../../openapi/graphql/profile-risk.graphql"),
    include_str!("../../../../openapi/graphql/sanctions-matches.graphql"),
    include_str!("../../../../openapi/graphql/incident-timeline.graphql"),
    include_str!("../../../../openapi/graphql/device-telemetry.graphql"),
];

impl Requests {
    pub fn new() -> Self {
        let job = job(&json!({ "profile_ids": ["p1", "p2"] }));
        let webhook: WebhookCreate = parse(json!({
            "url": "https://integrator.example/webhooks/argus",
            "events": ["incident.updated", "incident.closed", "job.succeeded", "job.failed", "job.cancelled"],
            "secret": "a secret of the partner",
        }));
        let id = |request: &dyn Ask| body(&ask("", request))["id"].as_str().expect("an id").to_owned();
        Self {
            jobs: JobQuery { limit: Some(7), ..JobQuery::default() },
            job_id: id(&partner::JobCreate { body: &job }),
            enrich: parse(json!({})),
            graphql: GRAPHQL
                .map(|query| parse(json!({ "query": query, "variables": { "id": "p1" } })))
                .into(),
            page: PageQuery::default(),
            webhook_id: id(&partner::WebhookCreate { body: &webhook }),
            update: parse(json!({ "events": ["incident.updated", "incident.closed"] })),
            schemas: parse(json!({ "include_federated": true })),
            webhook,
            job,
        }
    }

    /// Every operation, each with a request that succeeds.
    pub fn all(&self) -> Vec<Box<dyn Ask + '_>> {
        let (id, webhook) = (self.job_id.as_str(), self.webhook_id.as_str());
        let mut all: Vec<Box<dyn Ask>> = vec![
            Box::new(partner::JobCreate { body: &self.job }),
            Box::new(partner::JobList { query: &self.jobs }),
            Box::new(partner::JobView { id }),
            Box::new(partner::JobCancel { id }),
            Box::new(partner::JobResult { id }),
            Box::new(partner::ProfileView { id: "p1" }),
            Box::new(partner::ProfileEnrich { id: "p1", body: &self.enrich }),
            Box::new(partner::TraceView { trace_id: "0af7651916cd43dd8448eb211c80319c" }),
            Box::new(partner::WebhookCreate { body: &self.webhook }),
            Box::new(partner::WebhookList { page: &self.page }),
            Box::new(partner::WebhookView { id: webhook }),
            Box::new(partner::WebhookUpdate { id: webhook, body: &self.update }),
            Box::new(partner::WebhookDelete { id: webhook }),
            Box::new(partner::WebhookDeliveryList { id: webhook, page: &self.page }),
            Box::new(partner::WebhookTest { id: webhook }),
            Box::new(partner::DataSchemaList { query: &self.schemas }),
            Box::new(partner::SandboxScenarioList),
        ];
        for body in &self.graphql {
            all.push(Box::new(partner::GraphqlExecute { tenant_id: Some("tnt_123"), body }));
        }
        all
    }
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
