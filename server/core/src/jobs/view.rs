//! What callers may read of their tenant's jobs: one, a page of them, how many there are.

use super::lease::RETENTION;
use super::{moment, trace_id};
use crate::context::Invocation;
use crate::error::{Error, Fault};
use crate::ids::JobId;
use crate::page::{Moment, PageRequest, Position};
use crate::store::statement::{self, Known, Statement, on_engine};
use crate::store::{Reader, Resource};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobStatus;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// How many jobs are counted one by one for a list.
pub const COUNTED: i64 = 10_000;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its identifier.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// Its state.
    pub status: JobStatus,
    /// How much of the work is done, in percent.
    pub progress_pct: u8,
    /// Secrecy of the job and its result.
    pub secrecy_level: SecrecyLevel,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it failed: code and message.
    pub error: Option<(String, String)>,
    /// Key of the stored result, while it is kept: for 30 days by the database's clock.
    pub result_key: Option<String>,
    /// The trace in which it was accepted, in 32 hexadecimal digits.
    pub trace_id: String,
}

/// How much secrecy a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer(SecrecyLevel);

impl Viewer {
    /// The caller.
    pub fn of(invocation: &Invocation) -> Self {
        Self(invocation.principal.secrecy_level)
    }

    /// The condition on a column that holds it.
    fn condition(self) -> &'static str {
        match self.0 {
            SecrecyLevel::Standard => "secrecy_level = 'standard'",
            SecrecyLevel::Restricted => "secrecy_level IN ('standard', 'restricted')",
            SecrecyLevel::Confidential => "secrecy_level <> 'secret'",
            SecrecyLevel::Secret => "TRUE",
        }
    }
}

/// Which jobs of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<&'static str>,
    /// In this state.
    pub status: Option<JobStatus>,
    /// Up to this secrecy.
    pub secrecy_level: SecrecyLevel,
}

/// Where a job stands in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPosition(pub Moment<JobId>);

impl Position for JobPosition {
    const LIST: &'static str = "job_list_cursor";

    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn from_text(text: &str) -> Option<Self> {
        Moment::from_text(text).map(Self)
    }
}

impl From<&Job> for JobPosition {
    fn from(job: &Job) -> Self {
        Self(Moment { at: job.created_at.naive_utc(), id: job.id.clone() })
    }
}

/// The columns of a [`Row`], with the value of how long a result is kept in their middle.
macro_rules! columns {
    (before) => {
        "id, kind, status, progress_pct, secrecy_level, created_at, updated_at, completed_at, error_code, \
         error_message, traceparent, CASE WHEN result_key IS NOT NULL AND completed_at + "
    };
    (after) => {
        " > argus_now() THEN result_key END AS result_key"
    };
}

const COLUMNS: &str = concat!(columns!(before), "?", columns!(after));

#[derive(Queryable, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: JobId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    progress_pct: i32,
    #[diesel(sql_type = Text)]
    secrecy_level: String,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    completed_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    error_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error_message: Option<String>,
    #[diesel(sql_type = Text)]
    traceparent: String,
    #[diesel(sql_type = Nullable<Text>)]
    result_key: Option<String>,
}

impl TryFrom<Row> for Job {
    type Error = diesel::result::Error;

    fn try_from(row: Row) -> QueryResult<Self> {
        let foreign = |error| diesel::result::Error::DeserializationError(Box::new(error));
        Ok(Self {
            trace_id: trace_id(&row.traceparent),
            id: row.id,
            kind: row.kind,
            status: row.status.parse().map_err(foreign)?,
            progress_pct: u8::try_from(row.progress_pct.clamp(0, 100)).unwrap_or(100),
            secrecy_level: row.secrecy_level.parse().map_err(foreign)?,
            created_at: moment(row.created_at),
            updated_at: moment(row.updated_at),
            completed_at: row.completed_at.map(moment),
            error: row.error_code.zip(row.error_message),
            result_key: row.result_key,
        })
    }
}

impl Resource for Job {
    type Id = (JobId, Viewer);
    const NAME: &'static str = "job";

