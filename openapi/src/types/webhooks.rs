//! Outbound webhook subscriptions and their deliveries.

use super::common::{Identifier, Moment, Timestamp, WholeNumber};
use super::rendered::Rendered;
use super::secret::SecretText;
use super::uri::ReceiverUrl;
use super::wire_enum::wire_enum;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
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
        /// A profile was enriched.
        ProfileEnriched = "profile.enriched",
        /// Another subscription of the tenant was disabled.
        WebhookDisabled = "webhook.disabled",
    }
}

wire_enum! {
    /// Whether a subscription is delivered to.
    pub enum WebhookStatus {
        /// Its events are delivered.
        Enabled = "enabled",
        /// Its events are kept as `skipped` deliveries, which `webhook_replay` queues again.
        Disabled = "disabled",
    }
}

wire_enum! {
    /// Why a subscription is disabled.
    pub enum DisabledReason {
        /// The receiver answered 410: it is gone.
        Gone = "gone",
        /// Every attempt of five days failed.
        Failing = "failing",
        /// An update asked for it.
        Requested = "requested",
    }
}

/// For how many seconds a replaced secret signs beside the new one, unless somebody says otherwise: 24 hours.
pub const SECRET_OVERLAP_SECONDS: i64 = 24 * 3600;
/// How long that can be at most: 7 days.
const SECRET_OVERLAP_MAX_SECONDS: i64 = 7 * 24 * 3600;

/// A subscription to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebhookCreate {
    /// Where deliveries go: an absolute `https` URL in the letters of RFC 3986, without user name,
    /// password or fragment, at most 2048 characters. It must lead to public addresses. `http` on the literal
    /// address `127.0.0.1` or `[::1]` is for receivers under development: the sandbox host takes it, a live host
    /// only of an installation for development.
    pub url: ReceiverUrl,
    /// Events to deliver; at least one.
    #[validate(length(min = 1, max = 16))]
    pub events: Vec<WebhookEvent>,
    /// Secret that signs deliveries, 16 to 256 characters. It is never returned. Without one, a secret is made
    /// here, and shown in this reply alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 16, max = 256))]
    pub secret: Option<SecretText>,
}

/// Changes to a subscription; an absent field stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebhookUpdate {
    /// Where deliveries go: an absolute `https` URL in the letters of RFC 3986, without user name,
    /// password or fragment, at most 2048 characters. It must lead to public addresses. `http` on the literal
    /// address `127.0.0.1` or `[::1]` is for receivers under development: the sandbox host takes it, a live host
    /// only of an installation for development.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<ReceiverUrl>,
    /// Events to deliver; at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 16))]
    pub events: Option<Vec<WebhookEvent>>,
    /// New signing secret, 16 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 16, max = 256))]
    pub secret: Option<SecretText>,
    /// `true` replaces the secret with one that is made here, and shown in this reply alone. It does not go together
    /// with `secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_secret: Option<bool>,
    /// For how many whole seconds the replaced secret signs beside the new one, 86400 (a day) when absent; 0 ends it
    /// at once. Values outside 0 to 604800 (7 days) are clamped to that range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_overlap_seconds: Option<WholeNumber>,
    /// `enabled` lets a disabled subscription be delivered to again; `disabled` keeps its events as `skipped`
    /// deliveries from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WebhookStatus>,
}

impl WebhookUpdate {
    /// For how many seconds a replaced secret signs on.
    pub fn secret_overlap_seconds(&self) -> i64 {
        let asked = self.secret_overlap_seconds.map_or(SECRET_OVERLAP_SECONDS, i64::from);
        asked.clamp(0, SECRET_OVERLAP_MAX_SECONDS)
    }
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
    /// Whether they are delivered.
    pub status: WebhookStatus,
    /// Why they are not; `null` while they are.
    pub disabled_reason: Option<DisabledReason>,
    /// Until when a replaced secret signs beside the present one; `null` when one secret signs.
    pub former_secret_expires_at: Option<Timestamp>,
    /// When the subscription was created.
    pub created_at: Timestamp,
    /// When the subscription last changed.
    pub updated_at: Timestamp,
}

