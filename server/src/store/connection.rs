//! One connection of either engine, the pool's view of it, and the transaction that writes use.

// The derive makes public items without documentation.
#![allow(missing_docs)]

use super::error::StoreError;
use super::location::Location;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{Connection, PgConnection, SqliteConnection};

/// A connection to either engine. Queries are written once against this type; what only one engine
/// can do goes through a `match`.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL 15 or later.
    Pg(PgConnection),
    /// The embedded engine.
    Sqlite(SqliteConnection),
}

impl AnyConnection {
    /// Runs `work` in a transaction that may write, and rolls it back when `work` fails.
    ///
    /// SQLite takes its write lock at the beginning: a transaction that reads first and writes later
    /// could otherwise fail at once when another writer came between, whatever the busy time-out.
    pub fn write<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<diesel::result::Error>,
    {
        type Manager = <AnyConnection as Connection>::TransactionManager;
        match self {
            Self::Pg(connection) => AnsiTransactionManager::begin_transaction(connection)?,
            Self::Sqlite(connection) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?;
            }
        }
        match work(self) {
            Ok(value) => {
                Manager::commit_transaction(self)?;
                Ok(value)
            }
            Err(error) => {
                // The first error says more than a failed rollback; a connection whose rollback
                // failed counts as broken and leaves the pool.
                let _ = Manager::rollback_transaction(self);
                Err(error)
            }
        }
    }
}

/// Opens and checks connections for the pool.
#[derive(Debug)]
pub(super) struct Manager(pub(super) Location);

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        self.0.connect()
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        match connection {
            // A file does not go away like a server does; asking would only cost time.
            AnyConnection::Sqlite(_) => Ok(()),
            AnyConnection::Pg(connection) => Ok(connection.ping()?),
        }
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}
