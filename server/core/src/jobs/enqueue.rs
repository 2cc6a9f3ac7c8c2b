//! Accepting jobs. One statement inserts a job and finds out whether its idempotency key is taken, so that
//! nothing can come in between, and a node that dies leaves no key without a job.

use super::{IDEMPOTENCY_TIME, moment, trace_id};
use crate::context::Trace;
use crate::error::{Error, Fault};
use crate::ids::JobId;
use crate::store::Tx;
use crate::store::statement::{Statement, on_engine};
use argus_openapi::types::common::SecrecyLevel;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

/// A job to accept.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it does: the name of a [`super::work::Work`].
    pub kind: &'static str,
    /// Its input, as JSON that the kind reads.
    pub payload: String,
    /// Secrecy of the job and its result.
    pub secrecy_level: SecrecyLevel,
    /// Who is told when it has ended.
    pub callback_url: Option<String>,
    /// What makes a repeated request safe.
    pub idempotency_key: Option<String>,
    /// How often it may be tried.
    pub max_attempts: u16,
}

/// What a caller is told of a job that was accepted. The same for as long as the job is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The job.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// The trace in which it was accepted, in 32 hexadecimal digits.
    pub trace_id: String,
}

/// What became of a request to accept a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// The job is new.
    New(Receipt),
    /// The key had been used: this is the job that it was used for.
    Replayed(Receipt),
}

const INSERT: &str = "INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, \
    callback_url, idempotency_key, traceparent, tracestate, status, max_attempts, created_at, updated_at) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, argus_now(), argus_now()) \
    ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING \
    RETURNING id, kind, created_at, traceparent, FALSE AS is_over";

const FIND: &str = "SELECT id, kind, created_at, traceparent, created_at <= argus_now() - ? AS is_over \
    FROM jobs WHERE tenant_id = ? AND idempotency_key = ?";

const FREE: &str = "UPDATE jobs SET idempotency_key = NULL WHERE tenant_id = ? AND id = ?";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: JobId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Text)]
    traceparent: String,
    #[diesel(sql_type = Bool)]
    is_over: bool,
}

impl From<Row> for Receipt {
    fn from(row: Row) -> Self {
        let trace_id = trace_id(&row.traceparent);
        Self { id: row.id, kind: row.kind, created_at: moment(row.created_at), trace_id }
    }
}

/// Accepts a job for the caller of the transaction, unless its key was used within 24 hours.
pub fn enqueue(tx: &mut Tx<'_>, job: &NewJob) -> Result<Enqueued, Error> {
    let id = JobId::fresh(&tx.invocation().clock)?;
    let trace = match &tx.invocation().trace {
        Some(trace) => trace.clone(),
        None => Trace::begin().map_err(Fault::new)?,
    };
    loop {
        if let Some(row) = insert(tx, &id, job, &trace)? {
            return Ok(Enqueued::New(row.into()));
        }
        // Whoever had the key may have been removed meanwhile; then it is free.
        let Some(earlier) = find(tx, job)? else { continue };
        if !earlier.is_over {
            return Ok(Enqueued::Replayed(earlier.into()));
        }
        free(tx, &earlier.id)?;
    }
}

fn insert(tx: &mut Tx<'_>, id: &JobId, job: &NewJob, trace: &Trace) -> QueryResult<Option<Row>> {
    let principal = &tx.invocation().principal;
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(id)
        .bind::<Text, _>(&principal.tenant_id)
        .bind::<Text, _>(&principal.organization_id)
        .bind::<Text, _>(principal.actor.as_str())
        .bind::<Text, _>(job.kind)
        .bind::<Text, _>(&*job.payload)
        .bind::<Text, _>(job.secrecy_level.as_str())
        .bind::<Nullable<Text>, _>(job.callback_url.as_deref())
        .bind::<Nullable<Text>, _>(job.idempotency_key.as_deref())
        .bind::<Text, _>(trace.parent.to_string())
        .bind::<Nullable<Text>, _>(trace.state.as_deref())
        .bind::<Integer, _>(i32::from(job.max_attempts));
    on_engine!(tx.parts().0, |connection| statement.get_result(connection)).optional()
}

fn find(tx: &mut Tx<'_>, job: &NewJob) -> QueryResult<Option<Row>> {
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(FIND)
        .bind::<BigInt, _>(IDEMPOTENCY_TIME)
        .bind::<Text, _>(tenant_id)
        .bind::<Nullable<Text>, _>(job.idempotency_key.as_deref());
    on_engine!(connection, |connection| statement.get_result(connection)).optional()
}

fn free(tx: &mut Tx<'_>, id: &JobId) -> QueryResult<()> {
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(FREE).bind::<Text, _>(tenant_id).bind::<Text, _>(id);
    on_engine!(connection, |connection| statement.execute(connection)).map(drop)
}
