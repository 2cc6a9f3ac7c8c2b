//! Who works on a job, and how it ends. A claim gives one attempt the job for a while; every write of that
//! attempt, and of whoever takes the job from it, holds only while the lease is the one that was read. The
//! database's clock alone decides when a lease is over.
//!
//! What either engine does in its own way lies in [`postgres`] and [`sqlite`].

mod postgres;
mod sqlite;

use super::{SECOND, retention};
use crate::context::{Actor, Principal, Trace};
use crate::error::{Error, Fault};
use crate::ids::{JobId, OrganizationId, TenantId, random};
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use argus_wire::trace_context::Traceparent;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use std::collections::HashSet;
use std::time::Duration;

/// One attempt at a job, for as long as it keeps its lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub id: JobId,
    /// Which attempt; no two attempts have the same.
    pub token: i64,
}

/// A job that was claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The attempt.
    pub lease: Lease,
    /// What the job does.
    pub kind: String,
    /// Its input.
    pub payload: String,
    /// Whom the work is done for, with the secrecy of the job.
    pub principal: Principal,
    /// The trace in which it was accepted.
    pub trace: Option<Trace>,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub max_attempts: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The job is done.
    Succeeded(Option<StoredResult>),
    /// The job will not succeed.
    Failed {
        /// Stable reason.
        code: String,
        /// What went wrong, in English.
        message: String,
    },
    /// It may succeed later.
    Again {
        /// How long to wait.
        after: Duration,
        /// Stable reason.
        code: String,
        /// What went wrong, in English.
        message: String,
    },
    /// Nothing was done; the attempt does not count.
    Released,
}

/// Where the result of a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResult {
    /// Key of the object.
    pub key: String,
    /// Its length, in bytes.
    pub length: u64,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// For how long results are kept, in microseconds: 30 days.
pub const RETENTION: i64 = 30 * 24 * 3600 * SECOND;
/// The reason of a job whose attempts all ended without a word.
pub const LEASE_LOST: &str = "lease_lost";
const LEASE_LOST_MESSAGE: &str = "the worker stopped without a word; nobody knows how far it came";
/// How many leases are looked at in one statement.
const BATCH: i64 = 200;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: JobId,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    payload: String,
    #[diesel(sql_type = Text)]
    secrecy_level: String,
    #[diesel(sql_type = Text)]
    traceparent: String,
    #[diesel(sql_type = Nullable<Text>)]
    tracestate: Option<String>,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Integer)]
    max_attempts: i32,
}

/// What every claim returns.
const CLAIMED: &str = "RETURNING jobs.id, jobs.tenant_id, jobs.organization_id, jobs.actor, jobs.kind, jobs.payload, \
    jobs.secrecy_level, jobs.traceparent, jobs.tracestate, jobs.attempts, jobs.max_attempts";

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = Text)]
    id: JobId,
}

#[derive(QueryableByName)]
struct TenantRow {
    #[diesel(sql_type = Nullable<Text>)]
    tenant_id: Option<String>,
}

/// Where the next claim begins, so that tenants take turns: behind the tenant that was served last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn(String);

/// What a claim found.
#[derive(Debug)]
pub struct Claim {
    /// The jobs, at most as many as were asked for.
    pub jobs: Vec<Claimed>,
    /// Where the next one begins.
    pub next: Turn,
    /// Whether there may be more that could be claimed at once.
    pub more: bool,
}

/// Claims up to `limit` jobs for `time`. Each tenant with queued jobs gets its share, beginning behind the one
/// that was served last; a tenant alone gets all.
pub fn claim(
    connection: &mut AnyConnection,
    limit: u32,
    time: Duration,
    turn: &Turn,
) -> Result<Claim, Error> {
    let token = i64::from_be_bytes(random().map_err(Fault::new)?);
    let limit = i64::from(limit);
    let tenants = tenants(connection, turn, limit)?;
    let found = i64::try_from(tenants.len()).unwrap_or(limit);
    let is_last_round = found < limit;
    let next = match tenants.last() {
        Some(last) if !is_last_round => Turn(last.clone()),
        _ => Turn::default(),
    };
    if tenants.is_empty() {
        return Ok(Claim { jobs: Vec::new(), more: *turn != Turn::default(), next });
    }
    let share = (limit + found - 1) / found;
    let rows = match connection {
        AnyConnection::Pg(connection) => {
            postgres::claim(connection, &tenants, share, limit, token, micros(time))
        }
        AnyConnection::Sqlite(connection) => {
            sqlite::claim(connection, &tenants, share, limit, token, micros(time))
        }
    }?;
    let jobs = rows.into_iter().map(|row| claimed(row, token)).collect::<Result<Vec<_>, _>>()?;
    let of = |tenant: &String| jobs.iter().filter(|job| job.principal.tenant_id.as_str() == tenant).count();
    // Whoever got less than its share has nothing left, and every tenant was looked at in the last round.
    let is_all =
        is_last_round && *turn == Turn::default() && tenants.iter().all(|tenant| (of(tenant) as i64) < share);
    Ok(Claim { more: !is_all, jobs, next })
}

