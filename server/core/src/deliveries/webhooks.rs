//! Subscriptions as they are stored: which events of its tenant a receiver is told of. What a caller may ask for is a
//! product's business.

use super::signing_secrets;
use crate::error::{Error, Fault};
use crate::ids::{OrganizationId, TenantId, WebhookId};
use crate::jobs::moment;
use crate::page::{Moment, PageRequest, Position};
use crate::store::statement::{self, Statement, on_engine};
use crate::store::{Reader, Resource, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::webhooks::{DisabledReason, WebhookEvent, WebhookStatus};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its identifier.
    pub id: WebhookId,
    /// Where its deliveries go.
    pub url: String,
    /// What is told.
    pub events: Vec<WebhookEvent>,
    /// Why nothing is delivered, if nothing is.
    pub disabled: Option<DisabledReason>,
    /// Until when a replaced secret signs, too.
    pub former_secret_until: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Webhook {
    /// Whether its events are delivered.
    pub fn status(&self) -> WebhookStatus {
        if self.disabled.is_some() { WebhookStatus::Disabled } else { WebhookStatus::Enabled }
    }
}

/// A subscription to insert.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Its identifier.
    pub id: WebhookId,
    /// Organisation of whoever subscribes.
    pub organization_id: OrganizationId,
    /// Clearance of whoever subscribes.
    pub secrecy_level: SecrecyLevel,
    /// Where its deliveries go.
    pub url: String,
    /// What is told.
    pub events: Vec<WebhookEvent>,
    /// Its secret, sealed.
    pub sealed_secret: String,
}

/// What changes of a subscription; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Where its deliveries go.
    pub url: Option<String>,
    /// What is told.
    pub events: Option<Vec<WebhookEvent>>,
    /// Whether its events are delivered.
    pub status: Option<WebhookStatus>,
    /// The new secret, sealed, and for how many seconds the former one signs beside it.
    pub sealed_secret: Option<(String, i64)>,
}

/// Where a subscription stands in the list: when it was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPosition(pub Moment<WebhookId>);

impl Position for WebhookPosition {
    const LIST: &'static str = "webhook_list_cursor";

    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn from_text(text: &str) -> Option<Self> {
        Moment::from_text(text).map(Self)
    }
}

impl From<&Webhook> for WebhookPosition {
    fn from(webhook: &Webhook) -> Self {
        Self(Moment { at: webhook.created_at.naive_utc(), id: webhook.id.clone() })
    }
}

const SELECT: &str = "SELECT id, url, events, disabled_reason, \
    CASE WHEN former_until > argus_now() THEN former_until END AS former_until, created_at, updated_at \
    FROM webhooks JOIN signing_secrets ON signing_secrets.owner = webhooks.id \
    AND signing_secrets.tenant_id = webhooks.tenant_id WHERE deleted_at IS NULL";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: WebhookId,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Text)]
    events: String,
    #[diesel(sql_type = Nullable<Text>)]
    disabled_reason: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    former_until: Option<i64>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

impl TryFrom<Row> for Webhook {
    type Error = diesel::result::Error;

    fn try_from(row: Row) -> QueryResult<Self> {
        use diesel::result::Error::DeserializationError;
        let reason = row.disabled_reason.as_deref().map(str::parse).transpose();
        Ok(Self {
            id: row.id,
            url: row.url,
            events: serde_json::from_str(&row.events).map_err(|error| DeserializationError(error.into()))?,
            disabled: reason.map_err(|error| DeserializationError(Box::new(error)))?,
            former_secret_until: row.former_until.map(moment),
            created_at: moment(row.created_at),
            updated_at: moment(row.updated_at),
        })
    }
}

impl Resource for Webhook {
    type Id = WebhookId;
    const NAME: &'static str = "webhook";

    fn find(reader: &mut Reader<'_>, id: &WebhookId) -> QueryResult<Option<Self>> {
        let (connection, tenant_id) = reader.parts();
        let statement = Statement::new(format!("{SELECT} AND webhooks.tenant_id = ? AND id = ?"))
            .bind::<Text, _>(tenant_id)
            .bind::<Text, _>(id);
        let row: Option<Row> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
        row.map(Self::try_from).transpose()
    }
}

