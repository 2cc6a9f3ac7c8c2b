//! What is forgotten of jobs, and when: leftovers of attempts at once, results after 30 days, idempotency keys
//! after a day. The job itself stays. Objects are removed before their row says so, so that a removal that
//! fails is tried again.
//!
//! An attempt that has lost its job may finish an object when everything else of the job is removed already. It says
//! so by [`look_again`]; should it die before that, what it left goes with the results, after 30 days.

use super::IDEMPOTENCY_TIME;
use super::lease::{Lease, RETENTION};
use crate::ids::{JobId, TenantId};
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

/// How many rows are touched in one statement, so that none holds others up.
const BATCH: i64 = 500;

/// An ended job whose objects are to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Ended {
    /// The job.
    #[diesel(sql_type = Text)]
    pub id: JobId,
    /// Whose it is.
    #[diesel(sql_type = Text)]
    pub tenant_id: TenantId,
    /// How many attempts may have left something.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// The result that is kept, if there is one.
    #[diesel(sql_type = Nullable<Text>)]
    pub result_key: Option<String>,
    /// Whether its time is over.
    #[diesel(sql_type = Bool)]
    pub is_over: bool,
    /// Since when it is to be looked at.
    #[diesel(sql_type = BigInt)]
    pub cleanup_at: i64,
}

/// Ended jobs whose objects are to be looked at now, behind the first ones.
pub fn due(connection: &mut AnyConnection, skip: usize) -> QueryResult<Vec<Ended>> {
    const DUE: &str = "SELECT id, tenant_id, attempts, result_key, cleanup_at, \
        completed_at <= argus_now() - ? AS is_over FROM jobs WHERE cleanup_at <= argus_now() ORDER BY cleanup_at, id LIMIT ? OFFSET ?";
    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
    let statement =
        Statement::new(DUE).bind::<BigInt, _>(RETENTION).bind::<BigInt, _>(BATCH).bind::<BigInt, _>(skip);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Notes that nothing is left of these jobs but the results that are kept. All are looked at again when the time of
/// results is over, and those at once of which [`look_again`] was said meanwhile.
pub fn done(connection: &mut AnyConnection, jobs: &[Ended]) -> QueryResult<()> {
    const OVER: &str = "cleanup_at = NULL, result_key = NULL";
    const KEPT: &str = "cleanup_at = completed_at + ?";
    let (over, kept): (Vec<&Ended>, Vec<&Ended>) = jobs.iter().partition(|job| job.is_over);
    match connection {
        AnyConnection::Pg(connection) => {
            let of_these = |change: &str| {
                Statement::new(format!(
                    "UPDATE jobs SET {change} FROM unnest(?::text[], ?::bigint[]) AS seen (id, cleanup_at) \
                    WHERE jobs.id = seen.id AND jobs.cleanup_at = seen.cleanup_at"
                ))
            };
            let ids = |jobs: &[&Ended]| jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>();
            let times = |jobs: &[&Ended]| jobs.iter().map(|job| job.cleanup_at).collect::<Vec<_>>();
            of_these(OVER)
                .bind::<Array<Text>, _>(ids(&over))
                .bind::<Array<BigInt>, _>(times(&over))
                .execute(connection)?;
            of_these(KEPT)
                .bind::<BigInt, _>(RETENTION)
                .bind::<Array<Text>, _>(ids(&kept))
                .bind::<Array<BigInt>, _>(times(&kept))
                .execute(connection)?;
        }
        AnyConnection::Sqlite(connection) => {
            let of_one = |change: &str| {
                Statement::new(format!("UPDATE jobs SET {change} WHERE id = ? AND cleanup_at = ?"))
            };
            for job in over {
                of_one(OVER)
                    .bind::<Text, _>(&job.id)
                    .bind::<BigInt, _>(job.cleanup_at)
                    .execute(connection)?;
            }
            for job in kept {
                of_one(KEPT)
                    .bind::<BigInt, _>(RETENTION)
                    .bind::<Text, _>(&job.id)
                    .bind::<BigInt, _>(job.cleanup_at)
                    .execute(connection)?;
            }
        }
    }
    Ok(())
}

/// Lets the objects of a job be looked at once more, because an attempt that had lost it has ended only now. One that
/// has not ended is looked at when it has, since it has had other attempts.
pub(super) fn look_again(connection: &mut AnyConnection, lost: &Lease) -> QueryResult<()> {
    const AGAIN: &str = "UPDATE jobs SET cleanup_at = argus_now() WHERE id = ? AND completed_at IS NOT NULL";
    let statement = Statement::new(AGAIN).bind::<Text, _>(&lost.id);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Forgets idempotency keys whose day is over, some at a time, and says how many.
pub fn forget_keys(connection: &mut AnyConnection) -> QueryResult<usize> {
    const FORGET: &str = "UPDATE jobs SET idempotency_key = NULL WHERE id IN (SELECT id FROM jobs \
        WHERE idempotency_key IS NOT NULL AND created_at <= argus_now() - ? ORDER BY created_at LIMIT ?)";
    let statement = Statement::new(FORGET).bind::<BigInt, _>(IDEMPOTENCY_TIME).bind::<BigInt, _>(BATCH);
    on_engine!(connection, |inner| statement.execute(inner))
}
