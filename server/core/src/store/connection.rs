//! One connection of either engine, and the pool's view of it.

// The derive makes public items without documentation.
#![allow(missing_docs)]

use super::engine::sqlite::Use;
use super::error::OpenError;
use super::location::Location;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{PgConnection, SqliteConnection};

/// A connection to either engine. Queries are written once against this type; what only one engine
/// can do lives in [`super::engine`].
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL 15 or later.
    Pg(PgConnection),
    /// The embedded engine.
    Sqlite(SqliteConnection),
}

/// Opens and checks connections for a pool.
#[derive(Debug)]
pub(super) struct Manager {
    pub(super) location: Location,
    pub(super) purpose: Use,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = OpenError;

    fn connect(&self) -> Result<AnyConnection, OpenError> {
        self.location.connect(self.purpose)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), OpenError> {
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
