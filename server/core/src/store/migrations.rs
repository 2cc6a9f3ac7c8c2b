//! Embedded migrations: the core's own and those of each product, one directory per engine with the same
//! model in both.
//!
//! Everything happens in one transaction behind one lock: several processes may start together, and
//! a store that a newer version wrote is refused before anything is touched.

use super::connection::AnyConnection;
use super::engine::postgres;
use super::error::OpenError;
use diesel::Connection;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations of one crate, for either engine.
pub struct Migrations {
    /// For PostgreSQL.
    pub postgres: EmbeddedMigrations,
    /// For SQLite.
    pub sqlite: EmbeddedMigrations,
}

/// The core's own.
static CORE: Migrations = Migrations {
    postgres: embed_migrations!("migrations/postgres"),
    sqlite: embed_migrations!("migrations/sqlite"),
};

/// The migrations of several crates as one source.
struct Together<'m>(Vec<&'m EmbeddedMigrations>);

impl<DB: Backend> MigrationSource<DB> for Together<'_> {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<DB>>>> {
        let each = self.0.iter().map(|source| MigrationSource::<DB>::migrations(*source));
        let mut all: Vec<_> = each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        all.sort_by_key(|migration| migration.name().version().as_owned());
        Ok(all)
    }
}

/// Applies what is missing and names it, oldest first.
pub(super) fn run(
    connection: &mut AnyConnection,
    products: &[&Migrations],
) -> Result<Vec<String>, OpenError> {
    let all = || [&CORE].into_iter().chain(products.iter().copied());
    match connection {
        AnyConnection::Pg(connection) => connection.transaction(|connection| {
            postgres::lock_migrations(connection)?;
            apply(connection, &Together(all().map(|each| &each.postgres).collect()))
        }),
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            apply(connection, &Together(all().map(|each| &each.sqlite).collect()))
        }),
    }
}

fn apply<C, DB>(connection: &mut C, known: &Together<'_>) -> Result<Vec<String>, OpenError>
where
    C: MigrationHarness<DB>,
    DB: Backend,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migration(error.to_string());
    let migrations = MigrationSource::<DB>::migrations(known).map_err(failed)?;
    let known: Vec<String> =
        migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = connection.applied_migrations().map_err(failed)?;
    let mut newer: Vec<String> =
        applied.iter().map(ToString::to_string).filter(|version| !known.contains(version)).collect();
    if !newer.is_empty() {
        newer.sort_unstable();
        return Err(OpenError::NewerSchema { versions: newer });
    }
    let mut newly = Vec::new();
    for (migration, version) in migrations.iter().zip(known) {
        if !applied.iter().any(|applied| applied.to_string() == version) {
            connection.run_migration(migration).map_err(failed)?;
            newly.push(version);
        }
    }
    Ok(newly)
}
