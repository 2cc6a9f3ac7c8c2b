//! What has happened and is to be told: an event is a row that the transaction writes which makes it happen. The
//! statements that end jobs write theirs themselves. Who is told, and how, is [`crate::deliveries`]' business.

use crate::context::Trace;
use crate::error::{Error, Fault};
use crate::store::Tx;
use crate::store::statement::{Statement, on_engine};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::webhooks::WebhookEvent;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::Notify;

/// Says on this node that something has happened, so that it need not be looked for. Clones share it.
#[derive(Clone, Default)]
pub struct Happenings(Arc<Notify>);

impl Happenings {
    /// An event was recorded, or a delivery queued, and the transaction has been committed.
    pub fn told(&self) {
        self.0.notify_one();
    }

    /// Waits until something has happened.
    pub(crate) async fn next(&self) {
        self.0.notified().await;
    }
}

/// Records an event of the transaction's tenant. `data` is what is told of it; `secrecy_level` is the least clearance
/// that may know it.
pub fn append<D: Serialize>(
    tx: &mut Tx<'_>,
    event: WebhookEvent,
    subject: &str,
    secrecy_level: SecrecyLevel,
    data: &D,
) -> Result<(), Error> {
    const APPEND: &str = "INSERT INTO outbox (tenant_id, event, subject, secrecy_level, data, traceparent, tracestate, \
        occurred_at) VALUES (?, ?, ?, ?, ?, ?, ?, argus_now())";
    let data = serde_json::to_string(data).map_err(Fault::new)?;
    let trace = tx.invocation().trace.clone().unwrap_or_else(Trace::begin);
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(APPEND)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(event.as_str())
        .bind::<Text, _>(subject)
        .bind::<Text, _>(secrecy_level.as_str())
        .bind::<Text, _>(data)
        .bind::<Text, _>(trace.parent.to_string())
        .bind::<Nullable<Text>, _>(trace.state.as_deref());
    on_engine!(connection, |inner| statement.execute(inner))?;
    Ok(())
}
