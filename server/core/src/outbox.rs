//! What has happened and is to be told: an event is a row that the transaction writes which makes it happen. The
//! statements that end jobs write theirs themselves. Who is told, and how, is [`crate::deliveries`]' business.

use crate::context::Trace;
use crate::error::{Error, Fault};
use crate::ids::TenantId;
use crate::store::statement::Statement;
use crate::store::{AnyConnection, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::webhooks::WebhookEvent;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text};
use diesel::{PgConnection, SqliteConnection};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Says that something has happened, so that it need not be looked for: to the couriers of this node, and to other nodes
/// where this one has none that are free. A hint, like those of [`crate::jobs::signals`], which take it there. Clones
/// share it.
#[derive(Clone, Default)]
pub struct Happenings(Arc<Shared>);

#[derive(Default)]
struct Shared {
    happened: Notify,
    /// Places of this node's couriers that nobody uses.
    free: AtomicUsize,
    untold: AtomicBool,
    outgoing: Notify,
}

impl Happenings {
    /// An event was recorded, or a delivery queued, and the transaction has been committed.
    pub fn told(&self) {
        self.0.happened.notify_one();
        if self.0.free.load(Ordering::Relaxed) == 0 {
            self.0.untold.store(true, Ordering::Relaxed);
            self.0.outgoing.notify_one();
        }
    }

    /// Something may have happened on another node.
    pub(crate) fn heard(&self) {
        self.0.happened.notify_one();
    }

    /// Waits until something has happened.
    pub(crate) async fn next(&self) {
        self.0.happened.notified().await;
    }

    pub(crate) fn set_free(&self, places: usize) {
        self.0.free.store(places, Ordering::Relaxed);
    }

    /// Waits until other nodes are to be told.
    pub(crate) async fn outgoing(&self) {
        self.0.outgoing.notified().await;
    }

    /// Whether they are, which they then have been.
    pub(crate) fn take_untold(&self) -> bool {
        self.0.untold.swap(false, Ordering::Relaxed)
    }
}

/// An event to record.
#[derive(Clone, Debug)]
pub struct Happened<'a, D> {
    /// What happened.
    pub event: WebhookEvent,
    /// To what.
    pub subject: &'a str,
    /// The least clearance that may know it.
    pub secrecy_level: SecrecyLevel,
    /// What is told of it.
    pub data: D,
}

const COLUMNS: &str = "tenant_id, event, subject, secrecy_level, data, traceparent, tracestate, occurred_at";

/// Records an event of the transaction's tenant.
pub fn append<D: Serialize>(tx: &mut Tx<'_>, happened: &Happened<'_, D>) -> Result<(), Error> {
    append_all(tx, std::slice::from_ref(happened))
}

/// Records events of the transaction's tenant, in their order.
pub fn append_all<D: Serialize>(tx: &mut Tx<'_>, happened: &[Happened<'_, D>]) -> Result<(), Error> {
    if happened.is_empty() {
        return Ok(());
    }
    let data = happened.iter().map(|each| serde_json::to_string(&each.data));
    let data = data.collect::<Result<Vec<_>, _>>().map_err(Fault::new)?;
    let trace = tx.invocation().trace.clone().unwrap_or_else(Trace::begin);
    let (connection, tenant_id) = tx.parts();
    match connection {
        AnyConnection::Pg(connection) => insert_together(connection, tenant_id, &trace, happened, &data)?,
        AnyConnection::Sqlite(connection) => {
            for (each, data) in happened.iter().zip(&data) {
                insert_one(connection, tenant_id, &trace, each, data)?;
            }
        }
    }
    Ok(())
}

/// In one statement, because each costs a round trip.
fn insert_together<D>(
    connection: &mut PgConnection,
    tenant_id: &TenantId,
    trace: &Trace,
    happened: &[Happened<'_, D>],
    data: &[String],
) -> QueryResult<()> {
    let column = |of: for<'h> fn(&'h Happened<'_, D>) -> &'h str| happened.iter().map(of).collect::<Vec<_>>();
    let text = format!(
        "INSERT INTO outbox ({COLUMNS}) SELECT ?, event, subject, secrecy_level, data, ?, ?, argus_now() \
         FROM unnest(?::text[], ?::text[], ?::text[], ?::text[]) WITH ORDINALITY \
         AS happened (event, subject, secrecy_level, data, place) ORDER BY place"
    );
    let statement = Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(trace.parent.to_string())
        .bind::<Nullable<Text>, _>(trace.state.as_deref())
        .bind::<Array<Text>, _>(column(|each| each.event.as_str()))
        .bind::<Array<Text>, _>(column(|each| each.subject))
        .bind::<Array<Text>, _>(column(|each| each.secrecy_level.as_str()))
        .bind::<Array<Text>, _>(data);
    statement.execute(connection).map(drop)
}

fn insert_one<D>(
    connection: &mut SqliteConnection,
    tenant_id: &TenantId,
    trace: &Trace,
    happened: &Happened<'_, D>,
    data: &str,
) -> QueryResult<()> {
    let text = format!("INSERT INTO outbox ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, argus_now())");
    let statement = Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(happened.event.as_str())
        .bind::<Text, _>(happened.subject)
        .bind::<Text, _>(happened.secrecy_level.as_str())
        .bind::<Text, _>(data)
        .bind::<Text, _>(trace.parent.to_string())
        .bind::<Nullable<Text>, _>(trace.state.as_deref());
    statement.execute(connection).map(drop)
}
