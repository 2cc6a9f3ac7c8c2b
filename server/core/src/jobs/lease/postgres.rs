//! Leases on PostgreSQL. Each function is one statement. What is picked stands in a materialised query of its
//! own, because a sub-select with a limit may be run once for each outer row. Attempts are found by their job alone:
//! a job has a lease only while it runs, and asking for that, too, lets the planner go through all that run once for
//! each attempt.

use super::{BATCH, CLAIMED, IdRow, LEASE_LOST, Lease, RETENTION, Reaped, Row, Terminal};
use crate::ids::{JobId, TenantId};
use crate::store::statement::Statement;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel::{PgConnection, QueryResult};

pub(super) fn claim(
    connection: &mut PgConnection,
    tenants: &[String],
    share: i64,
    limit: i64,
    token: i64,
    time: i64,
) -> QueryResult<Vec<Row>> {
    let text = format!(
        "WITH picked AS MATERIALIZED ( \
            SELECT job.id FROM unnest(?::text[]) AS turn (tenant_id) CROSS JOIN LATERAL ( \
                SELECT id FROM jobs WHERE jobs.tenant_id = turn.tenant_id AND status = 'queued' AND due_at IS NULL \
                ORDER BY created_at, id LIMIT ? FOR UPDATE SKIP LOCKED) AS job \
            LIMIT ?) \
        UPDATE jobs SET status = 'running', attempts = attempts + 1, lease = ?, lease_until = argus_now() + ?, \
            progress_pct = 0, updated_at = argus_now() \
        FROM picked WHERE jobs.id = picked.id {CLAIMED}"
    );
    Statement::new(text)
        .bind::<Array<Text>, _>(tenants)
        .bind::<BigInt, _>(share)
        .bind::<BigInt, _>(limit)
        .bind::<BigInt, _>(token)
        .bind::<BigInt, _>(time)
        .load(connection)
}

pub(super) fn extend(connection: &mut PgConnection, leases: &[Lease], time: i64) -> QueryResult<Vec<JobId>> {
    const EXTEND: &str = "UPDATE jobs SET lease_until = argus_now() + ? \
        FROM unnest(?::text[], ?::bigint[]) AS held (id, lease) \
        WHERE jobs.id = held.id AND jobs.lease = held.lease RETURNING jobs.id";
    let ids: Vec<&str> = leases.iter().map(|lease| lease.id.as_str()).collect();
    let tokens: Vec<i64> = leases.iter().map(|lease| lease.token).collect();
    let statement = Statement::new(EXTEND)
        .bind::<BigInt, _>(time)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<BigInt>, _>(tokens);
    ids_of(statement.load(connection)?)
}