    /// One above the caller's clearance does not exist.
    fn find(reader: &mut Reader<'_>, (id, Viewer(clearance)): &(JobId, Viewer)) -> QueryResult<Option<Self>> {
        let (connection, tenant_id) = reader.parts();
        let statement = Statement::<_, Known<OneJob>>::known()
            .bind::<BigInt, _>(RETENTION)
            .bind::<Text, _>(id)
            .bind::<Text, _>(tenant_id);
        let row: Option<Row> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
        Ok(row.map(Self::try_from).transpose()?.filter(|job| job.secrecy_level <= *clearance))
    }
}

/// Clients ask again and again how far a job is.
enum OneJob {}

type RowTypes = (
    Text,
    Text,
    Text,
    Integer,
    Text,
    BigInt,
    BigInt,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
    Text,
    Nullable<Text>,
);

impl statement::Text for OneJob {
    type Row = RowTypes;
    const PIECES: &'static [&'static str] = &[
        concat!("SELECT ", columns!(before)),
        concat!(columns!(after), " FROM jobs WHERE id = "),
        " AND tenant_id = ",
    ];
}

/// Those of these jobs that a viewer may see, in no order.
pub fn find_all(
    reader: &mut Reader<'_>,
    Viewer(clearance): Viewer,
    ids: &[JobId],
) -> Result<Vec<Job>, Error> {
    let (connection, tenant_id) = reader.parts();
    let among = statement::among(connection, "id");
    let text = format!("SELECT {COLUMNS} FROM jobs WHERE tenant_id = ? AND {among}");
    let statement = Statement::new(text)
        .bind::<BigInt, _>(RETENTION)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(statement::names(ids));
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    let jobs = rows.into_iter().map(|row| Job::try_from(row).map_err(Error::from));
    jobs.filter(|job| job.as_ref().map_or(true, |job| job.secrecy_level <= clearance)).collect()
}

impl Filter {
    /// The condition behind the tenant's.
    fn condition(&self) -> String {
        let mut text = Viewer(self.secrecy_level).condition().to_owned();
        // Neither a kind nor a state has a quote in it: both are the contract's own words.
        if let Some(kind) = self.kind {
            text.push_str(&format!(" AND kind = '{kind}'"));
        }
        if let Some(status) = self.status {
            text.push_str(&format!(" AND status = '{status}'"));
        }
        text
    }
}

/// A page of the tenant's jobs, newest first.
pub fn list(
    reader: &mut Reader<'_>,
    filter: &Filter,
    page: &PageRequest<JobPosition>,
) -> Result<Vec<Job>, Error> {
    let (connection, tenant_id) = reader.parts();
    // The first page is behind everything.
    let (at, id) = match &page.after {
        Some(JobPosition(Moment { at, id })) => (at.and_utc().timestamp_micros(), id.as_str()),
        None => (i64::MAX, ""),
    };
    let text = format!(
        "SELECT {COLUMNS} FROM jobs WHERE tenant_id = ? AND (created_at, id) < (?, ?) AND {} \
         ORDER BY created_at DESC, id DESC LIMIT ?",
        filter.condition()
    );
    let statement = Statement::new(text)
        .bind::<BigInt, _>(RETENTION)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(page.query_limit());
    let rows: Vec<Row> = on_engine!(connection, |inner| statement.load(inner))?;
    rows.into_iter().map(|row| Job::try_from(row).map_err(Error::from)).collect()
}

/// How many jobs of the tenant there are, up to a bound.
pub fn count(reader: &mut Reader<'_>, filter: &Filter, bound: i64) -> Result<u64, Error> {
    let (connection, tenant_id) = reader.parts();
    let text = format!(
        "SELECT count(*) AS count FROM (SELECT 1 FROM jobs WHERE tenant_id = ? AND {} LIMIT ?) AS counted",
        filter.condition()
    );
    let statement = Statement::new(text).bind::<Text, _>(tenant_id).bind::<BigInt, _>(bound);
    let counted: Count = on_engine!(connection, |inner| statement.get_result(inner))?;
    u64::try_from(counted.count).map_err(|error| Fault::new(error).into())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}
