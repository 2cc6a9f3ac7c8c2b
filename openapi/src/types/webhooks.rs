//! Outbound webhook subscriptions and their deliveries.

use super::common::{Identifier, Timestamp};
use super::secret::SecretText;
use super::uri::HttpsUrl;
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::Validate;

wire_enum! {
    /// An event that a subscription can ask for.
    #[derive(PartialOrd, Ord)]
    pub enum WebhookEvent {
        /// An incident changed.
        IncidentUpdated = "incident.updated",
        /// An incident was closed.
        IncidentClosed = "incident.closed",
        /// A job succeeded.
        JobSucceeded = "job.succeeded",
        /// A job failed.
        JobFailed = "job.failed",
        /// A job was cancelled.
        JobCancelled = "job.cancelled",
    }
}

/// A subscription to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebhookCreate {
    /// Where deliveries go: an absolute `https` URL in the letters of RFC 3986, without user name,
    /// password or fragment, at most 2048 characters.
    pub url: HttpsUrl,
    /// Events to deliver; at least one.
    #[validate(length(min = 1, max = 16))]
    pub events: Vec<WebhookEvent>,
    /// Secret that signs deliveries, 16 to 256 characters. It is never returned.
    #[validate(length(min = 16, max = 256))]
    pub secret: SecretText,
}

/// Changes to a subscription; an absent field stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebhookUpdate {
    /// Where deliveries go: an absolute `https` URL in the letters of RFC 3986, without user name,
    /// password or fragment, at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<HttpsUrl>,
    /// Events to deliver; at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 16))]
    pub events: Option<Vec<WebhookEvent>>,
    /// New signing secret, 16 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 16, max = 256))]
    pub secret: Option<SecretText>,
}

/// A subscription. Its secret is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Identifier of the subscription.
    pub id: String,
    /// Where deliveries go.
    #[schemars(url)]
    pub url: String,
    /// Events that are delivered.
    pub events: Vec<WebhookEvent>,
    /// When the subscription was created.
    pub created_at: Timestamp,
    /// When the subscription last changed.
    pub updated_at: Timestamp,
}

/// One page of the tenant's subscriptions, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookList {
    /// The subscriptions of this page.
    pub webhooks: Vec<Webhook>,
    /// Cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Path of a subscription.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebhookPath {
    /// Identifier of the subscription.
    pub webhook_id: Identifier,
}

wire_enum! {
    /// State of a delivery.
    pub enum DeliveryStatus {
        /// Waiting for its first or next attempt.
        Queued = "queued",
        /// The receiver answered with a 2xx status.
        Succeeded = "succeeded",
        /// The receiver refused, or was out of reach.
        Failed = "failed",
    }
}

/// One delivery attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDelivery {
    /// Identifier of the delivery; also the `webhook-id` header.
    pub id: String,
    /// Event that was delivered; `null` for a test delivery.
    pub event: Option<WebhookEvent>,
    /// State of the delivery.
    pub status: DeliveryStatus,
    /// Which attempt this was, from 1.
    #[schemars(range(min = 1))]
    pub attempt: u32,
    /// When it was attempted.
    pub attempted_at: Timestamp,
    /// Status that the receiver answered with; `null` when it did not answer.
    #[schemars(range(min = 100, max = 599))]
    pub response_status: Option<u16>,
    /// What was sent.
    pub request: DeliveryRequest,
}

/// What a delivery sent to the receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryRequest {
    /// Where it was sent.
    #[schemars(url)]
    pub url: String,
    /// Headers, signatures included.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte as it was signed (RFC 8785 canonical JSON).
    pub body: String,
}

/// One page of delivery attempts, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDeliveryList {
    /// The attempts of this page.
    pub deliveries: Vec<WebhookDelivery>,
    /// Cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// A test delivery that was queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTestQueued {
    /// Identifier of the delivery, as the delivery list shows it.
    pub delivery_id: String,
    /// Always `queued`.
    pub status: DeliveryStatus,
}
