//! What only one engine can do, one function per thing: [`postgres`] and [`sqlite`]. Here stands the
//! choice between them and nothing else.

pub(super) mod postgres;
pub(super) mod sqlite;

use super::connection::AnyConnection;
use super::error::Kind;
use crate::ids::TenantId;
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as QueryError};

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It may do anything and take as long as it needs: migrations, and facts about the installation.
    SetUp,
    /// It may write. Of other writers of a file it is told soon, and begins anew.
    Write,
    /// The same, for every tenant at once.
    EveryTenant,
    /// It only reads, and waits where it must.
    Read,
    /// It only reads, on a thread that must not wait.
    ReadInPlace,
}

/// Begins a transaction that may write, for this tenant.
pub(super) fn begin_write(connection: &mut AnyConnection, tenant_id: &TenantId) -> QueryResult<()> {
    match connection {
        AnyConnection::Pg(connection) => postgres::begin(connection, tenant_id, postgres::Mode::Write),
        AnyConnection::Sqlite(connection) => sqlite::begin_write(connection),
    }
}

/// Begins a transaction that reads, for this tenant; `false` where one statement needs none.
pub(super) fn begin_read(connection: &mut AnyConnection, tenant_id: &TenantId) -> QueryResult<bool> {
    match connection {
        AnyConnection::Pg(connection) => {
            postgres::begin(connection, tenant_id, postgres::Mode::Read).map(|()| true)
        }
        AnyConnection::Sqlite(_) => Ok(false),
    }
}

/// Begins a transaction for every tenant; `false` where each statement is one of its own.
pub(super) fn begin_every_tenant(connection: &mut AnyConnection, whole: bool) -> QueryResult<bool> {
    match connection {
        AnyConnection::Pg(connection) if whole => postgres::begin_every_tenant(connection).map(|()| true),
        AnyConnection::Pg(_) => Ok(false),
        AnyConnection::Sqlite(connection) => sqlite::begin_write(connection).map(|()| true),
    }
}

/// The tables that there are.
pub(super) fn tables(connection: &mut AnyConnection) -> QueryResult<Vec<String>> {
    match connection {
        AnyConnection::Pg(connection) => postgres::tables(connection),
        AnyConnection::Sqlite(connection) => sqlite::tables(connection),
    }
}

/// Writes something that means nothing.
pub(super) fn write_probe(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Pg(connection) => postgres::write_probe(connection),
        AnyConnection::Sqlite(connection) => sqlite::write_probe(connection),
    }
}

/// A name that a query finds.
#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// Rows of jobs that were replaced and are still there; what SQLite keeps is in its log.
pub(super) fn dead_rows(connection: &mut AnyConnection) -> QueryResult<u64> {
    match connection {
        AnyConnection::Pg(connection) => postgres::dead_rows(connection),
        AnyConnection::Sqlite(_) => Ok(0),
    }
}

/// Inserts a fact about the installation unless it is there already.
pub(super) fn insert_fact_once(
    connection: &mut AnyConnection,
    name: &str,
    value: &str,
) -> QueryResult<usize> {
    match connection {
        AnyConnection::Pg(connection) => postgres::insert_fact_once(connection, name, value),
        AnyConnection::Sqlite(connection) => sqlite::insert_fact_once(connection, name, value),
    }
}

/// What can be done about a failed statement.
pub(super) fn kind(error: &QueryError) -> Kind {
    match error {
        QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Kind::Conflict,
        QueryError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | QueryError::BrokenTransactionManager => Kind::Unavailable,
        // What failed first says more: an engine may have rolled back by itself.
        QueryError::RollbackErrorOnCommit { commit_error, .. } => kind(commit_error),
        // Some failures have no kind of their own in diesel, so that only their message tells.
        QueryError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            let message = information.message();
            let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
            if says(sqlite::BUSY) || says(postgres::DEADLOCK) {
                Kind::Conflict
            } else if says(sqlite::NO_FILE) || says(postgres::OUT_OF_REACH) {
                Kind::Unavailable
            } else {
                Kind::Permanent
            }
        }
        _ => Kind::Permanent,
    }
}
