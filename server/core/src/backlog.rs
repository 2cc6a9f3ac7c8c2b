//! What waits of every tenant's work: jobs that nobody has begun and deliveries whose time has come. Operators watch it;
//! nothing is decided by it.

use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

/// How many rows are counted at most, so that a look at a long queue costs no more than one at a shorter one.
pub const COUNTED_MAX: i64 = 100_000;

/// A queue. Beyond [`COUNTED_MAX`] both are those of that many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Queue {
    /// How many wait.
    pub waiting: i64,
    /// For how long the one has that waits the longest for its first attempt, in seconds; zero when none does.
    pub longest: f64,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Jobs that could be begun now.
    pub jobs: Queue,
    /// Deliveries that could be attempted now.
    pub deliveries: Queue,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    longest: Option<i64>,
}

impl From<Row> for Queue {
    fn from(Row { waiting, longest }: Row) -> Self {
        // A clock that was set back is no reason for a negative age.
        let micros = u32::try_from(longest.unwrap_or(0).max(0) / 1_000).unwrap_or(u32::MAX);
        Self { waiting, longest: f64::from(micros) / 1_000.0 }
    }
}

/// Looks what waits now.
pub fn look(connection: &mut AnyConnection) -> QueryResult<Backlog> {
    const JOBS: &str = "jobs WHERE status = 'queued'";
    const DELIVERIES: &str = "deliveries WHERE lease IS NULL AND status = 'queued'";
    Ok(Backlog { jobs: queue(connection, JOBS)?, deliveries: queue(connection, DELIVERIES)? })
}

fn queue(connection: &mut AnyConnection, queued: &str) -> QueryResult<Queue> {
    // In two halves, each of which has an index.
    let text = format!(
        "SELECT count(*) AS waiting, argus_now() - min(CASE WHEN attempts = 0 THEN created_at END) AS longest \
         FROM (SELECT attempts, created_at FROM {queued} AND due_at IS NULL \
             UNION ALL SELECT attempts, created_at FROM {queued} AND due_at <= argus_now() LIMIT ?) AS waiting"
    );
    let statement = Statement::new(text).bind::<BigInt, _>(COUNTED_MAX);
    let row: Row = on_engine!(connection, |inner| statement.get_result(inner))?;
    Ok(row.into())
}