pub(super) fn finish(connection: &mut PgConnection, endings: &[Terminal<'_>]) -> QueryResult<Vec<JobId>> {
    const FINISH: &str = "WITH ended AS ( \
            UPDATE jobs SET status = ending.status, progress_pct = CASE ending.status WHEN 'succeeded' THEN 100 ELSE progress_pct END, \
                lease = NULL, lease_until = NULL, due_at = NULL, \
                error_code = ending.error_code, error_message = ending.error_message, \
                result_key = ending.result_key, result_length = ending.result_length, result_sha256 = ending.result_sha256, \
                cleanup_at = CASE WHEN ending.status = 'succeeded' AND attempts = 1 THEN \
                    CASE WHEN ending.result_key IS NOT NULL THEN argus_now() + ? END ELSE argus_now() END, \
                completed_at = argus_now(), updated_at = argus_now() \
            FROM unnest(?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[]) \
                AS ending (id, lease, status, error_code, error_message, result_key, result_length, result_sha256) \
            WHERE jobs.id = ending.id AND jobs.lease = ending.lease \
            RETURNING jobs.id, jobs.tenant_id, jobs.status, jobs.traceparent, jobs.tracestate, jobs.completed_at), \
        told AS (INSERT INTO outbox (tenant_id, event, subject, traceparent, tracestate, occurred_at) \
            SELECT tenant_id, 'job.' || status, id, traceparent, tracestate, completed_at FROM ended) \
        SELECT id FROM ended";
    let column = |each: fn(&Terminal<'_>) -> Option<String>| endings.iter().map(each).collect::<Vec<_>>();
    let ids: Vec<&str> = endings.iter().map(|ending| ending.lease.id.as_str()).collect();
    let tokens: Vec<i64> = endings.iter().map(|ending| ending.lease.token).collect();
    let statuses: Vec<&str> = endings.iter().map(|ending| ending.status).collect();
    let lengths: Vec<Option<i64>> =
        endings.iter().map(|ending| ending.result.map(|result| result.length.cast_signed())).collect();
    let statement = Statement::new(FINISH)
        .bind::<BigInt, _>(RETENTION)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<BigInt>, _>(tokens)
        .bind::<Array<Text>, _>(statuses)
        .bind::<Array<Nullable<Text>>, _>(column(|ending| ending.error.map(|(code, _)| code.to_owned())))
        .bind::<Array<Nullable<Text>>, _>(column(|ending| {
            ending.error.map(|(_, message)| message.to_owned())
        }))
        .bind::<Array<Nullable<Text>>, _>(column(|ending| ending.result.map(|result| result.key.clone())))
        .bind::<Array<Nullable<BigInt>>, _>(lengths)
        .bind::<Array<Nullable<Text>>, _>(column(|ending| ending.result.map(|result| result.sha256.clone())));
    ids_of(statement.load(connection)?)
}

pub(super) fn cancel(connection: &mut PgConnection, tenant_id: &TenantId, id: &JobId) -> QueryResult<bool> {
    const CANCEL: &str = "WITH ended AS ( \
            UPDATE jobs SET status = 'cancelled', lease = NULL, lease_until = NULL, due_at = NULL, \
                error_code = NULL, error_message = NULL, cleanup_at = CASE WHEN attempts > 0 THEN argus_now() END, \
                completed_at = argus_now(), updated_at = argus_now() \
            WHERE id = ? AND tenant_id = ? AND status IN ('queued', 'running') \
            RETURNING id, tenant_id, status, traceparent, tracestate, completed_at), \
        told AS (INSERT INTO outbox (tenant_id, event, subject, traceparent, tracestate, occurred_at) \
            SELECT tenant_id, 'job.' || status, id, traceparent, tracestate, completed_at FROM ended) \
        SELECT id FROM ended";
    let statement = Statement::new(CANCEL).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    let ended: Option<IdRow> = statement.get_result(connection).optional()?;
    Ok(ended.is_some())
}

pub(super) fn reap(connection: &mut PgConnection) -> QueryResult<Reaped> {
    const REAP: &str = "WITH silent AS MATERIALIZED ( \
            SELECT id FROM jobs WHERE status = 'running' AND lease_until < argus_now() \
            ORDER BY lease_until LIMIT ? FOR UPDATE SKIP LOCKED), \
        taken AS ( \
            UPDATE jobs SET lease = NULL, lease_until = NULL, updated_at = argus_now(), \
                status = CASE WHEN attempts < max_attempts THEN 'queued' ELSE 'failed' END, \
                completed_at = CASE WHEN attempts < max_attempts THEN NULL ELSE argus_now() END, \
                cleanup_at = CASE WHEN attempts < max_attempts THEN NULL ELSE argus_now() END, \
                error_code = ?, error_message = ? \
            FROM silent WHERE jobs.id = silent.id AND jobs.status = 'running' AND jobs.lease_until < argus_now() \
            RETURNING jobs.id, jobs.tenant_id, jobs.status, jobs.traceparent, jobs.tracestate, jobs.completed_at), \
        told AS (INSERT INTO outbox (tenant_id, event, subject, traceparent, tracestate, occurred_at) \
            SELECT tenant_id, 'job.' || status, id, traceparent, tracestate, completed_at FROM taken WHERE status = 'failed') \
        SELECT count(*) FILTER (WHERE status = 'queued') AS requeued, count(*) FILTER (WHERE status = 'failed') AS failed \
        FROM taken";
    let statement = Statement::new(REAP)
        .bind::<BigInt, _>(BATCH)
        .bind::<Text, _>(LEASE_LOST)
        .bind::<Text, _>(super::LEASE_LOST_MESSAGE);
    let counted: Counted = statement.get_result(connection)?;
    Ok(Reaped { requeued: counted.requeued as usize, failed: counted.failed as usize })
}

pub(super) fn wake(connection: &mut PgConnection) -> QueryResult<usize> {
    const WAKE: &str = "WITH due AS MATERIALIZED ( \
            SELECT id FROM jobs WHERE status = 'queued' AND due_at <= argus_now() \
            ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED) \
        UPDATE jobs SET due_at = NULL FROM due WHERE jobs.id = due.id AND jobs.status = 'queued'";
    Statement::new(WAKE).bind::<BigInt, _>(BATCH).execute(connection)
}

fn ids_of(rows: Vec<IdRow>) -> QueryResult<Vec<JobId>> {
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    requeued: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
}
