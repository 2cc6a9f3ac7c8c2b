//! What is forgotten of deliveries, and when: those of subscriptions that have ended at once, all others 30 days after
//! they were queued, unless they still wait.

use super::RETENTION;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// How many rows are touched in one statement, so that none holds others up.
const BATCH: i64 = 500;

/// Removes some of what its time is over for, and says how much.
pub fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    const OLD: &str = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries \
        WHERE created_at <= argus_now() - ? AND status <> 'queued' ORDER BY created_at LIMIT ?)";
    let old = Statement::new(OLD).bind::<BigInt, _>(RETENTION).bind::<BigInt, _>(BATCH);
    let removed = on_engine!(connection, |inner| old.execute(inner))?;
    Ok(removed + sweep_ended(connection)?)
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Removes deliveries of a subscription that has ended, and the subscription with the last of them.
fn sweep_ended(connection: &mut AnyConnection) -> QueryResult<usize> {
    const ENDED: &str = "SELECT id FROM webhooks WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1";
    const DELIVERIES: &str = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries \
        WHERE webhook_id = ? ORDER BY created_at LIMIT ?)";
    const WEBHOOK: &str = "DELETE FROM webhooks WHERE id = ?";
    let ended: Option<Ended> =
        on_engine!(connection, |inner| Statement::new(ENDED).get_result(inner)).optional()?;
    let Some(Ended { id }) = ended else { return Ok(0) };
    let deliveries = Statement::new(DELIVERIES).bind::<Text, _>(&*id).bind::<BigInt, _>(BATCH);
    match on_engine!(connection, |inner| deliveries.execute(inner))? {
        0 => {
            let webhook = Statement::new(WEBHOOK).bind::<Text, _>(&*id);
            on_engine!(connection, |inner| webhook.execute(inner))
        }
        removed => Ok(removed),
    }
}
