//! What callers may read of the deliveries of a subscription.

use super::attempt::headers_of;
use crate::error::{Error, Fault};
use crate::ids::{DeliveryId, WebhookId};
use crate::jobs::moment;
use crate::page::{Moment, PageRequest, Position};
use crate::store::Reader;
use crate::store::statement::{Statement, on_engine};
use argus_openapi::types::webhooks::{DeliveryAttempt, DeliveryRequest, WebhookDelivery};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// Where a delivery stands in the list: when it was queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPosition(pub Moment<DeliveryId>);

impl Position for DeliveryPosition {
    const LIST: &'static str = "delivery_list_cursor";

    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn from_text(text: &str) -> Option<Self> {
        Moment::from_text(text).map(Self)
    }
}

/// A delivery as it is listed, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What is shown.
    pub delivery: WebhookDelivery,
    /// Where it stands.
    pub position: DeliveryPosition,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: DeliveryId,
    #[diesel(sql_type = Nullable<Text>)]
    event: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    history: String,
    #[diesel(sql_type = Nullable<Text>)]
    sent: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    job_id: Option<String>,
    #[diesel(sql_type = Text)]
    traceparent: String,
    #[diesel(sql_type = Nullable<Text>)]
    tracestate: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    next_attempt_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    attempted_at: Option<i64>,
}

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let attempts = row.history.lines().map(serde_json::from_str::<DeliveryAttempt>);
        let headers = match &row.sent {
            Some(sent) => serde_json::from_str(sent).map_err(Fault::new)?,
            None => headers_of(
                row.id.as_str(),
                row.job_id.as_deref(),
                &row.traceparent,
                row.tracestate.as_deref(),
            ),
        };
        let delivery = WebhookDelivery {
            id: row.id.as_str().to_owned(),
            event: row.event.as_deref().map(str::parse).transpose().map_err(Fault::new)?,
            status: row.status.parse().map_err(Fault::new)?,
            created_at: moment(row.created_at).into(),
            attempted_at: row.attempted_at.map(|at| moment(at).into()),
            next_attempt_at: row.next_attempt_at.map(|at| moment(at).into()),
            attempts: attempts.collect::<Result<_, _>>().map_err(Fault::new)?,
            request: DeliveryRequest { url: row.url, headers, body: row.body },
        };
        let at: NaiveDateTime = moment(row.created_at).naive_utc();
        Ok(Self { delivery, position: DeliveryPosition(Moment { at, id: row.id }) })
    }
}

/// A page of a subscription's deliveries, newest first. That the subscription is the tenant's own is for the caller to
/// see to, so that one without deliveries differs from one that is not there.
pub fn list(
    reader: &mut Reader<'_>,
    webhook_id: &WebhookId,
    page: &PageRequest<DeliveryPosition>,
) -> Result<Vec<Listed>, Error> {
    const LIST: &str = "SELECT deliveries.id, event, deliveries.status, webhooks.url, body, history, sent, job_id, \
            traceparent, tracestate, \
            CASE WHEN deliveries.status = 'queued' THEN coalesce(due_at, argus_now()) END AS next_attempt_at, \
            deliveries.created_at, attempted_at \
        FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook_id \
        WHERE webhook_id = ? AND deliveries.tenant_id = ? AND (deliveries.created_at, deliveries.id) < (?, ?) \
        ORDER BY deliveries.created_at DESC, deliveries.id DESC LIMIT ?";
    let (connection, tenant_id) = reader.parts();
    // The first page is behind everything.
    let (at, id) = match &page.after {
        Some(DeliveryPosition(Moment { at, id })) => (at.and_utc().timestamp_micros(), id.as_str()),
        None => (i64::MAX, ""),
    };
    let statement = Statement::new(LIST)
        .bind::<Text, _>(webhook_id)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(page.query_limit());
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    rows.into_iter().map(Listed::try_from).collect()
}
