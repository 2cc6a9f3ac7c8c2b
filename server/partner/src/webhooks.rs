//! Subscriptions and their deliveries as partners have them. How deliveries are kept, attempted and ended is the
//! core's business (`argus_core::deliveries`); here is what a caller may ask for and is told.

use crate::error::Error;
use argus_core::context::{Context, Live};
use argus_core::deliveries::signing_secrets::{self, PURPOSE};
use argus_core::deliveries::view::DeliveryPosition;
use argus_core::deliveries::webhooks::{self as rows, Change, NewWebhook, WebhookPosition};
use argus_core::deliveries::{queue, view};
use argus_core::dialler::Dialler;
use argus_core::envelope::Envelope;
use argus_core::ids::{DeliveryId, WebhookId};
use argus_core::outbox::Happenings;
use argus_core::page::PageRequest;
use argus_core::pepper::Pepper;
use argus_core::store::Reader;
use argus_core::{Store, audit};
use argus_openapi::types::common::{PAGE_LIMIT_MAX, PageQuery};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::webhooks::{
    DeliveryStatus, Webhook, WebhookCreate, WebhookDeliveryList, WebhookDeliveryQueued, WebhookEvent,
    WebhookIssued, WebhookList, WebhookReplay, WebhookReplayQueued, WebhookUpdate,
};
use std::sync::Arc;

/// Everything that subscriptions work with.
pub struct Webhooks {
    /// The database, for callers.
    pub store: Store,
    /// Seals secrets.
    pub envelope: Arc<Envelope>,
    /// Seals cursors.
    pub pepper: Arc<Pepper>,
    /// Knows which URLs are sent to.
    pub dialler: Dialler,
    /// What wakes couriers.
    pub happenings: Happenings,
}

/// Subscribes a receiver.
pub async fn create(
    webhooks: &Webhooks,
    context: &Context<Live>,
    request: &WebhookCreate,
) -> Result<WebhookIssued, Error> {
    check_url(&webhooks.dialler, request.url.as_str())?;
    let made_here = match &request.secret {
        Some(_) => None,
        None => Some(signing_secrets::fresh().map_err(Error::fault)?),
    };
    let id = WebhookId::fresh(&context.clock)?;
    let secret = request.secret.as_ref().or(made_here.as_ref()).ok_or_else(|| Error::fault("no secret"))?;
    let webhook = NewWebhook {
        organization_id: context.principal.organization_id.clone(),
        secrecy_level: context.principal.secrecy_level,
        url: request.url.to_string(),
        events: distinct(&request.events),
        sealed_secret: seal(&webhooks.envelope, &id, secret)?,
        id,
    };
    let created = webhooks.store.write(context, move |tx| {
        rows::insert(tx, &webhook)?;
        audit::append(tx, "webhook.create", webhook.id.as_str())?;
        Ok::<_, Error>(tx.load::<rows::Webhook>(&webhook.id)?)
    });
    Ok(WebhookIssued { webhook: shown(created.await?), secret: made_here })
}

/// A page of the tenant's subscriptions, newest first.
pub async fn list(
    webhooks: &Webhooks,
    context: &Context<Live>,
    page: &PageQuery,
) -> Result<WebhookList, Error> {
    let (pepper, tenant_id) = (&webhooks.pepper, context.tenant_id());
    let limit = page.limit().clamp(1, PAGE_LIMIT_MAX);
    let request = PageRequest::<WebhookPosition>::new(pepper, tenant_id, page.cursor.as_deref(), limit)?;
    let query = request.clone();
    let found =
        webhooks.store.read(context, move |reader| Ok::<_, Error>(rows::list(reader, &query)?)).await?;
    let page = request.page(pepper, tenant_id, found, |webhook| WebhookPosition::from(webhook));
    Ok(WebhookList { webhooks: page.items.into_iter().map(shown).collect(), next_cursor: page.next_cursor })
}