/// A subscription, with its secret where one was made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookIssued {
    /// The subscription.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// The secret that was made for this request, shown this once: `whsec_` and Base64, as Standard Webhooks has it.
    /// `null` when none was made.
    pub secret: Option<SecretText>,
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
        /// The receiver refused or was out of reach until the last attempt.
        Failed = "failed",
        /// The subscription was disabled. `webhook_replay` queues such deliveries again.
        Skipped = "skipped",
    }
}

wire_enum! {
    /// Why an attempt got no answer.
    pub enum AttemptFailure {
        /// The receiver's name has no address now.
        NameNotResolved = "name_not_resolved",
        /// The receiver is at an address that is not public.
        AddressNotAllowed = "address_not_allowed",
        /// The URL is one that deliveries are not sent to.
        UrlNotAllowed = "url_not_allowed",
        /// Nobody listens at the address.
        ConnectionRefused = "connection_refused",
        /// The connection broke, or none came about.
        ConnectionFailed = "connection_failed",
        /// TLS failed: the certificate, or the protocol.
        TlsFailed = "tls_failed",
        /// There was no answer in time.
        TimedOut = "timed_out",
        /// What came back was no HTTP, or too long.
        AnswerUnusable = "answer_unusable",
    }
    extensible = true
}

/// One attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryAttempt {
    /// When it was made.
    pub attempted_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// Status that the receiver answered with; `null` when it did not answer.
    #[schemars(range(min = 100, max = 599))]
    pub response_status: Option<u16>,
    /// How the answer began, in at most 1000 characters; `null` when there was none.
    pub response_excerpt: Option<String>,
    /// Why there was no answer; `null` when there was one.
    pub failure: Option<AttemptFailure>,
}

/// One delivery with its attempts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDelivery {
    /// Identifier of the delivery; also the `webhook-id` header, the same in every attempt.
    pub id: String,
    /// Event that is delivered; `null` for a test delivery.
    pub event: Option<WebhookEvent>,
    /// State of the delivery.
    pub status: DeliveryStatus,
    /// When the delivery was queued.
    pub created_at: Timestamp,
    /// When it was last attempted; `null` before the first attempt.
    pub attempted_at: Option<Timestamp>,
    /// When it will be attempted next; `null` unless it is queued.
    pub next_attempt_at: Option<Timestamp>,
    /// Every attempt, oldest first.
    pub attempts: Rendered<Vec<DeliveryAttempt>>,
    /// What the last attempt sent; before the first attempt, and where the signing secret has been replaced since,
    /// without signatures.
    pub request: DeliveryRequest,
}

/// What a delivery sends to the receiver.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryRequest {
    /// Where it is sent.
    #[schemars(url)]
    pub url: String,
    /// Headers, signatures included.
    pub headers: Rendered<BTreeMap<String, String>>,
    /// The body, byte for byte as it is signed (RFC 8785 canonical JSON).
    pub body: String,
}

/// One page of deliveries, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDeliveryList {
    /// The deliveries of this page.
    pub deliveries: Vec<WebhookDelivery>,
    /// Cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Path of a delivery.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDeliveryPath {
    /// Identifier of the subscription.
    pub webhook_id: Identifier,
    /// Identifier of the delivery.
    pub delivery_id: Identifier,
}

/// A delivery that was queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDeliveryQueued {
    /// Identifier of the delivery, as the delivery list shows it.
    pub delivery_id: String,
    /// Always `queued`.
    pub status: DeliveryStatus,
}

/// Deliveries to queue again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebhookReplay {
    /// Deliveries that were queued at this moment or later.
    pub since: Moment,
    /// Deliveries that were queued before this moment; there are none, unless it lies after `since`.
    pub until: Moment,
    /// In which of these states; `failed` and `skipped` when absent. Those that are `queued` are so already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 4))]
    pub statuses: Option<Vec<DeliveryStatus>>,
}

impl WebhookReplay {
    /// The moments that are asked for; none, if `until` does not lie behind `since`.
    pub fn range(&self) -> Range<DateTime<Utc>> {
        let (Moment(since), Moment(until)) = (self.since, self.until);
        since..until
    }

    /// The states that are asked for.
    pub fn statuses(&self) -> &[DeliveryStatus] {
        self.statuses.as_deref().unwrap_or(&[DeliveryStatus::Failed, DeliveryStatus::Skipped])
    }
}

/// Deliveries that were queued again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookReplayQueued {
    /// How many.
    pub queued: u64,
}
