//! Deliveries of a webhook, as live would send them: headers, signatures and the signed bytes. No
//! delivery is ever sent; the signatures are made with [`SANDBOX_SECRET`], whatever
//! secret the subscription was created with.

use crate::engine::clock::at;
use crate::engine::cursor;
use crate::engine::digest::Frame;
use crate::engine::errors::not_found;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::ids::{Outcome, delivery_id};
use crate::partner::jobs::listed::ListedJob;
use crate::partner::jobs::result_ref;
use crate::partner::sandbox::{Context, Sandbox};
use crate::partner::webhooks::{existing, listed};
use argus_openapi::Operation;
use argus_openapi::contract::ARGUS;
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::events::{self, DisabledNotice, EnrichedNotice, Event, JobNotice, TestNotice};
use argus_openapi::types::jobs::JobStatus;
use argus_openapi::types::profiles::EnrichmentSource;
use argus_openapi::types::webhooks as types;
use argus_openapi::types::webhooks::{
    DeliveryAttempt, DeliveryRequest, DeliveryStatus, DisabledReason, Webhook, WebhookDelivery,
    WebhookDeliveryPath, WebhookDeliveryQueued, WebhookEvent, WebhookReplayQueued,
};
use argus_wire::signature::{
    ARGUS_SIGNATURE, SANDBOX_SECRET, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, argus_signature,
    standard_signature,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Seconds between two deliveries of the list.
const EVERY: i64 = 60;
/// Sequence number of the newest event.
const FIRST: u64 = 1_000;
/// The longest that an attempt took, in milliseconds.
const SLOWEST_MS: u64 = 250;

/// `webhook_delivery_list`
pub struct WebhookDeliveryList<'a> {
    /// The subscription, as in the path.
    pub id: &'a str,
    /// Which page.
    pub page: &'a PageQuery,
}

impl Mock for WebhookDeliveryList<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookDeliveryList;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id, page } = self;
        frame.part(id.as_bytes());
        frame.page(page);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let webhook = existing(self.id)?;
        let deliveries = deliveries(context, &webhook);
        let name = format!("deliveries {}", self.id);
        let page = cursor::page(deliveries, &name, self.page.cursor.as_deref(), self.page.limit())?;
        Ok(Reply::json(
            200,
            &types::WebhookDeliveryList { deliveries: page.items, next_cursor: page.next_cursor },
        ))
    }
}

/// `webhook_test`
pub struct WebhookTest<'a> {
    /// The subscription, as in the path.
    pub id: &'a str,
}

impl Mock for WebhookTest<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookTest;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, _: &Context<'_>) -> Answer {
        let webhook = existing(self.id)?;
        Ok(queued(id_of(&webhook.id, None)))
    }
}

/// `webhook_delivery_retry`
pub struct WebhookDeliveryRetry<'a> {
    /// The subscription and the delivery, as in the path.
    pub path: &'a WebhookDeliveryPath,
}

impl Mock for WebhookDeliveryRetry<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookDeliveryRetry;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let WebhookDeliveryPath { webhook_id, delivery_id } = self.path;
        frame.part(webhook_id.as_str().as_bytes());
        frame.part(delivery_id.as_str().as_bytes());
    }

    fn answer(&self, _: &Context<'_>) -> Answer {
        let webhook = existing(self.path.webhook_id.as_str())?;
        let mut listed = told(&webhook).map(|event| id_of(&webhook.id, event));
        let delivery_id = listed.find(|id| id == self.path.delivery_id.as_str());
        delivery_id.map(queued).ok_or_else(|| not_found("delivery"))
    }
}

/// `webhook_replay`
pub struct WebhookReplay<'a> {
    /// The subscription, as in the path.
    pub id: &'a str,
    /// The body.
    pub body: &'a types::WebhookReplay,
}

impl Mock for WebhookReplay<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookReplay;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id, body } = self;
        let types::WebhookReplay { since, until, statuses } = body;
        frame.part(id.as_bytes());
        frame.scalar(since);
        frame.scalar(until);
        frame.scalar(statuses);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let range = self.body.range();
        let is_asked_for = |delivery: &&WebhookDelivery| {
            range.contains(&*delivery.created_at) && self.body.statuses().contains(&delivery.status)
        };
        let deliveries = deliveries(context, &existing(self.id)?);
        let queued = deliveries.iter().filter(is_asked_for).count() as u64;
        Ok(Reply::json(202, &WebhookReplayQueued { queued }))
    }
}

fn queued(delivery_id: String) -> Reply {
    Reply::json(202, &WebhookDeliveryQueued { delivery_id, status: DeliveryStatus::Queued })
}

/// What a subscription has been told of, newest first: the test delivery; the events lie before it in the order of
/// the contract.
fn told(webhook: &Webhook) -> impl Iterator<Item = Option<WebhookEvent>> {
    std::iter::once(None).chain(webhook.events.iter().copied().map(Some))
}

/// The deliveries of a subscription, newest first.
fn deliveries(context: &Context<'_>, webhook: &Webhook) -> Vec<WebhookDelivery> {
    let delivery = |(age, event): (usize, Option<WebhookEvent>)| {
        let content = match event {
            None => Content::of(&TestNotice { webhook_id: webhook.id.clone() }),
            Some(event) => content(context, event),
        };
        delivery(webhook, event, age, content)
    };
    told(webhook).enumerate().map(delivery).collect()
}