/// One subscription.
pub async fn view(webhooks: &Webhooks, context: &Context<Live>, id: &WebhookId) -> Result<Webhook, Error> {
    let id = id.clone();
    Ok(shown(webhooks.store.read_row(context, move |reader| reader.load::<rows::Webhook>(&id)).await?))
}

/// Those of these subscriptions that are the tenant's, in one statement.
pub(crate) async fn view_all(
    store: &Store,
    context: &Context<Live>,
    ids: Vec<WebhookId>,
) -> Result<Vec<(WebhookId, Webhook)>, Error> {
    let count = ids.len();
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(rows::find_all(reader, &ids)?);
    let found = store.read_rows(context, count, look).await?.into_iter();
    Ok(found.map(|webhook| (webhook.id.clone(), shown(webhook))).collect())
}

/// The newest subscriptions of the tenant.
pub(crate) async fn latest(
    store: &Store,
    context: &Context<Live>,
    first: u32,
) -> Result<Vec<Webhook>, Error> {
    let page = PageRequest::<WebhookPosition>::first(first);
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(rows::list(reader, &page)?);
    // A page looks for one more, which says whether there is a next one.
    Ok(store.read(context, look).await?.into_iter().take(first as usize).map(shown).collect())
}

/// Changes a subscription.
pub async fn update(
    webhooks: &Webhooks,
    context: &Context<Live>,
    id: &WebhookId,
    request: &WebhookUpdate,
) -> Result<WebhookIssued, Error> {
    if let Some(url) = &request.url {
        check_url(&webhooks.dialler, url.as_str())?;
    }
    let is_made_here = request.secret.is_none() && request.rotate_secret == Some(true);
    let made_here = if is_made_here { Some(signing_secrets::fresh().map_err(Error::fault)?) } else { None };
    let secret = request.secret.as_ref().or(made_here.as_ref());
    let sealed = secret.map(|secret| seal(&webhooks.envelope, id, secret)).transpose()?;
    let change = Change {
        url: request.url.as_ref().map(ToString::to_string),
        events: request.events.as_deref().map(distinct),
        status: request.status,
        sealed_secret: sealed.map(|sealed| (sealed, request.secret_overlap_seconds())),
    };
    let id = id.clone();
    let updated = webhooks.store.write(context, move |tx| {
        let webhook = rows::update(tx, &id, &change)?;
        audit::append(tx, "webhook.update", id.as_str())?;
        Ok::<_, Error>(webhook)
    });
    Ok(WebhookIssued { webhook: shown(updated.await?), secret: made_here })
}

/// Ends a subscription.
pub async fn delete(webhooks: &Webhooks, context: &Context<Live>, id: &WebhookId) -> Result<(), Error> {
    let id = id.clone();
    let deleted = webhooks.store.write(context, move |tx| {
        rows::delete(tx, &id)?;
        audit::append(tx, "webhook.delete", id.as_str())
    });
    Ok(deleted.await?)
}

/// A page of the deliveries of a subscription, newest first.
pub async fn delivery_list(
    webhooks: &Webhooks,
    context: &Context<Live>,
    id: &WebhookId,
    page: &PageQuery,
) -> Result<WebhookDeliveryList, Error> {
    let (pepper, tenant_id) = (&webhooks.pepper, context.tenant_id());
    let limit = page.limit().clamp(1, PAGE_LIMIT_MAX);
    let request = PageRequest::<DeliveryPosition>::new(pepper, tenant_id, page.cursor.as_deref(), limit)?;
    let (query, id) = (request.clone(), id.clone());
    let look = move |reader: &mut Reader<'_>| {
        reader.load::<rows::Webhook>(&id)?;
        Ok::<_, Error>(view::list(reader, &id, &query)?)
    };
    let found = webhooks.store.read(context, look).await?;
    let page = request.page(pepper, tenant_id, found, |listed| listed.position.clone());
    let deliveries = page.items.into_iter().map(|listed| listed.delivery).collect();
    Ok(WebhookDeliveryList { deliveries, next_cursor: page.next_cursor })
}

