//! Leases on SQLite, in a transaction that holds the write lock: nobody comes between two statements.

use super::{BATCH, CLAIMED, IdRow, LEASE_LOST, LEASE_LOST_MESSAGE, Lease, RETENTION, Reaped, Row, Terminal};
use crate::ids::{JobId, TenantId};
use crate::store::statement::Statement;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, SqliteConnection};

pub(super) fn claim(
    connection: &mut SqliteConnection,
    tenants: &[String],
    share: i64,
    limit: i64,
    token: i64,
    time: i64,
) -> QueryResult<Vec<Row>> {
    let mut claimed = Vec::new();
    for tenant_id in tenants {
        let left = limit - i64::try_from(claimed.len()).unwrap_or(limit);
        let text = format!(
            "UPDATE jobs SET status = 'running', attempts = attempts + 1, lease = ?, lease_until = argus_now() + ?, \
                progress_pct = 0, updated_at = argus_now() \
            WHERE id IN (SELECT id FROM jobs WHERE tenant_id = ? AND status = 'queued' AND due_at IS NULL \
                ORDER BY created_at, id LIMIT ?) {CLAIMED}"
        );
        let rows: Vec<Row> = Statement::new(text)
            .bind::<BigInt, _>(token)
            .bind::<BigInt, _>(time)
            .bind::<Text, _>(tenant_id)
            .bind::<BigInt, _>(share.min(left))
            .load(connection)?;
        claimed.extend(rows);
    }
    Ok(claimed)
}

pub(super) fn extend(
    connection: &mut SqliteConnection,
    leases: &[Lease],
    time: i64,
) -> QueryResult<Vec<JobId>> {
    const EXTEND: &str =
        "UPDATE jobs SET lease_until = argus_now() + ? WHERE id = ? AND lease = ? AND status = 'running'";
    let mut held = Vec::with_capacity(leases.len());
    for lease in leases {
        let statement = Statement::new(EXTEND)
            .bind::<BigInt, _>(time)
            .bind::<Text, _>(&lease.id)
            .bind::<BigInt, _>(lease.token);
        if statement.execute(connection)? > 0 {
            held.push(lease.id.clone());
        }
    }
    Ok(held)
}

pub(super) fn finish(connection: &mut SqliteConnection, endings: &[Terminal<'_>]) -> QueryResult<Vec<JobId>> {
    const FINISH: &str = "UPDATE jobs SET status = ?, progress_pct = CASE WHEN ? THEN 100 ELSE progress_pct END, \
        lease = NULL, lease_until = NULL, due_at = NULL, error_code = ?, error_message = ?, \
        result_key = ?, result_length = ?, result_sha256 = ?, \
        cleanup_at = CASE WHEN ? AND attempts = 1 THEN CASE WHEN ? THEN argus_now() + ? END ELSE argus_now() END, \
        completed_at = argus_now(), updated_at = argus_now() \
        WHERE id = ? AND lease = ? AND status = 'running'";
    let mut held = Vec::with_capacity(endings.len());
    for Terminal { lease, status, error, result } in endings {
        let succeeded = error.is_none();
        let statement = Statement::new(FINISH)
            .bind::<Text, _>(status)
            .bind::<Bool, _>(succeeded)
            .bind::<Nullable<Text>, _>(error.map(|(code, _)| code))
            .bind::<Nullable<Text>, _>(error.map(|(_, message)| message))
            .bind::<Nullable<Text>, _>(result.map(|result| &*result.key))
            .bind::<Nullable<BigInt>, _>(result.map(|result| result.length.cast_signed()))
            .bind::<Nullable<Text>, _>(result.map(|result| &*result.sha256))
            .bind::<Bool, _>(succeeded)
            .bind::<Bool, _>(result.is_some())
            .bind::<BigInt, _>(RETENTION)
            .bind::<Text, _>(&lease.id)
            .bind::<BigInt, _>(lease.token);
        if statement.execute(connection)? > 0 {
            tell(connection, &lease.id)?;
            held.push(lease.id.clone());
        }
    }
    Ok(held)
}

pub(super) fn cancel(
    connection: &mut SqliteConnection,
    tenant_id: &TenantId,
    id: &JobId,
) -> QueryResult<bool> {
    const CANCEL: &str = "UPDATE jobs SET status = 'cancelled', lease = NULL, lease_until = NULL, due_at = NULL, \
        error_code = NULL, error_message = NULL, cleanup_at = CASE WHEN attempts > 0 THEN argus_now() END, \
        completed_at = argus_now(), updated_at = argus_now() \
        WHERE id = ? AND tenant_id = ? AND status IN ('queued', 'running')";
    let statement = Statement::new(CANCEL).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    let is_cancelled = statement.execute(connection)? > 0;
    if is_cancelled {
        tell(connection, id)?;
    }
    Ok(is_cancelled)
}

pub(super) fn reap(connection: &mut SqliteConnection) -> QueryResult<Reaped> {
    const REQUEUE: &str = "UPDATE jobs SET status = 'queued', lease = NULL, lease_until = NULL, updated_at = argus_now(), \
        error_code = ?, error_message = ? \
        WHERE id IN (SELECT id FROM jobs WHERE status = 'running' AND lease_until < argus_now() \
            AND attempts < max_attempts ORDER BY lease_until LIMIT ?)";
    const FAIL: &str = "UPDATE jobs SET status = 'failed', lease = NULL, lease_until = NULL, updated_at = argus_now(), \
        completed_at = argus_now(), cleanup_at = argus_now(), error_code = ?, error_message = ? \
        WHERE id IN (SELECT id FROM jobs WHERE status = 'running' AND lease_until < argus_now() \
            AND attempts >= max_attempts ORDER BY lease_until LIMIT ?) RETURNING id";
    let requeued = Statement::new(REQUEUE)
        .bind::<Text, _>(LEASE_LOST)
        .bind::<Text, _>(LEASE_LOST_MESSAGE)
        .bind::<BigInt, _>(BATCH)
        .execute(connection)?;
    let failed: Vec<IdRow> = Statement::new(FAIL)
        .bind::<Text, _>(LEASE_LOST)
        .bind::<Text, _>(LEASE_LOST_MESSAGE)
        .bind::<BigInt, _>(BATCH)
        .load(connection)?;
    for row in &failed {
        tell(connection, &row.id)?;
    }
    Ok(Reaped { requeued, failed: failed.len() })
}

pub(super) fn wake(connection: &mut SqliteConnection) -> QueryResult<usize> {
    const WAKE: &str = "UPDATE jobs SET due_at = NULL WHERE id IN \
        (SELECT id FROM jobs WHERE status = 'queued' AND due_at <= argus_now() ORDER BY due_at LIMIT ?)";
    Statement::new(WAKE).bind::<BigInt, _>(BATCH).execute(connection)
}

/// Tells of a job's end, in the transaction that ended it.
fn tell(connection: &mut SqliteConnection, id: &JobId) -> QueryResult<()> {
    const TELL: &str = "INSERT INTO outbox (tenant_id, event, subject, traceparent, tracestate, occurred_at) \
        SELECT tenant_id, 'job.' || status, id, traceparent, tracestate, completed_at FROM jobs WHERE id = ?";
    Statement::new(TELL).bind::<Text, _>(id).execute(connection).map(drop)
}
