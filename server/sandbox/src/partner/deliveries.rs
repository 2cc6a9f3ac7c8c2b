//! Deliveries of a webhook, as live would send them: headers, signatures and the signed bytes. No
//! delivery is ever sent; the signatures are made with [`SANDBOX_SECRET`], whatever
//! secret the subscription was created with.

use crate::engine::clock::at;
use crate::engine::cursor;
use crate::engine::digest::Frame;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::ids::{Outcome, delivery_id};
use crate::partner::jobs::listed::ListedJob;
use crate::partner::jobs::result_ref;
use crate::partner::sandbox::{Context, Sandbox};
use crate::partner::webhooks::existing;
use argus_openapi::Operation;
use argus_openapi::contract::ARGUS;
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::webhooks as types;
use argus_openapi::types::webhooks::{
    DeliveryRequest, DeliveryStatus, Webhook, WebhookDelivery, WebhookEvent,
};
use argus_wire::canonical;
use argus_wire::signature::{
    ARGUS_SIGNATURE, SANDBOX_SECRET, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, argus_signature,
    standard_signature,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Seconds between two deliveries of the list.
const EVERY: i64 = 60;

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
        // The newest is the test delivery; the events lie before it in the order of the contract.
        let mut deliveries = vec![delivery(&webhook, None, 0, test_content(self.id))];
        for (index, event) in webhook.events.iter().enumerate() {
            let content = event_content(context, *event);
            deliveries.push(delivery(&webhook, Some(*event), index as i64 + 1, content));
        }
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
        let delivery_id = id_of(&webhook.id, None);
        Ok(Reply::json(202, &types::WebhookTestQueued { delivery_id, status: DeliveryStatus::Queued }))
    }
}

/// What a delivery says, and about which job.
struct Content {
    body: Value,
    job_id: Option<String>,
    trace_id: Option<String>,
}

fn test_content(id: &str) -> Content {
    Content { body: json!({ "type": "webhook.test", "webhook_id": id }), job_id: None, trace_id: None }
}

fn event_content(context: &Context<'_>, event: WebhookEvent) -> Content {
    let outcome = match event {
        WebhookEvent::IncidentUpdated | WebhookEvent::IncidentClosed => {
            let fixtures = context.data.fixtures(context.caller);
            let own = fixtures.pinned().find_map(|fixture| fixture.event(event));
            let body = own.or_else(|| fixtures.all.iter().find_map(|fixture| fixture.event(event)));
            let body = body.map_or(Value::Null, |body| Value::Object(body.clone()));
            return Content { body, job_id: None, trace_id: None };
        }
        WebhookEvent::JobSucceeded => Outcome::Succeeded,
        WebhookEvent::JobFailed => Outcome::Failed,
        WebhookEvent::JobCancelled => Outcome::Cancelled,
    };
    // The list has ended jobs of every outcome.
    let ended = |job: &&ListedJob| job.id.outcome == outcome && job.had_ended();
    let Some(job) = context.data.jobs.iter().find(ended) else {
        return Content { body: Value::Null, job_id: None, trace_id: None };
    };
    let (status, result_ref) = match outcome {
        Outcome::Succeeded => ("succeeded", Some(result_ref(&job.id.file_name(&job.text)))),
        Outcome::Failed => ("failed", None),
        Outcome::Cancelled => ("cancelled", None),
    };
    let body = json!({
        "id": job.text, "kind": job.id.kind, "status": status, "trace_id": job.trace_id, "result_ref": result_ref,
    });
    Content { body, job_id: Some(job.text.clone()), trace_id: Some(job.trace_id.clone()) }
}

fn id_of(webhook_id: &str, event: Option<WebhookEvent>) -> String {
    match event {
        None => delivery_id("dlv_test_", webhook_id, ""),
        Some(event) => delivery_id("dlv_", webhook_id, &format!("{event:?}")),
    }
}

fn delivery(webhook: &Webhook, event: Option<WebhookEvent>, age: i64, content: Content) -> WebhookDelivery {
    let id = id_of(&webhook.id, event);
    let attempted_at = at(-age * EVERY);
    let timestamp = attempted_at.timestamp();
    let body = canonical::to_string(&content.body);
    let trace_id = content.trace_id.unwrap_or_else(|| {
        let mut frame = Frame::new("delivery trace");
        frame.part(id.as_bytes());
        frame.finish().trace().trace_hex()
    });
    let secret = SANDBOX_SECRET;
    let mut headers: BTreeMap<String, String> = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", format!("argus-webhooks/{}", ARGUS.version)),
        (WEBHOOK_ID, id.clone()),
        (WEBHOOK_TIMESTAMP, timestamp.to_string()),
        (WEBHOOK_SIGNATURE, standard_signature(secret, &id, timestamp, body.as_bytes())),
        (ARGUS_SIGNATURE, argus_signature(secret, body.as_bytes())),
        ("x-argus-trace-id", trace_id),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(job_id) = content.job_id {
        headers.insert("x-argus-job-id".to_owned(), job_id);
    }
    WebhookDelivery {
        id,
        event,
        status: DeliveryStatus::Succeeded,
        attempt: 1,
        attempted_at,
        response_status: Some(200),
        request: DeliveryRequest { url: webhook.url.clone(), headers, body },
    }
}
