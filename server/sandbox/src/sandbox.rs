//! The sandbox itself: what is prepared once, and the way from a request to its reply.

use crate::digest::{Digest, Frame};
use crate::documented::{Documented, Response};
use crate::fixture::{self, Fixture, FixtureError};
use crate::graphql::ApprovedDocuments;
use crate::jobs::ListedJob;
use crate::request::{Caller, Mock, Request};
use crate::scenario::{ScenarioSet, UnknownScenario};
use crate::{data_schemas, deliveries, graphql, jobs, profiles, traces, webhooks};
use argus_openapi::contract::ARGUS;
use argus_openapi::published;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::types::sandbox::{Scenario, ScenarioList};
use argus_wire::trace_context::TraceIds;
use serde::Serialize;
use std::fmt;

/// Everything that replies are made from: fixtures, approved documents, documented statuses. It
/// never changes after it was built, and can be shared freely.
pub struct Sandbox {
    pub(crate) fixtures: Vec<Fixture>,
    pub(crate) documents: ApprovedDocuments,
    pub(crate) jobs: Vec<ListedJob>,
    scenarios: Vec<Scenario>,
    scenario_list: Vec<u8>,
    documented: Documented,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("scenarios", &self.scenarios).finish_non_exhaustive()
    }
}

/// What a forced 429 or 503 asks a client to wait: short, so that a test of retries is quick.
const RETRY_AFTER_SECONDS: u32 = 1;

/// What a topic module is given besides the request's own parts.
pub(crate) struct Context<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) caller: &'a Caller<'a>,
    /// Stands for the whole request.
    pub(crate) digest: Digest,
    /// Where `argus-clock` puts the clock, in seconds after the start.
    pub(crate) clock: Option<u32>,
    /// A success status that the caller wants.
    pub(crate) forced: Option<u16>,
}

/// A successful reply, or one that ends without a body.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Vec<u8>>,
    /// Set when the trace shows in the body and does not come from the request's digest.
    pub(crate) trace: Option<TraceIds>,
}

pub(crate) type Answer = Result<Reply, Error>;

impl Reply {
    /// A reply whose body is a contract type.
    pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Self {
        Self { status, body: Some(json(body)), trace: None }
    }

    /// A reply without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, trace: None }
    }
}

/// The resource does not exist.
pub(crate) fn not_found(resource: &str) -> Error {
    Error { error_code: ErrorCode::NotFound, message: format!("no such {resource}") }
}

/// The request does not fit the contract.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error { error_code: ErrorCode::InvalidRequest, message: message.into() }
}

fn json<T: Serialize>(body: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    // Contract types serialise into memory without fail: no maps with other keys than strings.
    let _ = serde_json::to_writer(&mut bytes, body);
    bytes
}

impl Sandbox {
    /// The sandbox with the scenarios that ship with it.
    ///
    /// # Panics
    ///
    /// Never: the shipped fixtures are part of the program, and a test loads them.
    pub fn load() -> Self {
        Self::with_fixtures([]).expect("the shipped fixtures are valid")
    }

    /// The sandbox with an operator's own scenarios after the shipped ones. Each item is a file's
    /// name, for messages, and its text.
    ///
    /// # Errors
    ///
    /// When a text is not a fixture, or its scenario id is taken; the error names file and place.
    pub fn with_fixtures(more: impl IntoIterator<Item = (String, String)>) -> Result<Self, FixtureError> {
        let fixtures = fixture::all(more)?;
        let scenarios: Vec<Scenario> = fixtures.iter().map(|fixture| fixture.scenario.clone()).collect();
        Ok(Self {
            documents: ApprovedDocuments::load(),
            jobs: jobs::listed(),
            scenario_list: json(&ScenarioList { scenarios: scenarios.clone() }),
            documented: Documented::from_descriptor(published::DESCRIPTOR_JSON),
            scenarios,
            fixtures,
        })
    }

    /// The scenarios, in catalogue order.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The set of these scenarios, as a token pins it.
    ///
    /// # Errors
    ///
    /// When an id is not in the catalogue; the error names the valid ones.
    pub fn scenario_set(&self, ids: &[String]) -> Result<ScenarioSet, UnknownScenario> {
        match ids.iter().find(|id| self.scenarios.iter().all(|scenario| scenario.id != **id)) {
            None => Ok(ScenarioSet::new(ids.to_vec())),
            Some(unknown) => Err(UnknownScenario {
                id: unknown.clone(),
                valid: self.scenarios.iter().map(|scenario| scenario.id.clone()).collect(),
            }),
        }
    }

