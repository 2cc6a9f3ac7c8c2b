//! Embedded migrations: the core's own and those of each product, one directory per engine with the same
//! model in both.
//!
//! Everything happens in one transaction behind one lock: several processes may start together, and
//! a store that a newer version wrote is refused before anything is touched.

use super::check::Expected;
use super::connection::AnyConnection;
use super::engine::postgres;
use super::error::OpenError;
use super::location::Location;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations of one crate, for either engine.
pub struct Migrations {
    /// The tables that they make.
    pub tables: &'static [&'static str],
    /// For PostgreSQL.
    pub postgres: EmbeddedMigrations,
    /// For SQLite.
    pub sqlite: EmbeddedMigrations,
}

/// The core's own.
static CORE: Migrations = Migrations {
    tables: &["installation", "tenants", "organizations", "audit_events", "jobs", "outbox", "limit_buckets"],
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

/// What a database has when all of this is applied.
pub(super) fn expected(location: &Location, products: &[&Migrations]) -> Result<Expected, OpenError> {
    let all = || [&CORE].into_iter().chain(products.iter().copied());
    let versions = if location.is_embedded() {
        versions::<diesel::sqlite::Sqlite>(&Together(all().map(|each| &each.sqlite).collect()))
    } else {
        versions::<diesel::pg::Pg>(&Together(all().map(|each| &each.postgres).collect()))
    };
    Ok(Expected { versions: versions?, tables: all().flat_map(|each| each.tables).copied().collect() })
}

fn versions<DB: Backend>(source: &Together<'_>) -> Result<Vec<String>, OpenError> {
    let migrations = MigrationSource::<DB>::migrations(source).map_err(failed)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// The versions that a database has.
pub(super) fn applied(connection: &mut AnyConnection) -> QueryResult<Vec<String>> {
    __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(connection)
}

diesel::table! {
    /// Where diesel notes what it has applied.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

// In the form that `map_err` takes.
#[allow(clippy::needless_pass_by_value)]
fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> OpenError {
    OpenError::Migration(error.to_string())
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