/// Those of these subscriptions that are the tenant's, in no order.
pub fn find_all(reader: &mut Reader<'_>, ids: &[WebhookId]) -> Result<Vec<Webhook>, Error> {
    let (connection, tenant_id) = reader.parts();
    let among = statement::among(connection, "id");
    let statement = Statement::new(format!("{SELECT} AND webhooks.tenant_id = ? AND {among}"))
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(statement::names(ids));
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    rows.into_iter().map(|row| Webhook::try_from(row).map_err(Error::from)).collect()
}

/// A page of the tenant's subscriptions, newest first.
pub fn list(reader: &mut Reader<'_>, page: &PageRequest<WebhookPosition>) -> Result<Vec<Webhook>, Error> {
    let (connection, tenant_id) = reader.parts();
    // The first page is behind everything.
    let (at, id) = match &page.after {
        Some(WebhookPosition(Moment { at, id })) => (at.and_utc().timestamp_micros(), id.as_str()),
        None => (i64::MAX, ""),
    };
    let text = format!(
        "{SELECT} AND webhooks.tenant_id = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?"
    );
    let statement = Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(page.query_limit());
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    rows.into_iter().map(|row| Webhook::try_from(row).map_err(Error::from)).collect()
}

/// Subscribes, for the transaction's tenant.
pub fn insert(tx: &mut Tx<'_>, webhook: &NewWebhook) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO webhooks (id, tenant_id, organization_id, secrecy_level, url, events, status, \
        created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'enabled', argus_now(), argus_now())";
    let events = serde_json::to_string(&webhook.events).map_err(Fault::new)?;
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(&webhook.id)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(&webhook.organization_id)
        .bind::<Text, _>(webhook.secrecy_level.as_str())
        .bind::<Text, _>(&*webhook.url)
        .bind::<Text, _>(events);
    on_engine!(connection, |inner| statement.execute(inner))?;
    signing_secrets::insert(tx, webhook.id.as_str(), &webhook.sealed_secret)
}

/// Changes a subscription of the transaction's tenant, and returns it as it is then.
pub fn update(tx: &mut Tx<'_>, id: &WebhookId, change: &Change) -> Result<Webhook, Error> {
    const UPDATE: &str = "UPDATE webhooks SET url = coalesce(?, url), events = coalesce(?, events), \
        updated_at = argus_now() WHERE id = ? AND tenant_id = ? AND deleted_at IS NULL";
    const STATUS: &str = "UPDATE webhooks SET status = ?, disabled_reason = ?, failing_since = NULL \
        WHERE id = ? AND tenant_id = ? AND status <> ?";
    let events = change.events.as_ref().map(serde_json::to_string).transpose().map_err(Fault::new)?;
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(UPDATE)
        .bind::<Nullable<Text>, _>(change.url.as_deref())
        .bind::<Nullable<Text>, _>(events)
        .bind::<Text, _>(id)
        .bind::<Text, _>(tenant_id);
    if on_engine!(connection, |inner| statement.execute(inner))? == 0 {
        return Err(Error::NotFound(Webhook::NAME));
    }
    if let Some(status) = change.status {
        let reason = (status == WebhookStatus::Disabled).then_some(DisabledReason::Requested.as_str());
        let (connection, tenant_id) = tx.parts();
        let statement = Statement::new(STATUS)
            .bind::<Text, _>(status.as_str())
            .bind::<Nullable<Text>, _>(reason)
            .bind::<Text, _>(id)
            .bind::<Text, _>(tenant_id)
            .bind::<Text, _>(status.as_str());
        on_engine!(connection, |inner| statement.execute(inner))?;
    }
    if let Some((sealed, overlap_seconds)) = &change.sealed_secret {
        signing_secrets::replace(tx, id.as_str(), sealed, *overlap_seconds)?;
    }
    tx.load(id)
}

/// Ends a subscription of the transaction's tenant. Its deliveries are not attempted any more, and are removed a
/// little at a time.
pub fn delete(tx: &mut Tx<'_>, id: &WebhookId) -> Result<(), Error> {
    const DELETE: &str =
        "UPDATE webhooks SET deleted_at = argus_now() WHERE id = ? AND tenant_id = ? AND deleted_at IS NULL";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(DELETE).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    if on_engine!(connection, |inner| statement.execute(inner))? == 0 {
        return Err(Error::NotFound(Webhook::NAME));
    }
    signing_secrets::remove(tx, id.as_str())
}

/// A subscription that may want to be told of an event.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    pub(super) id: String,
    pub(super) tenant_id: TenantId,
    pub(super) secrecy_level: SecrecyLevel,
    pub(super) events: Vec<String>,
    pub(super) is_enabled: bool,
}