/// Tenants with queued jobs, from the one behind `turn` on, at most `limit`: one look into the index for each,
/// however many jobs they have.
fn tenants(connection: &mut AnyConnection, turn: &Turn, limit: i64) -> QueryResult<Vec<String>> {
    const FIND: &str = "WITH RECURSIVE turn (tenant_id, place) AS ( \
        SELECT (SELECT min(tenant_id) FROM jobs WHERE status = 'queued' AND due_at IS NULL AND tenant_id > ?), 1 \
        UNION ALL \
        SELECT (SELECT min(tenant_id) FROM jobs WHERE status = 'queued' AND due_at IS NULL AND tenant_id > turn.tenant_id), \
            place + 1 FROM turn WHERE turn.tenant_id IS NOT NULL AND place < ?) \
        SELECT tenant_id FROM turn WHERE tenant_id IS NOT NULL";
    let statement = Statement::new(FIND).bind::<Text, _>(&*turn.0).bind::<BigInt, _>(limit);
    let rows: Vec<TenantRow> = on_engine!(connection, |inner| statement.load(inner))?;
    Ok(rows.into_iter().filter_map(|row| row.tenant_id).collect())
}

fn claimed(row: Row, token: i64) -> Result<Claimed, Error> {
    let trace = Traceparent::parse(&row.traceparent)
        .map(|parent| Trace { parent, state: row.tracestate.map(Into::into) });
    Ok(Claimed {
        lease: Lease { id: row.id, token },
        kind: row.kind,
        payload: row.payload,
        principal: Principal {
            tenant_id: row.tenant_id,
            organization_id: row.organization_id,
            actor: row.actor.parse::<Actor>().map_err(Fault::new)?,
            user_id: None,
            scopes: Vec::new(),
            secrecy_level: row.secrecy_level.parse().map_err(Fault::new)?,
            is_sandboxed: false,
        },
        trace,
        attempt: row.attempts.unsigned_abs(),
        max_attempts: row.max_attempts.unsigned_abs(),
    })
}

/// Keeps leases for `time` from now on, and returns those that are still held.
pub fn extend(connection: &mut AnyConnection, leases: &[Lease], time: Duration) -> QueryResult<Vec<JobId>> {
    match connection {
        AnyConnection::Pg(connection) => postgres::extend(connection, leases, micros(time)),
        AnyConnection::Sqlite(connection) => sqlite::extend(connection, leases, micros(time)),
    }
}

/// Writes how far an attempt is; says whether its lease still holds.
pub fn progress(connection: &mut AnyConnection, lease: &Lease, percent: u8) -> QueryResult<bool> {
    const PROGRESS: &str = "UPDATE jobs SET progress_pct = ?, updated_at = argus_now() \
        WHERE id = ? AND lease = ? AND status = 'running'";
    let statement = Statement::new(PROGRESS)
        .bind::<Integer, _>(i32::from(percent.min(100)))
        .bind::<Text, _>(&lease.id)
        .bind::<BigInt, _>(lease.token);
    on_engine!(connection, |inner| statement.execute(inner)).map(|changed| changed > 0)
}

