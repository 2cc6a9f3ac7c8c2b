//! Leases on SQLite, in a transaction that holds the write lock: nobody comes between two statements.

use super::{BATCH, COLUMNS, Open, RECORDED, Row, Settled};
use crate::ids::DeliveryId;
use crate::store::statement::Statement;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{QueryResult, SqliteConnection};

pub(super) fn claim(
    connection: &mut SqliteConnection,
    open: &[Open],
    limit: u32,
    token: i64,
    time: i64,
) -> QueryResult<Vec<Row>> {
    const LEASE: &str = "UPDATE deliveries SET lease = ?, lease_until = argus_now() + ? \
        WHERE id IN (SELECT id FROM deliveries WHERE lane = ? AND status = 'queued' AND due_at IS NULL \
            AND lease IS NULL AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?)";
    let mut left = i64::from(limit);
    for each in open {
        let (at, behind) = each.behind.parts();
        let leased = Statement::new(LEASE)
            .bind::<BigInt, _>(token)
            .bind::<BigInt, _>(time)
            .bind::<Text, _>(&*each.lane)
            .bind::<BigInt, _>(at)
            .bind::<Text, _>(behind)
            .bind::<BigInt, _>(left.min(i64::from(each.free)))
            .execute(connection)?;
        left -= i64::try_from(leased).unwrap_or(left);
        if left <= 0 {
            break;
        }
    }
    let text = format!(
        "SELECT {COLUMNS} FROM deliveries \
            LEFT JOIN webhooks ON webhooks.id = deliveries.webhook_id AND webhooks.deleted_at IS NULL \
            LEFT JOIN signing_secrets ON signing_secrets.tenant_id = deliveries.tenant_id \
                AND signing_secrets.owner = deliveries.signer \
         WHERE deliveries.lease = ?"
    );
    Statement::new(text).bind::<BigInt, _>(token).load(connection)
}

pub(super) fn settle(
    connection: &mut SqliteConnection,
    settled: &[Settled<'_>],
) -> QueryResult<Vec<DeliveryId>> {
    const SETTLE: &str = "UPDATE deliveries SET \
            status = CASE WHEN argus_now() + ? > give_up_at THEN 'failed' ELSE ? END, \
            due_at = CASE WHEN argus_now() + ? > give_up_at THEN NULL ELSE argus_now() + ? END, \
            attempts = attempts + CASE WHEN ? THEN 1 ELSE 0 END, \
            history = CASE WHEN attempts < ? THEN history || coalesce(?, '') ELSE history END, \
            sent = coalesce(?, sent), attempted_at = coalesce(?, attempted_at), lease = NULL, lease_until = NULL \
        WHERE id = ? AND lease = ?";
    let mut held = Vec::with_capacity(settled.len());
    for Settled { lease, status, record, after } in settled {
        let changed = Statement::new(SETTLE)
            .bind::<Nullable<BigInt>, _>(after)
            .bind::<Text, _>(status)
            .bind::<Nullable<BigInt>, _>(after)
            .bind::<Nullable<BigInt>, _>(after)
            .bind::<Bool, _>(record.is_some())
            .bind::<Integer, _>(RECORDED)
            .bind::<Nullable<Text>, _>(record.map(|record| &*record.attempt))
            .bind::<Nullable<Text>, _>(record.map(|record| &*record.sent))
            .bind::<Nullable<BigInt>, _>(record.map(|record| record.attempted_at))
            .bind::<Text, _>(&lease.id)
            .bind::<BigInt, _>(lease.token)
            .execute(connection)?;
        if changed > 0 {
            held.push(lease.id.clone());
        }
    }
    Ok(held)
}

pub(super) fn disable(
    connection: &mut SqliteConnection,
    webhook_id: &str,
    reason: &str,
    failing_time: i64,
) -> QueryResult<()> {
    const DISABLE: &str = "UPDATE webhooks SET status = 'disabled', disabled_reason = ?, updated_at = argus_now() \
        WHERE id = ? AND status = 'enabled' AND deleted_at IS NULL AND coalesce(failing_since, 0) < argus_now() - ?";
    const TELL: &str = "INSERT INTO outbox (tenant_id, event, subject, data, secrecy_level, traceparent, occurred_at) \
        SELECT tenant_id, 'webhook.disabled', id, \
            json_object('webhook_id', id, 'url', url, 'reason', disabled_reason), 'standard', ?, argus_now() \
        FROM webhooks WHERE id = ?";
    let disabled = Statement::new(DISABLE)
        .bind::<Text, _>(reason)
        .bind::<Text, _>(webhook_id)
        .bind::<BigInt, _>(failing_time)
        .execute(connection)?;
    if disabled > 0 {
        Statement::new(TELL)
            .bind::<Text, _>(crate::context::Trace::begin().parent.to_string())
            .bind::<Text, _>(webhook_id)
            .execute(connection)?;
    }
    Ok(())
}

pub(super) fn wake(connection: &mut SqliteConnection) -> QueryResult<usize> {
    const WAKE: &str = "UPDATE deliveries SET due_at = NULL WHERE id IN \
        (SELECT id FROM deliveries WHERE status = 'queued' AND due_at <= argus_now() ORDER BY due_at LIMIT ?)";
    Statement::new(WAKE).bind::<BigInt, _>(BATCH).execute(connection)
}
