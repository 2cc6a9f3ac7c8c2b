//! What callers may read of the deliveries of a subscription.

use super::attempt::headers_of;
use crate::error::{Error, Fault};
use crate::ids::{DeliveryId, WebhookId};
use crate::jobs::moment;
use crate::page::{Moment, PageRequest, Position};
use crate::store::Reader;
use crate::store::statement::{self, Known, Statement, on_engine};
use argus_openapi::types::rendered::Rendered;
use argus_openapi::types::webhooks::{DeliveryRequest, WebhookDelivery};
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
#[derive(Clone, Debug)]
pub struct Listed {
    /// What is shown.
    pub delivery: WebhookDelivery,
    /// Where it stands.
    pub position: DeliveryPosition,
}

#[derive(Queryable)]
struct Row {
    id: DeliveryId,
    event: Option<String>,
    status: String,
    url: String,
    body: String,
    history: String,
    sent: Option<String>,
    job_id: Option<String>,
    traceparent: String,
    tracestate: Option<String>,
    next_attempt_at: Option<i64>,
    created_at: i64,
    attempted_at: Option<i64>,
}

/// A page is read by the places of its columns, and what an attempt wrote is shown as it was written: a page has many
/// deliveries, and each is long.
enum Page {}

impl statement::Text for Page {
    type Row = (
        Text,
        Nullable<Text>,
        Text,
        Text,
        Text,
        Text,
        Nullable<Text>,
        Nullable<Text>,
        Text,
        Nullable<Text>,
        Nullable<BigInt>,
        BigInt,
        Nullable<BigInt>,
    );
    const PIECES: &'static [&'static str] = &[
        "SELECT deliveries.id, event, deliveries.status, webhooks.url, body, history, sent, job_id, traceparent, \
            tracestate, CASE WHEN deliveries.status = 'queued' THEN coalesce(due_at, argus_now()) END, \
            deliveries.created_at, attempted_at \
        FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook_id WHERE webhook_id = ",
        " AND deliveries.tenant_id = ",
        " AND (deliveries.created_at, deliveries.id) < (",
        ", ",
        ") ORDER BY deliveries.created_at DESC, deliveries.id DESC LIMIT ",
    ];
}

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let headers = match row.sent {
            Some(sent) => Rendered::from_json(sent).map_err(Fault::new)?,
            None => {
                let (job_id, tracestate) = (row.job_id.as_deref(), row.tracestate.as_deref());
                headers_of(row.id.as_str(), job_id, &row.traceparent, tracestate).into()
            }
        };
        let delivery = WebhookDelivery {
            id: row.id.as_str().to_owned(),
            event: row.event.as_deref().map(str::parse).transpose().map_err(Fault::new)?,
            status: row.status.parse().map_err(Fault::new)?,
            created_at: moment(row.created_at).into(),
            attempted_at: row.attempted_at.map(|at| moment(at).into()),
            next_attempt_at: row.next_attempt_at.map(|at| moment(at).into()),
            attempts: Rendered::from_json(array(&row.history)).map_err(Fault::new)?,
            request: DeliveryRequest { url: row.url, headers, body: row.body },
        };
        let at: NaiveDateTime = moment(row.created_at).naive_utc();
        Ok(Self { delivery, position: DeliveryPosition(Moment { at, id: row.id }) })
    }
}

/// The JSON array of what has a line each.
fn array(lines: &str) -> String {
    let mut text = String::with_capacity(lines.len() + 2);
    text.push('[');
    for (place, line) in lines.lines().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(line);
    }
    text.push(']');
    text
}

/// A page of a subscription's deliveries, newest first. That the subscription is the tenant's own is for the caller to
/// see to, so that one without deliveries differs from one that is not there.
pub fn list(
    reader: &mut Reader<'_>,
    webhook_id: &WebhookId,
    page: &PageRequest<DeliveryPosition>,
) -> Result<Vec<Listed>, Error> {
    let (connection, tenant_id) = reader.parts();
    // The first page is behind everything.
    let (at, id) = match &page.after {
        Some(DeliveryPosition(Moment { at, id })) => (at.and_utc().timestamp_micros(), id.as_str()),
        None => (i64::MAX, ""),
    };
    let statement = Statement::<_, Known<Page>>::known()
        .bind::<Text, _>(webhook_id)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(page.query_limit());
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    rows.into_iter().map(Listed::try_from).collect()
}
