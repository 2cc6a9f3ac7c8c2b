//! Webhook subscriptions. A reply reflects the request; an id says which events were subscribed,
//! and nothing else is remembered: a view shows [`EXAMPLE_URL`]. Secrets are never shown, hashed
//! or kept.

use crate::engine::clock::at;
use crate::engine::cursor;
use crate::engine::digest::Frame;
use crate::engine::errors::not_found;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::ids::WebhookId;
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::error::Error;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::webhooks as types;
use argus_openapi::types::webhooks::{DisabledReason, Webhook, WebhookEvent, WebhookIssued, WebhookStatus};
use argus_wire::signature::SANDBOX_SECRET;

/// Where the subscriptions that the sandbox did not see being created deliver to; a name that is
/// reserved for examples (RFC 2606).
pub(crate) const EXAMPLE_URL: &str = "https://partner.example.com/webhooks/argus";

/// Length of the synthetic list.
const LISTED: usize = 6;

/// Seconds from the start of time to an update.
const UPDATED: i64 = 60;

/// `webhook_create`
pub struct WebhookCreate<'a> {
    /// The body.
    pub body: &'a types::WebhookCreate,
}

impl Mock for WebhookCreate<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookCreate;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { body } = self;
        let types::WebhookCreate { url, events, secret } = body;
        frame.scalar(events);
        frame.scalar(url);
        // The secret itself stays out; whether one is made shows.
        if secret.is_none() {
            frame.part(b"a secret is made");
        }
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        let id = WebhookId::new(&self.body.events, &context.digest);
        let webhook =
            Webhook { url: self.body.url.to_string(), ..described(id.text(), self.body.events.clone()) };
        let secret = self.body.secret.is_none().then(made_here);
        Ok(Reply::json(201, &WebhookIssued { webhook, secret }))
    }
}

/// `webhook_list`
pub struct WebhookList<'a> {
    /// Which page.
    pub page: &'a PageQuery,
}

impl Mock for WebhookList<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookList;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { page } = self;
        frame.page(page);
    }

    fn answer(&self, _: &Context<'_>) -> Answer {
        let webhooks = (0..LISTED).map(listed).collect();
        let page = cursor::page(webhooks, "webhooks", self.page.cursor.as_deref(), self.page.limit())?;
        Ok(Reply::json(200, &types::WebhookList { webhooks: page.items, next_cursor: page.next_cursor }))
    }
}

/// `webhook_view`
pub struct WebhookView<'a> {
    /// The subscription, as in the path.
    pub id: &'a str,
}

impl Mock for WebhookView<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookView;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, _: &Context<'_>) -> Answer {
        Ok(Reply::json(200, &existing(self.id)?))
    }
}

/// `webhook_update`
pub struct WebhookUpdate<'a> {
    /// The subscription, as in the path.
    pub id: &'a str,
    /// The body.
    pub body: &'a types::WebhookUpdate,
}

impl Mock for WebhookUpdate<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookUpdate;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id, body } = self;
        let types::WebhookUpdate { url, events, secret, rotate_secret, secret_overlap_seconds: _, status } =
            body;
        frame.part(id.as_bytes());
        frame.scalar(events);
        frame.scalar(url);
        // The secret itself stays out; whether it is replaced, and by whose, shows.
        frame.scalar(&secret.is_some());
        frame.scalar(rotate_secret);
        frame.scalar(&body.secret_overlap_seconds());
        frame.scalar(status);
    }

    fn answer(&self, _: &Context<'_>) -> Answer {
        let webhook = existing(self.id)?;
        let is_made_here = self.body.secret.is_none() && self.body.rotate_secret == Some(true);
        let is_replaced = self.body.secret.is_some() || is_made_here;
        let overlap = self.body.secret_overlap_seconds();
        let status = self.body.status.unwrap_or(webhook.status);
        let webhook = Webhook {
            url: self.body.url.clone().map_or(webhook.url, String::from),
            events: self.body.events.clone().unwrap_or(webhook.events),
            status,
            disabled_reason: (status == WebhookStatus::Disabled).then_some(DisabledReason::Requested),
            former_secret_expires_at: (is_replaced && overlap > 0).then(|| at(UPDATED + overlap)),
            updated_at: at(UPDATED),
            ..webhook
        };
        Ok(Reply::json(200, &WebhookIssued { webhook, secret: is_made_here.then(made_here) }))
    }
}

/// `webhook_delete`
pub struct WebhookDelete<'a> {
    /// The subscription, as in the path.
    pub id: &'a str,
}

impl Mock for WebhookDelete<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::WebhookDelete;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        let Self { id } = self;
        frame.part(id.as_bytes());
    }

    fn answer(&self, _: &Context<'_>) -> Answer {
        existing(self.id).map(|_| Reply::empty(204))
    }
}

/// The subscription that an id describes.
pub(crate) fn existing(id: &str) -> Result<Webhook, Error> {
    let read = WebhookId::read(id).ok_or_else(|| not_found("webhook"))?;
    Ok(described(id.to_owned(), read.events))
}

fn described(id: String, events: Vec<WebhookEvent>) -> Webhook {
    Webhook {
        id,
        url: EXAMPLE_URL.to_owned(),
        events,
        status: WebhookStatus::Enabled,
        disabled_reason: None,
        former_secret_expires_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// The secret of every subscription whose secret is made here: the one that the sandbox signs with.
fn made_here() -> SecretText {
    SANDBOX_SECRET.to_owned().into()
}

/// A subscription of the synthetic list.
pub(crate) fn listed(index: usize) -> Webhook {
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
