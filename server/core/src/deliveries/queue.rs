//! What callers may ask for beside events: a test, one delivery again, those of a time range again.

use super::PATIENCE;
use super::fan_out::{NewDelivery, insert};
use super::webhooks::Webhook;
use crate::context::Trace;
use crate::error::{Error, Fault};
use crate::ids::{DeliveryId, EventId, WebhookId};
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Tx};
use argus_openapi::types::events::{self, Event, TestNotice};
use argus_openapi::types::webhooks::DeliveryStatus;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::ops::Range;

/// Queues a test of a subscription of the transaction's tenant.
pub fn test(tx: &mut Tx<'_>, webhook: &Webhook) -> Result<DeliveryId, Error> {
    let invocation = tx.invocation();
    let clock = &invocation.clock;
    let event = Event {
        id: EventId::fresh(clock)?.into(),
        r#type: events::TEST,
        sequence: 0,
        occurred_at: clock.now().into(),
        data: TestNotice { webhook_id: webhook.id.as_str().to_owned() },
    };
    let trace = invocation.trace.clone().unwrap_or_else(Trace::begin);
    let traceparent = trace.parent.to_string();
    let id = DeliveryId::fresh(clock)?;
    let (connection, tenant_id) = tx.parts();
    let delivery = NewDelivery {
        id: id.clone(),
        tenant_id,
        webhook_id: Some(webhook.id.as_str()),
        callback_url: None,
        signer: webhook.id.as_str(),
        lane: webhook.id.as_str().to_owned(),
        event: None,
        job_id: None,
        body: event.to_body().map_err(Fault::new)?,
        traceparent: &traceparent,
        tracestate: trace.state.as_deref(),
        status: DeliveryStatus::Queued.as_str(),
    };
    insert(connection, &[delivery])?;
    Ok(id)
}

/// What is set of a delivery that is queued again.
const AGAIN: &str = "UPDATE deliveries SET status = 'queued', due_at = NULL, give_up_at = argus_now() + ?";

/// Queues a delivery of a subscription of the transaction's tenant again, whatever its state. One that is on its way
/// stays so, and is only attempted again if that attempt fails.
pub fn retry(tx: &mut Tx<'_>, webhook_id: &WebhookId, id: &DeliveryId) -> Result<(), Error> {
    let text = format!("{AGAIN} WHERE id = ? AND webhook_id = ? AND tenant_id = ?");
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(text)
        .bind::<BigInt, _>(PATIENCE)
        .bind::<Text, _>(id)
        .bind::<Text, _>(webhook_id)
        .bind::<Text, _>(tenant_id);
    match on_engine!(connection, |inner| statement.execute(inner))? {
        0 => Err(Error::NotFound("delivery")),
        _ => Ok(()),
    }
}

/// Queues the deliveries again that were queued in this time and are in one of these states, and says how many.
pub fn replay(
    tx: &mut Tx<'_>,
    webhook_id: &WebhookId,
    range: &Range<DateTime<Utc>>,
    statuses: &[DeliveryStatus],
) -> Result<u64, Error> {
    // The states are the contract's own words, without a quote. What is queued is so already.
    let states = statuses.iter().filter(|status| **status != DeliveryStatus::Queued);
    let states: Vec<String> = states.map(|status| format!("'{status}'")).collect();
    if states.is_empty() {
        return Ok(0);
    }
    let text = format!(
        "{AGAIN} WHERE webhook_id = ? AND tenant_id = ? AND created_at >= ? AND created_at < ? AND status IN ({})",
        states.join(", ")
    );
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(text)
        .bind::<BigInt, _>(PATIENCE)
        .bind::<Text, _>(webhook_id)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(range.start.timestamp_micros())
        .bind::<BigInt, _>(range.end.timestamp_micros());
    let queued = on_engine!(connection, |inner| statement.execute(inner))?;
    Ok(queued as u64)
}

/// Queues a failed or skipped delivery of whatever tenant again; for an operator.
pub(super) fn retry_any(connection: &mut AnyConnection, id: &DeliveryId) -> Result<(), Error> {
    let statement =
        Statement::new(format!("{AGAIN} WHERE id = ?")).bind::<BigInt, _>(PATIENCE).bind::<Text, _>(id);
    match on_engine!(connection, |inner| statement.execute(inner))? {
        0 => Err(Error::NotFound("delivery")),
        _ => Ok(()),
    }
}
