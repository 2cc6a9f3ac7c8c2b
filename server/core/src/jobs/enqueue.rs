//! Accepting jobs. One statement inserts jobs and finds out whether its idempotency key is taken, so that
//! nothing can come in between, and a node that dies leaves no key without a job.

use super::{IDEMPOTENCY_TIME, moment, trace_id};
use crate::context::{Invocation, Trace};
use crate::error::Error;
use crate::ids::{JobId, TenantId};
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Tx};
use argus_openapi::types::common::SecrecyLevel;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel::{PgConnection, SqliteConnection};
use std::collections::HashMap;

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

/// A job to accept, and whose call it is.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    invocation: Invocation,
    job: NewJob,
    id: JobId,
    traceparent: String,
}

impl Submission {
    pub(super) fn new(invocation: &Invocation, job: NewJob) -> Result<Self, Error> {
        let id = JobId::fresh(&invocation.clock)?;
        let traceparent = match &invocation.trace {
            Some(trace) => trace.parent,
            None => Trace::begin().parent,
        };
        Ok(Self { invocation: invocation.clone(), job, id, traceparent: traceparent.to_string() })
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.job.idempotency_key.as_deref()
    }

    fn tracestate(&self) -> Option<&str> {
        self.invocation.trace.as_ref()?.state.as_deref()
    }
}

const COLUMNS: &str = "id, tenant_id, organization_id, actor, kind, payload, secrecy_level, callback_url, \
    idempotency_key, traceparent, tracestate, max_attempts, status, created_at, updated_at";

const UNLESS_USED: &str = "ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING \
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
    enqueue_one(tx, &Submission::new(tx.invocation(), job.clone())?)
}

/// Accepts jobs of callers of the transaction's tenant, each as [`enqueue`] does.
pub(super) fn enqueue_all(tx: &mut Tx<'_>, submissions: &[Submission]) -> Result<Vec<Enqueued>, Error> {
    let rows = insert(tx, submissions)?;
    let mut inserted: HashMap<JobId, Row> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    let outcome = |submission: &Submission| match inserted.remove(&submission.id) {
        Some(row) => Ok(Enqueued::New(row.into())),
        None => enqueue_one(tx, submission),
    };
    submissions.iter().map(outcome).collect()
}

fn enqueue_one(tx: &mut Tx<'_>, submission: &Submission) -> Result<Enqueued, Error> {
    loop {
        if let Some(row) = insert(tx, std::slice::from_ref(submission))?.pop() {
            return Ok(Enqueued::New(row.into()));
        }
        // Whoever had the key may have been removed meanwhile; then it is free.
        let Some(earlier) = find(tx, submission)? else { continue };
        if !earlier.is_over {
            return Ok(Enqueued::Replayed(earlier.into()));
        }
        free(tx, &earlier.id)?;
    }
}

/// Inserts the jobs whose keys are free.
fn insert(tx: &mut Tx<'_>, submissions: &[Submission]) -> QueryResult<Vec<Row>> {
    let (connection, tenant_id) = tx.parts();
    match connection {
        AnyConnection::Pg(connection) => insert_together(connection, tenant_id, submissions),
        AnyConnection::Sqlite(connection) => {
            let rows = submissions.iter().map(|submission| insert_one(connection, tenant_id, submission));
            rows.filter_map(Result::transpose).collect()
        }
    }
}

/// In one statement, because each costs a round trip. The keys are taken in their order, so that two nodes with
/// the same keys do not wait for each other; of two with one key, who came first gets it.
fn insert_together(
    connection: &mut PgConnection,
    tenant_id: &TenantId,
    submissions: &[Submission],
) -> QueryResult<Vec<Row>> {
    let column = |of: fn(&Submission) -> &str| submissions.iter().map(of).collect::<Vec<_>>();
    let nullable = |of: fn(&Submission) -> Option<&str>| submissions.iter().map(of).collect::<Vec<_>>();
    let attempts: Vec<i32> = submissions.iter().map(|each| i32::from(each.job.max_attempts)).collect();
    let text = format!(
        "INSERT INTO jobs ({COLUMNS}) \
         SELECT id, ?, organization_id, actor, kind, payload, secrecy_level, callback_url, idempotency_key, \
             traceparent, tracestate, max_attempts, 'queued', argus_now(), argus_now() \
         FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], \
             ?::text[], ?::text[], ?::integer[]) WITH ORDINALITY AS submitted (id, organization_id, actor, kind, \
             payload, secrecy_level, callback_url, idempotency_key, traceparent, tracestate, max_attempts, place) \
         ORDER BY idempotency_key, place {UNLESS_USED}"
    );
    Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Array<Text>, _>(column(|each| each.id.as_str()))
        .bind::<Array<Text>, _>(column(|each| each.invocation.principal.organization_id.as_str()))
        .bind::<Array<Text>, _>(column(|each| each.invocation.principal.actor.as_str()))
        .bind::<Array<Text>, _>(column(|each| each.job.kind))
        .bind::<Array<Text>, _>(column(|each| &each.job.payload))
        .bind::<Array<Text>, _>(column(|each| each.job.secrecy_level.as_str()))
        .bind::<Array<Nullable<Text>>, _>(nullable(|each| each.job.callback_url.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(nullable(Submission::idempotency_key))
        .bind::<Array<Text>, _>(column(|each| &each.traceparent))
        .bind::<Array<Nullable<Text>>, _>(nullable(Submission::tracestate))
        .bind::<Array<Integer>, _>(attempts)
        .load(connection)
}

fn insert_one(
    connection: &mut SqliteConnection,
    tenant_id: &TenantId,
    submission: &Submission,
) -> QueryResult<Option<Row>> {
    let Submission { invocation, job, .. } = submission;
    let text = format!(
        "INSERT INTO jobs ({COLUMNS}) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', argus_now(), argus_now()) {UNLESS_USED}"
    );
    Statement::new(text)
        .bind::<Text, _>(&submission.id)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(&invocation.principal.organization_id)
        .bind::<Text, _>(invocation.principal.actor.as_str())
        .bind::<Text, _>(job.kind)
        .bind::<Text, _>(&*job.payload)
        .bind::<Text, _>(job.secrecy_level.as_str())
        .bind::<Nullable<Text>, _>(job.callback_url.as_deref())
        .bind::<Nullable<Text>, _>(submission.idempotency_key())
        .bind::<Text, _>(&*submission.traceparent)
        .bind::<Nullable<Text>, _>(submission.tracestate())
        .bind::<Integer, _>(i32::from(job.max_attempts))
        .get_result(connection)
        .optional()
}

fn find(tx: &mut Tx<'_>, submission: &Submission) -> QueryResult<Option<Row>> {
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(FIND)
        .bind::<BigInt, _>(IDEMPOTENCY_TIME)
        .bind::<Text, _>(tenant_id)
        .bind::<Nullable<Text>, _>(submission.idempotency_key());
    on_engine!(connection, |connection| statement.get_result(connection)).optional()
}

fn free(tx: &mut Tx<'_>, id: &JobId) -> QueryResult<()> {
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(FREE).bind::<Text, _>(tenant_id).bind::<Text, _>(id);
    on_engine!(connection, |connection| statement.execute(connection)).map(drop)
}
