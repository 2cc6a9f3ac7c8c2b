//! What only PostgreSQL does: the tenant of a transaction, advisory locks, `ON CONFLICT`.

use super::super::error::OpenError;
use super::super::schema::installation;
use crate::ids::TenantId;
use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::{PgConnection, QueryResult};

/// Messages of two transactions that wait for each other.
pub(super) const DEADLOCK: &[&str] = &["deadlock detected"];
/// Messages of a server that is going away, has no room or time, or takes no writes for now.
pub(super) const OUT_OF_REACH: &[&str] = &[
    "terminating connection",
    "server closed the connection",
    "the database system is",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "SSL SYSCALL error",
    "canceling statement due to",
    "No space left on device",
    "too many clients",
    "remaining connection slots",
    "out of shared memory",
];

/// Key of the advisory lock that guards migrations: `argus` in ASCII.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(418364683635)";

/// What a transaction may do.
#[derive(Clone, Copy)]
pub(in super::super) enum Mode {
    Read,
    Write,
}

/// Opens a connection.
pub(in super::super) fn connect(url: &str) -> Result<PgConnection, OpenError> {
    let mut connection =
        PgConnection::establish(url).map_err(|error| OpenError::Connect(error.to_string()))?;
    connection.batch_execute("SET TIME ZONE 'UTC'")?;
    Ok(connection)
}

/// Begins a transaction and sets its tenant, for row-level security, in one round trip. The setting ends
/// with the transaction.
pub(super) fn begin(connection: &mut PgConnection, tenant_id: &TenantId, mode: Mode) -> QueryResult<()> {
    let mode = match mode {
        Mode::Read => "READ ONLY",
        Mode::Write => "READ WRITE",
    };
    // The alphabet of an identifier has no quote, so that it can stand in a literal.
    let sql = format!("BEGIN {mode}; SET LOCAL argus.tenant_id = '{tenant_id}'");
    AnsiTransactionManager::begin_transaction_sql(connection, &sql)
}

/// Holds the migration lock until the transaction ends.
pub(in super::super) fn lock_migrations(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query(MIGRATION_LOCK).execute(connection).map(drop)
}

pub(super) fn insert_fact_once(connection: &mut PgConnection, name: &str, value: &str) -> QueryResult<usize> {
    diesel::insert_into(installation::table)
        .values((installation::name.eq(name), installation::value.eq(value)))
        .on_conflict_do_nothing()
        .execute(connection)
}
