//! What an operator may do about the deliveries and the outbox of every tenant. No caller of the API comes here.

use super::queue;
use crate::error::Error;
use crate::ids::{DeliveryId, TenantId};
use crate::jobs::moment;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use argus_openapi::types::webhooks::{DeliveryAttempt, DeliveryStatus};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// A delivery as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatedDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The receiver: a subscription, or a tenant and the place of its callbacks.
    pub lane: String,
    /// What is told; none for a test and for a callback.
    pub event: Option<String>,
    /// Its state.
    pub status: String,
    /// How often it was attempted.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// How the last attempt ended: the status of the answer, or why there was none.
    pub last: Option<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: DeliveryId,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Nullable<Text>)]
    event: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Text)]
    history: String,
}

impl From<Row> for OperatedDelivery {
    fn from(row: Row) -> Self {
        let last =
            row.history.lines().last().and_then(|line| serde_json::from_str::<DeliveryAttempt>(line).ok());
        let last = last.and_then(|attempt| match (attempt.response_status, attempt.failure) {
            (Some(status), _) => Some(status.to_string()),
            (None, failure) => failure.map(|failure| failure.to_string()),
        });
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            lane: row.lane,
            event: row.event,
            status: row.status,
            attempts: row.attempts.unsigned_abs(),
            created_at: moment(row.created_at),
            last,
        }
    }
}

/// The newest deliveries of all tenants, or of one, in any state, or in one.
pub fn list(
    connection: &mut AnyConnection,
    tenant_id: Option<&TenantId>,
    status: Option<DeliveryStatus>,
    limit: u32,
) -> Result<Vec<OperatedDelivery>, Error> {
    let mut text =
        "SELECT id, tenant_id, lane, event, status, attempts, created_at, history FROM deliveries WHERE TRUE"
            .to_owned();
    // Neither has a quote: identifiers and states are made of letters, digits and underscores.
    if let Some(tenant_id) = tenant_id {
        text.push_str(&format!(" AND tenant_id = '{tenant_id}'"));
    }
    if let Some(status) = status {
        text.push_str(&format!(" AND status = '{status}'"));
    }
    text.push_str(" ORDER BY created_at DESC, id DESC LIMIT ?");
    let statement = Statement::new(text).bind::<BigInt, _>(i64::from(limit));
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    Ok(rows.into_iter().map(OperatedDelivery::from).collect())
}

/// Queues a delivery again, whatever its state.
pub fn retry(connection: &mut AnyConnection, id: &DeliveryId) -> Result<(), Error> {
    queue::retry_any(connection, id)
}

/// An event that no delivery was made of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingEvent {
    /// Its number.
    pub sequence: u64,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What happened.
    pub event: String,
    /// To what.
    pub subject: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// What kept deliveries from being made of it.
    pub fault: Option<String>,
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    event: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = BigInt)]
    occurred_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    fault: Option<String>,
}

/// The oldest events that no delivery was made of yet.
pub fn outbox(connection: &mut AnyConnection, limit: u32) -> Result<Vec<WaitingEvent>, Error> {
    const LIST: &str = "SELECT sequence, tenant_id, event, subject, occurred_at, fault FROM outbox ORDER BY sequence LIMIT ?";
    let statement = Statement::new(LIST).bind::<BigInt, _>(i64::from(limit));
    let rows: Vec<EventRow> = on_engine!(connection, |inner| statement.load(inner))?;
    let event = |row: EventRow| WaitingEvent {
        sequence: row.sequence.unsigned_abs(),
        tenant_id: row.tenant_id,
        event: row.event,
        subject: row.subject,
        occurred_at: moment(row.occurred_at),
        fault: row.fault,
    };
    Ok(rows.into_iter().map(event).collect())
}

/// Has an event told that could not be told before.
pub fn retry_event(connection: &mut AnyConnection, sequence: u64) -> Result<(), Error> {
    const RETRY: &str = "UPDATE outbox SET fault = NULL WHERE sequence = ? AND fault IS NOT NULL";
    let sequence = i64::try_from(sequence).map_err(|_| Error::NotFound("event"))?;
    let statement = Statement::new(RETRY).bind::<BigInt, _>(sequence);
    match on_engine!(connection, |inner| statement.execute(inner))? {
        0 => Err(Error::NotFound("event that waits for an operator")),
        _ => Ok(()),
    }
}