/// What an event is about, and which job, if it is one.
struct Content {
    data: Value,
    job: Option<(String, String)>,
}

impl Content {
    fn of<D: Serialize>(data: &D) -> Self {
        // None of the notices has a failing serialiser.
        Self { data: serde_json::to_value(data).unwrap_or_default(), job: None }
    }
}

fn content(context: &Context<'_>, event: WebhookEvent) -> Content {
    match event {
        WebhookEvent::IncidentUpdated | WebhookEvent::IncidentClosed => incident(context, event),
        WebhookEvent::JobSucceeded => job(context, Outcome::Succeeded),
        WebhookEvent::JobFailed => job(context, Outcome::Failed),
        WebhookEvent::JobCancelled => job(context, Outcome::Cancelled),
        WebhookEvent::ProfileEnriched => profile(context),
        WebhookEvent::WebhookDisabled => {
            let Webhook { id, url, .. } = listed(0);
            Content::of(&DisabledNotice { webhook_id: id, url, reason: DisabledReason::Failing })
        }
    }
}

fn incident(context: &Context<'_>, event: WebhookEvent) -> Content {
    let fixtures = context.data.fixtures(context.caller);
    let own = fixtures.pinned().find_map(|fixture| fixture.event(event));
    Content::of(&own.or_else(|| fixtures.all.iter().find_map(|fixture| fixture.event(event))))
}

fn job(context: &Context<'_>, outcome: Outcome) -> Content {
    // The list has ended jobs of every outcome.
    let ended = |job: &&ListedJob| job.id.outcome == outcome && job.had_ended();
    let Some(job) = context.data.jobs.iter().find(ended) else { return Content::of(&()) };
    let (status, result_ref) = match outcome {
        Outcome::Succeeded => (JobStatus::Succeeded, Some(result_ref(&job.id.file_name(&job.text)))),
        Outcome::Failed => (JobStatus::Failed, None),
        Outcome::Cancelled => (JobStatus::Cancelled, None),
    };
    let (id, trace_id) = (job.text.clone(), job.trace_id.clone());
    let notice =
        JobNotice { id: id.clone(), kind: job.id.kind, status, trace_id: trace_id.clone(), result_ref };
    Content { job: Some((id, trace_id)), ..Content::of(&notice) }
}

fn profile(context: &Context<'_>) -> Content {
    let fixtures = context.data.fixtures(context.caller);
    let Some(fixture) = fixtures.pinned().next().or(fixtures.all.first()) else { return Content::of(&()) };
    let mut sources: Vec<EnrichmentSource> =
        fixture.profile.findings.iter().map(|finding| finding.source).collect();
    sources.sort_unstable();
    sources.dedup();
    let profile_id = format!("{}_sandbox_0001", fixture.profile.kind);
    Content::of(&EnrichedNotice { profile_id, sources, risk: fixture.profile.risk.clone() })
}

fn id_of(webhook_id: &str, event: Option<WebhookEvent>) -> String {
    match event {
        None => delivery_id("dlv_test_", webhook_id, ""),
        Some(event) => delivery_id("dlv_", webhook_id, &format!("{event:?}")),
    }
}

fn delivery(webhook: &Webhook, event: Option<WebhookEvent>, age: usize, content: Content) -> WebhookDelivery {
    let id = id_of(&webhook.id, event);
    let occurred_at = at(-(age as i64) * EVERY);
    let told = Event {
        id: id.replacen("dlv_", "evt_", 1),
        r#type: event.map_or(events::TEST, WebhookEvent::as_str),
        sequence: FIRST - age as u64,
        occurred_at,
        data: content.data,
    };
    let body = told.to_body().unwrap_or_default();
    let mut frame = Frame::new("delivery trace");
    frame.part(id.as_bytes());
    let digest = frame.finish();
    let (job_id, trace_id) = content.job.unzip();
    let timestamp = occurred_at.timestamp();
    let secret = SANDBOX_SECRET;
    let mut headers: BTreeMap<String, String> = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", format!("argus-webhooks/{}", ARGUS.version)),
        (WEBHOOK_ID, id.clone()),
        (WEBHOOK_TIMESTAMP, timestamp.to_string()),
        (WEBHOOK_SIGNATURE, standard_signature(secret, &id, timestamp, body.as_bytes())),
        (ARGUS_SIGNATURE, argus_signature(secret, body.as_bytes())),
        ("x-argus-trace-id", trace_id.unwrap_or_else(|| digest.trace().trace_hex())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(job_id) = job_id {
        headers.insert("x-argus-job-id".to_owned(), job_id);
    }
    let attempt = DeliveryAttempt {
        attempted_at: occurred_at,
        duration_ms: (digest.tail() % SLOWEST_MS) as u32 + 1,
        response_status: Some(200),
        response_excerpt: Some(String::new()),
        failure: None,
    };
    WebhookDelivery {
        id,
        event,
        status: DeliveryStatus::Succeeded,
        created_at: occurred_at,
        attempted_at: Some(occurred_at),
        next_attempt_at: None,
        attempts: vec![attempt].into(),
        request: DeliveryRequest { url: webhook.url.clone(), headers: headers.into(), body },
    }
}
