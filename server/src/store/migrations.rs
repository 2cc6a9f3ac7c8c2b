//! Embedded migrations, one directory per engine with the same model in both.
//!
//! Everything happens in one transaction behind one lock: several processes may start together, and
//! a store that a newer version wrote is refused before anything is touched.

use super::connection::AnyConnection;
use super::error::StoreError;
use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel::{Connection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Key of the advisory lock that guards migrations: `argus` in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(418364683635)";

/// Applies what is missing and names it, oldest first.
pub(super) fn run(connection: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    match connection {
        AnyConnection::Pg(connection) => connection.transaction(|connection| {
            diesel::sql_query(LOCK).execute(connection)?;
            apply(connection, POSTGRES)
        }),
        AnyConnection::Sqlite(connection) => {
            connection.immediate_transaction(|connection| apply(connection, SQLITE))
        }
    }
}

fn apply<C, DB>(connection: &mut C, known: EmbeddedMigrations) -> Result<Vec<String>, StoreError>
where
    C: MigrationHarness<DB>,
    DB: Backend,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Migration(error.to_string());
    let known_versions: Vec<String> = MigrationSource::<DB>::migrations(&known)
        .map_err(failed)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let mut newer: Vec<String> = connection
        .applied_migrations()
        .map_err(failed)?
        .iter()
        .map(ToString::to_string)
        .filter(|version| !known_versions.contains(version))
        .collect();
    if !newer.is_empty() {
        newer.sort_unstable();
        return Err(StoreError::NewerSchema { versions: newer });
    }
    let applied = connection.run_pending_migrations(known).map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}
