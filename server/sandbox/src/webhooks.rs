//! Webhook subscriptions. A reply reflects the request; an id says which events were subscribed,
//! and nothing else is remembered: a view shows [`EXAMPLE_URL`]. Secrets are never shown, hashed
//! or kept.

use crate::clock::at;
use crate::cursor;
use crate::digest::Frame;
use crate::ids::WebhookId;
use crate::sandbox::{Answer, Context, Reply, not_found};
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::webhooks::{Webhook, WebhookCreate, WebhookEvent, WebhookList, WebhookUpdate};

/// Where the subscriptions that the sandbox did not see being created deliver to; a name that is
/// reserved for examples (RFC 2606).
pub(crate) const EXAMPLE_URL: &str = "https://partner.example.com/webhooks/argus";

/// Length of the synthetic list.
const LISTED: usize = 6;

/// Seconds from the start of time to an update.
const UPDATED: i64 = 60;

pub(crate) fn create(context: &Context<'_>, body: &WebhookCreate) -> Reply {
    let id = WebhookId::new(&body.events, &context.digest);
    Reply::json(
        201,
        &Webhook {
            id: id.text(),
            url: body.url.clone(),
            events: body.events.clone(),
            created_at: at(0),
            updated_at: at(0),
        },
    )
}

pub(crate) fn list(page: &PageQuery) -> Answer {
    let webhooks = (0..LISTED).map(listed).collect();
    let page = cursor::page(webhooks, "webhooks", page.cursor.as_deref(), page.limit())?;
    Ok(Reply::json(200, &WebhookList { webhooks: page.items, next_cursor: page.next_cursor }))
}

pub(crate) fn view(id: &str) -> Answer {
    Ok(Reply::json(200, &existing(id)?))
}

pub(crate) fn update(id: &str, body: &WebhookUpdate) -> Answer {
    let webhook = existing(id)?;
    Ok(Reply::json(
        200,
        &Webhook {
            url: body.url.clone().unwrap_or(webhook.url),
            events: body.events.clone().unwrap_or(webhook.events),
            updated_at: at(UPDATED),
            ..webhook
        },
    ))
}

pub(crate) fn delete(id: &str) -> Answer {
    existing(id).map(|_| Reply::empty(204))
}

/// The subscription that an id describes.
pub(crate) fn existing(id: &str) -> Result<Webhook, argus_openapi::types::error::Error> {
    let read = WebhookId::read(id).ok_or_else(|| not_found("webhook"))?;
    Ok(described(id.to_owned(), read.events))
}

fn described(id: String, events: Vec<WebhookEvent>) -> Webhook {
    Webhook { id, url: EXAMPLE_URL.to_owned(), events, created_at: at(0), updated_at: at(0) }
}

/// A subscription of the synthetic list.
fn listed(index: usize) -> Webhook {
    let mut frame = Frame::new("listed webhook");
    frame.part(&(index as u64).to_be_bytes());
    let all = WebhookEvent::ALL;
    let events = match index % 3 {
        0 => &all[..],
        1 => &all[..2],
        _ => &all[2..],
    };
    let id = WebhookId::new(events, &frame.finish());
    described(id.text(), id.events)
}
