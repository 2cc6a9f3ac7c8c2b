//! What goes into the sandbox and what comes out. The rules that lead from one to the other live
//! in the modules named after the topics.

use crate::digest::Frame;
use crate::preferences::Preferences;
use crate::scenario::ScenarioSet;
use argus_openapi::Operation;
use argus_openapi::types::common::{PageQuery, SecrecyLevel};
use argus_openapi::types::discovery::DataSchemaQuery;
use argus_openapi::types::graphql::GraphqlRequest;
use argus_openapi::types::jobs::{JobCreate, JobQuery};
use argus_openapi::types::profiles::ProfileEnrich;
use argus_openapi::types::webhooks::{WebhookCreate, WebhookUpdate};
use argus_wire::trace_context::TraceIds;
use std::fmt;

/// Who asks, as far as a reply may depend on it.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Tenant of the token.
    pub tenant_id: &'a str,
    /// Organisation of the token.
    pub organization_id: &'a str,
    /// Clearance of the token.
    pub secrecy_level: SecrecyLevel,
    /// Scenarios that the token is pinned to.
    pub scenarios: &'a ScenarioSet,
    /// The request's `Prefer` values.
    pub preferences: &'a Preferences,
}

/// A request that the gate has let through and whose parts fit the contract types.
#[derive(Clone, Copy)]
pub enum Request<'a> {
    /// `job_create`
    JobCreate(&'a JobCreate),
    /// `job_list`
    JobList(&'a JobQuery),
    /// `job_view`
    JobView {
        /// The job, as in the path.
        id: &'a str,
    },
    /// `job_cancel`
    JobCancel {
        /// The job, as in the path.
        id: &'a str,
    },
    /// `job_result`
    JobResult {
        /// The job, as in the path.
        id: &'a str,
    },
    /// `profile_view`
    ProfileView {
        /// The profile, as in the path.
        id: &'a str,
    },
    /// `profile_enrich`
    ProfileEnrich {
        /// The profile, as in the path.
        id: &'a str,
        /// The body; its default when the request had none.
        body: &'a ProfileEnrich,
    },
    /// `graphql_execute`
    GraphqlExecute {
        /// Value of `X-Tenant-ID`.
        tenant_id: Option<&'a str>,
        /// The body.
        body: &'a GraphqlRequest,
    },
    /// `trace_view`
    TraceView {
        /// The trace, as in the path.
        trace_id: &'a str,
    },
    /// `webhook_create`
    WebhookCreate(&'a WebhookCreate),
    /// `webhook_list`
    WebhookList(&'a PageQuery),
    /// `webhook_view`
    WebhookView {
        /// The subscription, as in the path.
        id: &'a str,
    },
    /// `webhook_update`
    WebhookUpdate {
        /// The subscription, as in the path.
        id: &'a str,
        /// The body.
        body: &'a WebhookUpdate,
    },
    /// `webhook_delete`
    WebhookDelete {
        /// The subscription, as in the path.
        id: &'a str,
    },
    /// `webhook_delivery_list`
    WebhookDeliveryList {
        /// The subscription, as in the path.
        id: &'a str,
        /// Which page.
        page: &'a PageQuery,
    },
    /// `webhook_test`
    WebhookTest {
        /// The subscription, as in the path.
        id: &'a str,
    },
    /// `data_schema_list`
    DataSchemaList(&'a DataSchemaQuery),
    /// `sandbox_scenario_list`
    SandboxScenarioList,
}

impl Request<'_> {
    /// The operation that is asked for.
    pub fn operation(&self) -> Operation {
        match self {
            Self::JobCreate(_) => Operation::JobCreate,
            Self::JobList(_) => Operation::JobList,
            Self::JobView { .. } => Operation::JobView,
            Self::JobCancel { .. } => Operation::JobCancel,
            Self::JobResult { .. } => Operation::JobResult,
            Self::ProfileView { .. } => Operation::ProfileView,
            Self::ProfileEnrich { .. } => Operation::ProfileEnrich,
            Self::GraphqlExecute { .. } => Operation::GraphqlExecute,
            Self::TraceView { .. } => Operation::TraceView,
            Self::WebhookCreate(_) => Operation::WebhookCreate,
            Self::WebhookList(_) => Operation::WebhookList,
            Self::WebhookView { .. } => Operation::WebhookView,
            Self::WebhookUpdate { .. } => Operation::WebhookUpdate,
            Self::WebhookDelete { .. } => Operation::WebhookDelete,
            Self::WebhookDeliveryList { .. } => Operation::WebhookDeliveryList,
            Self::WebhookTest { .. } => Operation::WebhookTest,
            Self::DataSchemaList(_) => Operation::DataSchemaList,
            Self::SandboxScenarioList => Operation::SandboxScenarioList,
        }
    }

    /// Adds path, query and body to the digest input, field by field in canonical form. A webhook's
    /// secret stays out: nothing that is published may be derived from it.
    pub(crate) fn frame(&self, frame: &mut Frame) {
        match *self {
            Self::JobCreate(body) => {
                frame.scalar(&body.callback_url);
                frame.scalar(&body.kind);
                frame.object(&body.payload);
                frame.scalar(&body.secrecy_level);
            }
            Self::JobList(query) => {
                frame.scalar(&query.cursor);
                frame.scalar(&query.kind);
                frame.scalar(&query.limit);
                frame.scalar(&query.status);
            }
            Self::JobView { id }
            | Self::JobCancel { id }
            | Self::JobResult { id }
            | Self::ProfileView { id }
            | Self::TraceView { trace_id: id }
            | Self::WebhookView { id }
            | Self::WebhookDelete { id }
            | Self::WebhookTest { id } => frame.part(id.as_bytes()),
            Self::ProfileEnrich { id, body } => {
                frame.part(id.as_bytes());
                frame.scalar(&body.sources);
            }
            Self::GraphqlExecute { tenant_id: _, body } => {
                frame.scalar(&body.operation_name);
                frame.part(body.query.as_bytes());
                frame.object(&body.variables);
            }
            Self::WebhookCreate(body) => {
                frame.scalar(&body.events);
                frame.scalar(&body.url);
            }
            Self::WebhookList(page) => frame.page(page),
            Self::WebhookUpdate { id, body } => {
                frame.part(id.as_bytes());
                frame.scalar(&body.events);
                frame.scalar(&body.url);
            }
            Self::WebhookDeliveryList { id, page } => {
                frame.part(id.as_bytes());
                frame.page(page);
            }
            Self::DataSchemaList(query) => {
                frame.scalar(&query.include_federated);
                frame.scalar(&query.secrecy_max);
            }
            Self::SandboxScenarioList => {}
        }
    }

    /// Whether the reply shows the caller's tenant, so that it belongs into the digest.
    pub(crate) fn shows_tenant(&self) -> bool {
        matches!(self, Self::DataSchemaList(_) | Self::TraceView { .. })
    }

    /// Whether the virtual clock has a say in the reply.
    pub(crate) fn shows_time(&self) -> bool {
        matches!(
            self,
            Self::JobCreate(_)
                | Self::JobList(_)
                | Self::JobView { .. }
                | Self::JobCancel { .. }
                | Self::JobResult { .. }
                | Self::ProfileEnrich { .. }
        )
    }
}

/// What the sandbox answers. The host adds the standard headers and nothing to the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Mock {
    /// HTTP status.
    pub status: u16,
    /// Body, in JSON; `None` for a response without one.
    pub body: Option<Vec<u8>>,
    /// Trace and span of the reply, for a request that brought no `traceparent`.
    pub trace: TraceIds,
    /// Value of `Preference-Applied`.
    pub preference_applied: Option<String>,
    /// Value of `Retry-After`, in seconds.
    pub retry_after_seconds: Option<u32>,
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mock")
            .field("status", &self.status)
            .field("body", &self.body.as_deref().map(String::from_utf8_lossy))
            .field("trace", &self.trace)
            .field("preference_applied", &self.preference_applied)
            .field("retry_after_seconds", &self.retry_after_seconds)
            .finish()
    }
}
