//! One connection of either engine.

// The derive makes public items without documentation.
#![allow(missing_docs)]

use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::{Connection, PgConnection, QueryResult, SqliteConnection};

/// A connection to either engine. Queries are written once against this type; what only one engine
/// can do lives in [`super::engine`].
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL 15 or later.
    Pg(PgConnection),
    /// The embedded engine.
    Sqlite(SqliteConnection),
}

impl AnyConnection {
    /// Asks for nothing, to see whether there is an answer.
    pub(super) fn ping(&mut self) -> QueryResult<()> {
        self.batch_execute("SELECT 1")
    }

    /// Whether it is inside of a transaction that could not be ended.
    pub(super) fn is_broken(&mut self) -> bool {
        type Manager = <AnyConnection as Connection>::TransactionManager;
        Manager::is_broken_transaction_manager(self)
    }
}
