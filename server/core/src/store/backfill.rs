//! Backfills: changes of the rows that were there before a migration. The runner counts, because an `UPDATE` that
//! changes nothing says nothing, whatever kept it from the rows.

use super::error::OpenError;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::{PgConnection, SqliteConnection};

/// Changes the rows of a table after a migration; the same SQL on both engines.
#[derive(Clone, Copy, Debug)]
pub struct Backfill {
    /// The version of the migration, as in `20261130000020`.
    pub version: &'static str,
    /// The table.
    pub table: &'static str,
    /// Which rows are still to be changed: a condition that none of them meets afterwards.
    pub pending: &'static str,
    /// What is changed: what stands behind `SET`.
    pub change: &'static str,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A connection that says how many rows there are, and how many it has changed.
pub(super) trait Rows {
    /// How many rows a query counts; its column is called `count`.
    fn count(&mut self, query: &str) -> QueryResult<usize>;
    /// How many rows a statement changes.
    fn change(&mut self, statement: &str) -> QueryResult<usize>;
}

macro_rules! rows {
    ($($connection:ty),+) => {$(
        impl Rows for $connection {
            fn count(&mut self, query: &str) -> QueryResult<usize> {
                let Count { count } = diesel::sql_query(query).get_result(self)?;
                Ok(usize::try_from(count).unwrap_or(usize::MAX))
            }

            fn change(&mut self, statement: &str) -> QueryResult<usize> {
                diesel::sql_query(statement).execute(self)
            }
        }
    )+};
}

rows!(PgConnection, SqliteConnection);

impl Backfill {
    /// Changes all rows that are pending, or fails.
    pub(super) fn run(&self, connection: &mut impl Rows) -> Result<(), OpenError> {
        let Self { table, pending, change, .. } = *self;
        let found = connection.count(&format!("SELECT count(*) AS count FROM {table} WHERE {pending}"))?;
        let changed = connection.change(&format!("UPDATE {table} SET {change} WHERE {pending}"))?;
        if changed < found {
            return Err(OpenError::Backfill { table, found, changed });
        }
        Ok(())
    }
}
