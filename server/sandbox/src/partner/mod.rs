//! The partner product: one mock for each of its operations, by topic, and the fixtures and documents
//! that they answer from. A mock is named after its operation, as the request types are, so that call
//! sites say `partner::JobCreate`.

mod data_schemas;
mod deliveries;
mod fixture;
mod graphql;
mod ids;
mod jobs;
mod objects;
mod places;
mod profiles;
mod sandbox;
mod scenarios;
mod subject;
mod traces;
mod uploads;
mod webhooks;

pub use fixture::{Fault, FixtureError, check_id, schema, template};
pub use objects::SignedObject;
pub use places::Place;
pub use sandbox::Sandbox;

use crate::engine::mock::Caller;
use crate::engine::reply::MockReply;
use argus_openapi::Operation;
use argus_openapi::read::RequestParts;
use argus_openapi::types::error::Error;
use argus_openapi::types::graphql::GraphqlHeaders;
use argus_openapi::types::jobs::{JobCreateHeaders, JobPath};
use argus_openapi::types::profiles::ProfilePath;
use argus_openapi::types::traces::TracePath;
use argus_openapi::types::webhooks::{WebhookDeliveryPath, WebhookPath};

/// The one list of the mocks, with the part of a request that each input is read from.
macro_rules! mocks {
    (|$parts:ident| $($module:ident::$mock:ident { $($input:ident: $value:expr),* })+) => {
        $(pub use $module::$mock;)+

        impl Sandbox {
            /// Answers an operation from the parts of a request; nothing if the sandbox does not mock it.
            ///
            /// # Errors
            ///
            /// `invalid_request`, for a part that does not fit the contract.
            pub fn answer_request(
                &self,
                caller: &Caller<'_>,
                operation: Operation,
                $parts: &RequestParts<'_>,
            ) -> Result<Option<MockReply>, Error> {
                Ok(Some(match operation {
                    $(Operation::$mock => self.answer(caller, &$mock { $($input: $value),* }),)+
                    _ => return Ok(None),
                }))
            }
        }
    };
}

mocks! { |parts|
    data_schemas::DataSchemaList { query: &parts.query()? }
    deliveries::WebhookDeliveryList { id: parts.path::<WebhookPath>()?.webhook_id.as_str(), page: &parts.query()? }
    deliveries::WebhookDeliveryRetry { path: &parts.path::<WebhookDeliveryPath>()? }
    deliveries::WebhookReplay { id: parts.path::<WebhookPath>()?.webhook_id.as_str(), body: &parts.body()? }
    deliveries::WebhookTest { id: parts.path::<WebhookPath>()?.webhook_id.as_str() }
    graphql::GraphqlExecute { tenant_id: parts.header::<GraphqlHeaders>("X-Tenant-ID")?.x_tenant_id.as_deref(), body: &parts.body()? }
    jobs::JobCancel { id: parts.path::<JobPath>()?.id.as_str() }
    jobs::JobCreate { idempotency_key: parts.header::<JobCreateHeaders>("Idempotency-Key")?.idempotency_key.as_deref(), body: &parts.body()? }
    jobs::JobList { query: &parts.query()? }
    jobs::JobResult { id: parts.path::<JobPath>()?.id.as_str() }
    jobs::JobView { id: parts.path::<JobPath>()?.id.as_str() }
    profiles::ProfileEnrich { id: parts.path::<ProfilePath>()?.id.as_str(), body: &parts.optional_body()? }
    profiles::ProfileView { id: parts.path::<ProfilePath>()?.id.as_str() }
    scenarios::SandboxScenarioList { }
    traces::TraceView { trace_id: parts.path::<TracePath>()?.trace_id.as_str() }
    uploads::UploadCreate { }
    webhooks::WebhookCreate { body: &parts.body()? }
    webhooks::WebhookDelete { id: parts.path::<WebhookPath>()?.webhook_id.as_str() }
    webhooks::WebhookList { page: &parts.query()? }
    webhooks::WebhookUpdate { id: parts.path::<WebhookPath>()?.webhook_id.as_str(), body: &parts.body()? }
    webhooks::WebhookView { id: parts.path::<WebhookPath>()?.webhook_id.as_str() }
}
