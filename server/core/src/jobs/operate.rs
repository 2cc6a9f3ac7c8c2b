//! What an operator may do about the jobs of every tenant. No caller of the API comes here.

use super::lease;
use super::moment;
use crate::Clock;
use crate::error::Error;
use crate::ids::{JobId, TenantId};
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use argus_openapi::types::jobs::JobStatus;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// A job as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatedJob {
    /// The job.
    pub id: JobId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What it does.
    pub kind: String,
    /// Its state.
    pub status: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// Why its last attempt ended, also when it will be tried again: code and message.
    pub last_error: Option<(String, String)>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: JobId,
    #[diesel(sql_type = Text)]
    tenant_id: TenantId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    error_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error_message: Option<String>,
}

impl From<Row> for OperatedJob {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            kind: row.kind,
            status: row.status,
            attempts: row.attempts.unsigned_abs(),
            created_at: moment(row.created_at),
            last_error: row.error_code.zip(row.error_message),
        }
    }
}

/// The newest jobs of all tenants, or of one, in any state, or in one.
pub fn list(
    connection: &mut AnyConnection,
    tenant_id: Option<&TenantId>,
    status: Option<JobStatus>,
    limit: u32,
) -> Result<Vec<OperatedJob>, Error> {
    let mut text =
        "SELECT id, tenant_id, kind, status, attempts, created_at, error_code, error_message FROM jobs \
        WHERE TRUE"
            .to_owned();
    // Neither has a quote: identifiers and states are made of letters, digits and underscores.
    if let Some(tenant_id) = tenant_id {
        text.push_str(&format!(" AND tenant_id = '{tenant_id}'"));
    }
    if let Some(status) = status {
        text.push_str(&format!(" AND status = '{status}'"));
    }
    text.push_str(" ORDER BY created_at DESC, id DESC LIMIT ?");
    let statement = Statement::new(text).bind::<BigInt, _>(i64::from(limit));
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    Ok(rows.into_iter().map(OperatedJob::from).collect())
}

/// Cancels a job of whatever tenant; says whether there was one that had not ended.
pub fn cancel(connection: &mut AnyConnection, id: &JobId) -> Result<bool, Error> {
    const TENANT: &str = "SELECT id, tenant_id, kind, status, attempts, created_at, error_code, error_message \
        FROM jobs WHERE id = ?";
    let statement = Statement::new(TENANT).bind::<Text, _>(id);
    let row: Option<Row> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    match row {
        Some(row) => Ok(lease::cancel(connection, &row.tenant_id, id)?),
        None => Err(Error::NotFound("job")),
    }
}

/// Accepts a failed job anew, under an identifier of its own: that it failed was told, and stays so.
pub fn retry(connection: &mut AnyConnection, clock: &Clock, failed: &JobId) -> Result<JobId, Error> {
    const AGAIN: &str = "INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, \
        callback_url, traceparent, tracestate, status, max_attempts, created_at, updated_at) \
        SELECT ?, tenant_id, organization_id, actor, kind, payload, secrecy_level, callback_url, traceparent, \
        tracestate, 'queued', max_attempts, argus_now(), argus_now() FROM jobs WHERE id = ? AND status = 'failed'";
    let id = JobId::fresh(clock)?;
    let statement = Statement::new(AGAIN).bind::<Text, _>(&id).bind::<Text, _>(failed);
    match on_engine!(connection, |inner| statement.execute(inner))? {
        0 => Err(Error::NotFound("failed job")),
        _ => Ok(id),
    }
}
