//! Leases on PostgreSQL. Each function is one statement. What is picked stands in a materialised query of its own,
//! because a sub-select with a limit may be run once for each outer row.

use super::{BATCH, COLUMNS, IdRow, Open, RECORDED, Row, Settled};
use crate::ids::DeliveryId;
use crate::store::statement::Statement;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel::{PgConnection, QueryResult};

pub(super) fn claim(
    connection: &mut PgConnection,
    open: &[Open],
    limit: u32,
    token: i64,
    time: i64,
) -> QueryResult<Vec<Row>> {
    // What was claimed leaves its place in the index for a while; who begins behind it need not pass it again.
    let text = format!(
        "WITH picked AS MATERIALIZED ( \
            SELECT due.id, due.tenant_id, due.webhook_id, due.signer \
            FROM unnest(?::text[], ?::bigint[], ?::bigint[], ?::text[]) AS open (lane, free, at, behind) \
            CROSS JOIN LATERAL ( \
                SELECT id, tenant_id, webhook_id, signer FROM deliveries WHERE deliveries.lane = open.lane AND status = 'queued' \
                AND due_at IS NULL AND lease IS NULL AND (created_at, id) > (open.at, open.behind COLLATE \"C\") \
                ORDER BY created_at, id LIMIT open.free FOR UPDATE SKIP LOCKED) AS due \
            LIMIT ?) \
        UPDATE deliveries SET lease = ?, lease_until = argus_now() + ? \
        FROM picked LEFT JOIN webhooks ON webhooks.id = picked.webhook_id AND webhooks.deleted_at IS NULL \
            LEFT JOIN signing_secrets ON signing_secrets.tenant_id = picked.tenant_id \
                AND signing_secrets.owner = picked.signer \
        WHERE deliveries.id = picked.id RETURNING {COLUMNS}"
    );
    let behind: Vec<(i64, &str)> = open.iter().map(|open| open.behind.parts()).collect();
    Statement::new(text)
        .bind::<Array<Text>, _>(open.iter().map(|open| &*open.lane).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(open.iter().map(|open| i64::from(open.free)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(behind.iter().map(|behind| behind.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(behind.iter().map(|behind| behind.1).collect::<Vec<_>>())
        .bind::<BigInt, _>(i64::from(limit))
        .bind::<BigInt, _>(token)
        .bind::<BigInt, _>(time)
        .load(connection)
}

pub(super) fn settle(connection: &mut PgConnection, settled: &[Settled<'_>]) -> QueryResult<Vec<DeliveryId>> {
    const SETTLE: &str = "UPDATE deliveries SET \
            status = CASE WHEN argus_now() + ending.after > give_up_at THEN 'failed' ELSE ending.status END, \
            due_at = CASE WHEN argus_now() + ending.after > give_up_at THEN NULL ELSE argus_now() + ending.after END, \
            attempts = attempts + CASE WHEN ending.counts THEN 1 ELSE 0 END, \
            history = CASE WHEN attempts < ? THEN history || coalesce(ending.attempt, '') ELSE history END, \
            sent = coalesce(ending.sent, deliveries.sent), \
            attempted_at = coalesce(ending.attempted_at, deliveries.attempted_at), lease = NULL, lease_until = NULL \
        FROM unnest(?::text[], ?::bigint[], ?::text[], ?::bigint[], ?::boolean[], ?::text[], ?::text[], ?::bigint[]) \
            AS ending (id, lease, status, after, counts, attempt, sent, attempted_at) \
        WHERE deliveries.id = ending.id AND deliveries.lease = ending.lease RETURNING deliveries.id";
    let ids: Vec<&str> = settled.iter().map(|each| each.lease.id.as_str()).collect();
    let tokens: Vec<i64> = settled.iter().map(|each| each.lease.token).collect();
    let statuses: Vec<&str> = settled.iter().map(|each| each.status).collect();
    let afters: Vec<Option<i64>> = settled.iter().map(|each| each.after).collect();
    let counts: Vec<bool> = settled.iter().map(|each| each.record.is_some()).collect();
    let attempts: Vec<Option<&str>> =
        settled.iter().map(|each| each.record.map(|record| &*record.attempt)).collect();
    let sent: Vec<Option<&str>> =
        settled.iter().map(|each| each.record.map(|record| &*record.sent)).collect();
    let moments: Vec<Option<i64>> =
        settled.iter().map(|each| each.record.map(|record| record.attempted_at)).collect();
    let rows: Vec<IdRow> = Statement::new(SETTLE)
        .bind::<Integer, _>(RECORDED)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<BigInt>, _>(tokens)
        .bind::<Array<Text>, _>(statuses)
        .bind::<Array<Nullable<BigInt>>, _>(afters)
        .bind::<Array<Bool>, _>(counts)
        .bind::<Array<Nullable<Text>>, _>(attempts)
        .bind::<Array<Nullable<Text>>, _>(sent)
        .bind::<Array<Nullable<BigInt>>, _>(moments)
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

pub(super) fn disable(
    connection: &mut PgConnection,
    webhook_id: &str,
    reason: &str,
    failing_time: i64,
) -> QueryResult<()> {
    const DISABLE: &str = "WITH disabled AS ( \
            UPDATE webhooks SET status = 'disabled', disabled_reason = ?, updated_at = argus_now() \
            WHERE id = ? AND status = 'enabled' AND deleted_at IS NULL \
                AND coalesce(failing_since, 0) < argus_now() - ? \
            RETURNING id, tenant_id, url, disabled_reason) \
        INSERT INTO outbox (tenant_id, event, subject, data, secrecy_level, traceparent, occurred_at) \
        SELECT tenant_id, 'webhook.disabled', id, \
            json_build_object('webhook_id', id, 'url', url, 'reason', disabled_reason)::text, 'standard', ?, argus_now() \
        FROM disabled";
    Statement::new(DISABLE)
        .bind::<Text, _>(reason)
        .bind::<Text, _>(webhook_id)
        .bind::<BigInt, _>(failing_time)
        .bind::<Text, _>(crate::context::Trace::begin().parent.to_string())
        .execute(connection)
        .map(drop)
}

pub(super) fn wake(connection: &mut PgConnection) -> QueryResult<usize> {
    const WAKE: &str = "WITH due AS MATERIALIZED ( \
            SELECT id FROM deliveries WHERE status = 'queued' AND due_at <= argus_now() \
            ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED) \
        UPDATE deliveries SET due_at = NULL FROM due WHERE deliveries.id = due.id AND deliveries.status = 'queued'";
    Statement::new(WAKE).bind::<BigInt, _>(BATCH).execute(connection)
}