    /// Trace and span ids of a reply that is given before a mock is asked: a refusal by the gate, a
    /// body that does not parse, an unknown route.
    pub fn derive_trace(&self, operation: Option<&str>, method_and_path: &str) -> TraceIds {
        let mut frame = Frame::new("refusal");
        frame.part(ARGUS.version.as_bytes());
        frame.part(operation.unwrap_or_default().as_bytes());
        frame.part(method_and_path.as_bytes());
        frame.finish().trace()
    }

    /// Answers a request: the same bytes for the same request, for ever.
    pub fn answer(&self, caller: &Caller<'_>, request: Request<'_>) -> Mock {
        let operation = request.operation();
        let clock = caller.preferences.clock.filter(|_| request.shows_time());
        let digest = request_digest(caller, &request, clock);
        let mut forced = None;
        if let Some(code) = caller.preferences.code {
            match self.documented.response(operation, code) {
                Some(Response::Success) => forced = Some(code),
                Some(Response::Error(body)) => {
                    return Mock {
                        status: code,
                        body: body.clone(),
                        trace: digest.trace(),
                        preference_applied: Some(format!("code={code}")),
                        retry_after_seconds: matches!(code, 429 | 503).then_some(RETRY_AFTER_SECONDS),
                    };
                }
                None => return failed(&self.documented.unsupported(operation, code), &digest),
            }
        }
        let context = Context { sandbox: self, caller, digest, clock, forced };
        match context.dispatch(request) {
            Ok(reply) => Mock {
                status: forced.unwrap_or(reply.status),
                body: reply.body,
                trace: reply.trace.unwrap_or_else(|| digest.trace()),
                preference_applied: applied(forced, clock),
                retry_after_seconds: None,
            },
            Err(error) => {
                // These come about by the clock; the others would come about under any.
                let by_clock = matches!(error.error_code, ErrorCode::Conflict | ErrorCode::Gone);
                let preference_applied = applied(None, clock.filter(|_| by_clock));
                Mock { preference_applied, ..failed(&error, &digest) }
            }
        }
    }

    /// The rendered scenario catalogue.
    pub(crate) fn scenario_list(&self) -> Vec<u8> {
        self.scenario_list.clone()
    }
}

impl Context<'_> {
    fn dispatch(&self, request: Request<'_>) -> Answer {
        match request {
            Request::JobCreate(body) => jobs::create(self, body),
            Request::JobList(query) => jobs::list(self, query),
            Request::JobView { id } => jobs::view(self, id),
            Request::JobCancel { id } => jobs::cancel(self, id),
            Request::JobResult { id } => jobs::result(self, id),
            Request::ProfileView { id } => Ok(profiles::view(self, id)),
            Request::ProfileEnrich { id, body } => Ok(profiles::enrich(self, id, body)),
            Request::GraphqlExecute { tenant_id, body } => graphql::execute(self, tenant_id, body),
            Request::TraceView { trace_id } => traces::view(self, trace_id),
            Request::WebhookCreate(body) => Ok(webhooks::create(self, body)),
            Request::WebhookList(page) => webhooks::list(page),
            Request::WebhookView { id } => webhooks::view(id),
            Request::WebhookUpdate { id, body } => webhooks::update(id, body),
            Request::WebhookDelete { id } => webhooks::delete(id),
            Request::WebhookDeliveryList { id, page } => deliveries::list(self, id, page),
            Request::WebhookTest { id } => deliveries::test(id),
            Request::DataSchemaList(query) => Ok(data_schemas::list(self, query)),
            Request::SandboxScenarioList => {
                Ok(Reply { status: 200, body: Some(self.sandbox.scenario_list()), trace: None })
            }
        }
    }
}

/// The digest of a request. `Prefer: code` stays out: it chooses the status of a reply and not its
/// identity, so that a forced replay of `job_create` returns the job of the first request.
fn request_digest(caller: &Caller<'_>, request: &Request<'_>, clock: Option<u32>) -> Digest {
    let mut frame = Frame::new("request");
    frame.part(ARGUS.version.as_bytes());
    frame.part(request.operation().id().as_bytes());
    frame.scalar(&clock);
    frame.scalar(&caller.scenarios.ids());
    if request.shows_tenant() {
        frame.part(caller.tenant_id.as_bytes());
    }
    request.frame(&mut frame);
    frame.finish()
}

fn failed(error: &Error, digest: &Digest) -> Mock {
    Mock {
        status: error.error_code.status(),
        body: Some(json(error)),
        trace: digest.trace(),
        preference_applied: None,
        retry_after_seconds: None,
    }
}

fn applied(code: Option<u16>, clock: Option<u32>) -> Option<String> {
    match (code, clock) {
        (None, None) => None,
        (Some(code), None) => Some(format!("code={code}")),
        (None, Some(clock)) => Some(format!("argus-clock={clock}")),
        (Some(code), Some(clock)) => Some(format!("code={code}, argus-clock={clock}")),
    }
}
