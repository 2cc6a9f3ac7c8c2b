//! `argus deliveries` and `argus outbox`: look at what is told to the receivers of every tenant, and have it told again.

use super::{CommandResult, print, run};
use crate::service::PRODUCTS;
use crate::settings::{DataArgs, DeliveriesAction, OutboxAction, Settings};
use argus_core::deliveries::operate::{self, OperatedDelivery, WaitingEvent};
use argus_core::ids::DeliveryId;
use argus_core::store::Database;
use chrono::{DateTime, SecondsFormat, Utc};
use std::path::Path;

pub(super) fn deliveries(action: DeliveriesAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    run::block_on(async {
        let database = Database::open(&settings.store, PRODUCTS)?.deliveries;
        match action {
            DeliveriesAction::List { tenant, status, limit } => {
                let tenant = tenant.as_deref().map(super::tenant_named).transpose()?;
                let list =
                    database.run(move |connection| operate::list(connection, tenant.as_ref(), status, limit));
                list.await?.iter().try_for_each(|delivery| print(line(delivery)))
            }
            DeliveriesAction::Retry { id } => {
                let named = id.parse::<DeliveryId>();
                let named = named.map_err(|_| "a delivery is named as in dlv_01jx0000000000000000000000")?;
                database.run(move |connection| operate::retry(connection, &named)).await?;
                print(format!("queued {id} again"))
            }
        }
    })
}

pub(super) fn outbox(action: &OutboxAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    run::block_on(async {
        let database = Database::open(&settings.store, PRODUCTS)?.deliveries;
        match *action {
            OutboxAction::List { limit } => {
                let list = database.run(move |connection| operate::outbox(connection, limit));
                list.await?.iter().try_for_each(|event| print(event_line(event)))
            }
            OutboxAction::Retry { sequence } => {
                database.run(move |connection| operate::retry_event(connection, sequence)).await?;
                print(format!("event {sequence} is told again"))
            }
        }
    })
}

fn line(delivery: &OperatedDelivery) -> String {
    let OperatedDelivery { id, tenant_id, lane, event, status, attempts, created_at, last } = delivery;
    let event = event.as_deref().unwrap_or("-");
    let last = last.as_ref().map(|last| format!("  last {last}")).unwrap_or_default();
    format!(
        "{id}  {status:9}  {event}  {tenant_id}  {lane}  {}  attempts {attempts}{last}",
        text(*created_at)
    )
}

fn event_line(event: &WaitingEvent) -> String {
    let WaitingEvent { sequence, tenant_id, event, subject, occurred_at, fault } = event;
    let fault = fault.as_ref().map(|fault| format!("  fault: {fault}")).unwrap_or_default();
    format!("{sequence}  {event}  {subject}  {tenant_id}  {}{fault}", text(*occurred_at))
}

fn text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}