/// Ends attempts, and returns those whose lease held: nothing is written for the others, but that what they may have
/// left is looked for once more.
pub fn end(connection: &mut AnyConnection, endings: &[(Lease, Ending)]) -> QueryResult<Vec<JobId>> {
    let mut held = Vec::with_capacity(endings.len());
    let terminal: Vec<Terminal<'_>> = endings.iter().filter_map(Terminal::of).collect();
    if !terminal.is_empty() {
        held = match connection {
            AnyConnection::Pg(connection) => postgres::finish(connection, &terminal),
            AnyConnection::Sqlite(connection) => sqlite::finish(connection, &terminal),
        }?;
    }
    for (lease, ending) in endings {
        let back = match ending {
            Ending::Again { after, code, message } => again(connection, lease, *after, code, message)?,
            Ending::Released => release(connection, lease)?,
            Ending::Succeeded(_) | Ending::Failed { .. } => false,
        };
        if back {
            held.push(lease.id.clone());
        }
    }
    if held.len() < endings.len() {
        let kept: HashSet<&JobId> = held.iter().collect();
        let mut lost = endings.iter().map(|(lease, _)| lease).filter(|lease| !kept.contains(&lease.id));
        lost.try_for_each(|lease| retention::look_again(connection, lease))?;
    }
    Ok(held)
}

/// An ending that nothing follows, as its columns.
struct Terminal<'e> {
    lease: &'e Lease,
    status: &'static str,
    error: Option<(&'e str, &'e str)>,
    result: Option<&'e StoredResult>,
}

impl<'e> Terminal<'e> {
    fn of((lease, ending): &'e (Lease, Ending)) -> Option<Self> {
        match ending {
            Ending::Succeeded(result) => {
                Some(Self { lease, status: "succeeded", error: None, result: result.as_ref() })
            }
            Ending::Failed { code, message } => {
                Some(Self { lease, status: "failed", error: Some((code, message)), result: None })
            }
            Ending::Again { .. } | Ending::Released => None,
        }
    }
}

/// Queues a job again, to be started after a while, and keeps why.
fn again(
    connection: &mut AnyConnection,
    lease: &Lease,
    after: Duration,
    code: &str,
    message: &str,
) -> QueryResult<bool> {
    const AGAIN: &str = "UPDATE jobs SET status = 'queued', due_at = argus_now() + ?, lease = NULL, lease_until = NULL, \
        error_code = ?, error_message = ?, updated_at = argus_now() WHERE id = ? AND lease = ? AND status = 'running'";
    let statement = Statement::new(AGAIN)
        .bind::<BigInt, _>(micros(after))
        .bind::<Text, _>(code)
        .bind::<Text, _>(message)
        .bind::<Text, _>(&lease.id)
        .bind::<BigInt, _>(lease.token);
    on_engine!(connection, |inner| statement.execute(inner)).map(|changed| changed > 0)
}

/// Queues a job again as if it had not been claimed.
fn release(connection: &mut AnyConnection, lease: &Lease) -> QueryResult<bool> {
    const RELEASE: &str = "UPDATE jobs SET status = 'queued', lease = NULL, lease_until = NULL, attempts = attempts - 1, \
        updated_at = argus_now() WHERE id = ? AND lease = ? AND status = 'running'";
    let statement = Statement::new(RELEASE).bind::<Text, _>(&lease.id).bind::<BigInt, _>(lease.token);
    on_engine!(connection, |inner| statement.execute(inner)).map(|changed| changed > 0)
}

/// Cancels a job that has not ended; says whether there was one.
pub fn cancel(connection: &mut AnyConnection, tenant_id: &TenantId, id: &JobId) -> QueryResult<bool> {
    match connection {
        AnyConnection::Pg(connection) => postgres::cancel(connection, tenant_id, id),
        AnyConnection::Sqlite(connection) => sqlite::cancel(connection, tenant_id, id),
    }
}

/// What was done about leases that nobody kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Jobs that are queued again.
    pub requeued: usize,
    /// Jobs whose last attempt it was.
    pub failed: usize,
}

/// Takes jobs from attempts whose lease is over: queues them again, or ends them after their last attempt.
pub fn reap(connection: &mut AnyConnection) -> QueryResult<Reaped> {
    match connection {
        AnyConnection::Pg(connection) => postgres::reap(connection),
        AnyConnection::Sqlite(connection) => sqlite::reap(connection),
    }
}

/// Lets jobs that waited be claimed, and says how many.
pub fn wake(connection: &mut AnyConnection) -> QueryResult<usize> {
    match connection {
        AnyConnection::Pg(connection) => postgres::wake(connection),
        AnyConnection::Sqlite(connection) => sqlite::wake(connection),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2)
}
