//! The partner product: one mock for each of its operations, by topic, and the fixtures and documents
//! that they answer from. A mock is named after its operation, as the request types are, so that call
//! sites say `partner::JobCreate`.

mod data_schemas;
mod deliveries;
mod fixture;
mod graphql;
mod ids;
mod jobs;
mod profiles;
mod sandbox;
mod scenarios;
mod subject;
mod traces;
mod webhooks;

pub use data_schemas::DataSchemaList;
pub use deliveries::{WebhookDeliveryList, WebhookTest};
pub use fixture::FixtureError;
pub use graphql::GraphqlExecute;
pub use jobs::{JobCancel, JobCreate, JobList, JobResult, JobView};
pub use profiles::{ProfileEnrich, ProfileView};
pub use sandbox::Sandbox;
pub use scenarios::SandboxScenarioList;
pub use traces::TraceView;
pub use webhooks::{WebhookCreate, WebhookDelete, WebhookList, WebhookUpdate, WebhookView};