/// Queues a test delivery, to a subscription that is disabled as well.
pub async fn test(
    webhooks: &Webhooks,
    context: &Context<Live>,
    id: &WebhookId,
) -> Result<WebhookDeliveryQueued, Error> {
    let id = id.clone();
    let queued = webhooks.store.write(context, move |tx| {
        let webhook = tx.load::<rows::Webhook>(&id)?;
        audit::append(tx, "webhook.test", id.as_str())?;
        Ok::<_, Error>(queue::test(tx, &webhook)?)
    });
    Ok(told(webhooks, &queued.await?))
}

/// Queues a delivery again.
pub async fn delivery_retry(
    webhooks: &Webhooks,
    context: &Context<Live>,
    id: &WebhookId,
    delivery_id: &DeliveryId,
) -> Result<WebhookDeliveryQueued, Error> {
    let (id, retried) = (id.clone(), delivery_id.clone());
    let queued = webhooks.store.write(context, move |tx| {
        enabled(&tx.load::<rows::Webhook>(&id)?)?;
        audit::append(tx, "webhook.delivery.retry", retried.as_str())?;
        Ok::<_, Error>(queue::retry(tx, &id, &retried)?)
    });
    queued.await?;
    Ok(told(webhooks, delivery_id))
}

/// Queues the deliveries of a time range again.
pub async fn replay(
    webhooks: &Webhooks,
    context: &Context<Live>,
    id: &WebhookId,
    request: &WebhookReplay,
) -> Result<WebhookReplayQueued, Error> {
    let range = request.range();
    let (id, statuses) = (id.clone(), request.statuses().to_vec());
    let queued = webhooks.store.write(context, move |tx| {
        enabled(&tx.load::<rows::Webhook>(&id)?)?;
        audit::append(tx, "webhook.replay", id.as_str())?;
        Ok::<_, Error>(queue::replay(tx, &id, &range, &statuses)?)
    });
    let queued = queued.await?;
    webhooks.happenings.told();
    Ok(WebhookReplayQueued { queued })
}

/// What would be skipped at once is not queued.
fn enabled(webhook: &rows::Webhook) -> Result<(), Error> {
    match webhook.disabled {
        None => Ok(()),
        Some(reason) => Err(Error::refused(
            ErrorCode::Conflict,
            format!("the subscription is disabled ({reason}); enable it first with `status`"),
        )),
    }
}

fn told(webhooks: &Webhooks, id: &DeliveryId) -> WebhookDeliveryQueued {
    webhooks.happenings.told();
    WebhookDeliveryQueued { delivery_id: id.as_str().to_owned(), status: DeliveryStatus::Queued }
}

/// Refuses a URL that could never be delivered to.
pub(crate) fn check_url(dialler: &Dialler, url: &str) -> Result<(), Error> {
    dialler.check(url).map_err(|failure| Error::invalid(format!("`url`: {}", failure.message())))
}

fn seal(envelope: &Envelope, id: &WebhookId, secret: &SecretText) -> Result<String, Error> {
    envelope.seal(PURPOSE, id.as_str(), secret.expose()).map_err(Error::fault)
}

/// The events in the order of the contract, each once.
fn distinct(events: &[WebhookEvent]) -> Vec<WebhookEvent> {
    WebhookEvent::ALL.into_iter().filter(|event| events.contains(event)).collect()
}

fn shown(webhook: rows::Webhook) -> Webhook {
    Webhook {
        status: webhook.status(),
        id: webhook.id.into(),
        url: webhook.url,
        events: webhook.events,
        disabled_reason: webhook.disabled,
        former_secret_expires_at: webhook.former_secret_until.map(Into::into),
        created_at: webhook.created_at.into(),
        updated_at: webhook.updated_at.into(),
    }
}
