//! What is told of events: the bodies of deliveries. Subscriptions and deliveries themselves live in
//! [`super::webhooks`].

use super::common::Timestamp;
use super::jobs::{JobKind, JobStatus};
use super::profiles::{EnrichmentSource, Risk, RiskLevel};
use super::webhooks::{DisabledReason, WebhookEvent};
use super::wire_enum::{one_of, values};
use argus_wire::canonical;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize};

/// The `type` of a test delivery. Nobody can subscribe to it.
pub const TEST: &str = "webhook.test";

/// A job that has ended. The completion callback of a job is this, and nothing around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobNotice {
    /// Identifier of the job.
    pub id: String,
    /// What the job does.
    pub kind: JobKind,
    /// How it ended: `succeeded`, `failed` or `cancelled`.
    pub status: JobStatus,
    /// Trace in which the job was enqueued.
    pub trace_id: String,
    /// Where the result is, as `job_result` says it; `null` where there is none.
    pub result_ref: Option<String>,
}

/// An incident as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentNotice {
    /// Identifier of the incident: the profile that `profile_view` shows.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// State of the incident, in the words of its dispatch system; `closed` once it is closed.
    pub status: String,
    /// How bad it is.
    pub severity: RiskLevel,
    /// What happened last, in a sentence or two; `null` when nobody said.
    pub summary: Option<String>,
    /// When it changed.
    pub updated_at: Timestamp,
}

/// A profile of which something new may be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnrichedNotice {
    /// Identifier of the profile.
    pub profile_id: String,
    /// The sources that answered.
    pub sources: Vec<EnrichmentSource>,
    /// Overall risk of the profile, with what they found.
    pub risk: Risk,
}

/// A subscription that is not delivered to any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DisabledNotice {
    /// Identifier of the subscription.
    pub webhook_id: String,
    /// Where its deliveries went.
    #[schemars(url)]
    pub url: String,
    /// Why it was disabled.
    pub reason: DisabledReason,
}

/// What a test delivery is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestNotice {
    /// Identifier of the subscription.
    pub webhook_id: String,
}

/// What an event tells.
trait Notice {
    /// Whether it is about a job, which a header of the delivery then names, too.
    const OF_JOB: bool = false;
}

impl Notice for JobNotice {
    const OF_JOB: bool = true;
}

impl Notice for IncidentNotice {}
impl Notice for EnrichedNotice {}
impl Notice for DisabledNotice {}
impl Notice for TestNotice {}

/// An event with the text of its type, whatever the type is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event<'a, D> {
    /// Identifier of the event.
    pub id: String,
    /// What happened.
    pub r#type: &'a str,
    /// Where the event stands among others.
    pub sequence: u64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// To what, and how it is now.
    pub data: D,
}

impl<D: Serialize> Event<'_, D> {
    /// The body of its deliveries: canonical JSON (RFC 8785).
    ///
    /// # Errors
    ///
    /// When the data has no form in JSON, which no notice of this module does.
    pub fn to_body(&self) -> serde_json::Result<String> {
        serde_json::to_value(self).map(|event| canonical::to_string(&event))
    }
}

/// How a kind of event is published.
#[derive(Clone, Copy)]
pub struct EventRow {
    /// Its `type`.
    pub name: &'static str,
    /// What it tells.
    pub description: &'static str,
    /// Whether it is about a job, which a header of the delivery then names, too.
    pub of_job: bool,
    /// The schema of its body.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl EventRow {
    /// Operation id of its delivery.
    pub fn delivery_id(&self) -> String {
        delivery_id(&self.name.replace('.', "_"))
    }
}

/// Operation id of a delivery: of the form of every operation id, and none of an operation that a client calls.
pub fn delivery_id(name: &str) -> String {
    format!("{name}_deliver")
}

/// Declares the body of each event. Their members differ in `type` and `data` alone.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident: $text:expr, $type_schema:expr, $data:ty;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
            pub struct $name {
                /// Identifier of the event, the same in every delivery of it.
                pub id: String,
                /// What happened.
                #[schemars(schema_with = $type_schema)]
                pub r#type: String,
                /// Where the event stands among the others of the installation: of two events, the one with the
                /// greater number was recorded later. Deliveries come in any order, and numbers have gaps.
                pub sequence: u64,
                /// When it happened.
                pub occurred_at: Timestamp,
                /// To what, and how it is now.
                pub data: $data,
            }
        )+

        /// Every event that is delivered.
        pub const EVENTS: &[EventRow] = &[$(EventRow {
            name: $text,
            description: concat!($($doc),+).trim_ascii(),
            of_job: <$data as Notice>::OF_JOB,
            schema: |generator| generator.subschema_for::<$name>(),
        }),+];
    };
}

events! {
    /// A job succeeded.
    JobSucceededEvent: WebhookEvent::JobSucceeded.as_str(), "job_succeeded", JobNotice;
    /// A job failed.
    JobFailedEvent: WebhookEvent::JobFailed.as_str(), "job_failed", JobNotice;
    /// A job was cancelled.
    JobCancelledEvent: WebhookEvent::JobCancelled.as_str(), "job_cancelled", JobNotice;
    /// An incident changed.
    IncidentUpdatedEvent: WebhookEvent::IncidentUpdated.as_str(), "incident_updated", IncidentNotice;
    /// An incident was closed.
    IncidentClosedEvent: WebhookEvent::IncidentClosed.as_str(), "incident_closed", IncidentNotice;
    /// A profile was enriched.
    ProfileEnrichedEvent: WebhookEvent::ProfileEnriched.as_str(), "profile_enriched", EnrichedNotice;
    /// Another subscription of the tenant was disabled.
    WebhookDisabledEvent: WebhookEvent::WebhookDisabled.as_str(), "webhook_disabled", DisabledNotice;
    /// A test that `webhook_test` asked for.
    WebhookTestEvent: TEST, "webhook_test", TestNotice;
}

/// The schema of a `type` that is one event's own.
macro_rules! type_schemas {
    ($($name:ident: $event:ident;)+) => {
        $(fn $name(_: &mut SchemaGenerator) -> Schema {
            values([WebhookEvent::$event]).into()
        })+
    };
}

type_schemas! {
    job_succeeded: JobSucceeded;
    job_failed: JobFailed;
    job_cancelled: JobCancelled;
    incident_updated: IncidentUpdated;
    incident_closed: IncidentClosed;
    profile_enriched: ProfileEnriched;
    webhook_disabled: WebhookDisabled;
}

fn webhook_test(_: &mut SchemaGenerator) -> Schema {
    one_of([(TEST, "WebhookTest", "A test that `webhook_test` asked for.")]).into()
}
