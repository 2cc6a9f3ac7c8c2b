//! Embedded migrations: the core's own and those of each product, one directory per engine with the same
//! model in both.
//!
//! Everything happens in one transaction behind one lock: several processes may start together, and
//! a store that a newer version wrote is refused before anything is touched. On PostgreSQL the wall between
//! tenants is made in the same transaction, so that no table is ever seen without it.

use super::backfill::{Backfill, Rows};
use super::check::Expected;
use super::connection::AnyConnection;
use super::engine::postgres;
use super::error::OpenError;
use super::location::Location;
use super::wall::{self, Command, Roles, Table};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations of one crate, for either engine.
pub struct Migrations {
    /// The tables that they make, and what is done with them.
    pub tables: &'static [Table],
    /// The functions of PostgreSQL that find out, as their owner, whose call it is; with the types of their arguments.
    pub look_ups: &'static [&'static str],
    /// What follows single migrations.
    pub backfills: &'static [Backfill],
    /// For PostgreSQL.
    pub postgres: EmbeddedMigrations,
    /// For SQLite.
    pub sqlite: EmbeddedMigrations,
}

/// The core's own.
static CORE: Migrations = Migrations {
    tables: &[
        Table::shared("installation", &[Command::Select, Command::Insert, Command::Update]),
        Table::of_tenants("tenants", &[Command::Select, Command::Insert], &[]),
        Table::of_tenants("organizations", &[Command::Select, Command::Insert], &[]),
        Table::of_tenants("audit_events", &[Command::Select, Command::Insert], &[]),
        Table::of_tenants(
            "jobs",
            &[Command::Select, Command::Insert, Command::Update],
            // An operator accepts failed jobs anew.
            &[Command::Select, Command::Insert, Command::Update],
        ),
        Table::of_tenants("outbox", &[Command::Insert], &Command::ALL),
        Table::of_tenants(
            "webhooks",
            &[Command::Select, Command::Insert, Command::Update],
            &[Command::Select, Command::Update, Command::Delete],
        ),
        Table::of_tenants("signing_secrets", &Command::ALL, &[Command::Select]),
        Table::of_tenants("deliveries", &[Command::Select, Command::Insert, Command::Update], &Command::ALL),
        // Every node keeps those of all tenants in memory.
        Table::of_tenants(
            "revocations",
            &[Command::Select, Command::Insert, Command::Update],
            &[Command::Select, Command::Delete],
        ),
        Table::of_machinery("limit_buckets", &Command::ALL),
        // Who writes counts his call with it; what was counted is added up and read for all tenants at once.
        Table::of_tenants("usage_increments", &[Command::Insert], &Command::ALL),
        Table::of_tenants("usage_by_day", &[], &[Command::Select, Command::Insert, Command::Update]),
        Table::of_machinery("usage_batches", &Command::ALL),
        Table::of_tenants("quotas", &Command::ALL, &[Command::Select]),
        Table::of_tenants(
            "users",
            &[Command::Select, Command::Insert, Command::Update, Command::Delete],
            &[],
        ),
        // What its time is over for is removed by the machinery.
        Table::of_tenants("sessions", &Command::ALL, &[Command::Select, Command::Delete]),
        Table::of_tenants(
            "invitations",
            &[Command::Select, Command::Insert, Command::Delete],
            &[Command::Select, Command::Delete],
        ),
    ],
    look_ups: &[
        "argus_first_tenant()",
        "argus_find_user(text)",
        "argus_find_session(text)",
        "argus_find_invitation(text)",
    ],
    backfills: &[],
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

/// What was done to bring a database up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were applied, oldest first.
    pub migrations: Vec<String>,
    /// The statements that made the wall between tenants what it is now, on PostgreSQL.
    pub wall: Vec<String>,
}

/// The core's migrations and those of these products.
fn sources<'m>(products: &[&'m Migrations]) -> Vec<&'m Migrations> {
    [&CORE].into_iter().chain(products.iter().copied()).collect()
}

/// What is to be done until the wall is as the code says, for these roles.
pub(super) fn wall_plan(
    connection: &mut PgConnection,
    products: &[&Migrations],
    roles: &Roles,
) -> Result<Vec<String>, OpenError> {
    wall::plan(connection, &sources(products), roles)
}

/// What a database has when all of this is applied.
pub(super) fn expected(location: &Location, products: &[&Migrations]) -> Result<Expected, OpenError> {
    let all = sources(products);
    let versions = if location.is_embedded() {
        versions::<diesel::sqlite::Sqlite>(&Together(all.iter().map(|each| &each.sqlite).collect()))
    } else {
        versions::<diesel::pg::Pg>(&Together(all.iter().map(|each| &each.postgres).collect()))
    };
    let tables = all.iter().flat_map(|each| each.tables).map(|table| table.name).collect();
    Ok(Expected { versions: versions?, tables })
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

/// Applies what is missing, and makes the wall for these roles.
pub(super) fn run(
    connection: &mut AnyConnection,
    products: &[&Migrations],
    roles: &Roles,
) -> Result<Migrated, OpenError> {
    let all = sources(products);
    match connection {
        AnyConnection::Pg(connection) => connection.transaction(|connection| {
            postgres::lock_migrations(connection)?;
            let known = Together(all.iter().map(|each| &each.postgres).collect());
            let owner_in = |connection: &mut PgConnection| connection.batch_execute(wall::OWNER_IN);
            let migrations = apply(connection, &known, &all, owner_in)?;
            let wall = wall::plan(connection, &all, roles)?;
            wall.iter().try_for_each(|statement| connection.batch_execute(statement))?;
            Ok(Migrated { migrations, wall })
        }),
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            let known = Together(all.iter().map(|each| &each.sqlite).collect());
            let migrations = apply(connection, &known, &all, |_| Ok(()))?;
            Ok(Migrated { migrations, wall: Vec::new() })
        }),
    }
}

/// `before` runs before each migration and each backfill: the one before may have made a table.
fn apply<C, DB>(
    connection: &mut C,
    known: &Together<'_>,
    sources: &[&Migrations],
    before: impl Fn(&mut C) -> QueryResult<()>,
) -> Result<Vec<String>, OpenError>
where
    C: MigrationHarness<DB> + Rows,
    DB: Backend,
{
    let migrations = MigrationSource::<DB>::migrations(known).map_err(failed)?;
    let known: Vec<String> =
        migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = connection.applied_migrations().map_err(failed)?;
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    refuse_newer(&applied, &known)?;
    let mut newly = Vec::new();
    for (migration, version) in migrations.iter().zip(known) {
        if !applied.contains(&version) {
            before(connection)?;
            connection.run_migration(migration).map_err(failed)?;
            let backfills = sources.iter().flat_map(|source| source.backfills);
            for backfill in backfills.filter(|backfill| backfill.version == version) {
                before(connection)?;
                backfill.run(connection)?;
            }
            newly.push(version);
        }
    }
    Ok(newly)
}

/// Refuses a store that a newer version has migrated.
fn refuse_newer(applied: &[String], known: &[String]) -> Result<(), OpenError> {
    let mut newer: Vec<String> = applied.iter().filter(|version| !known.contains(version)).cloned().collect();
    if newer.is_empty() {
        return Ok(());
    }
    newer.sort_unstable();
    Err(OpenError::NewerSchema { versions: newer })
}

/// Asserts that a database has exactly these migrations, for whoever may not make them.
pub(super) fn require(connection: &mut PgConnection, expected: &Expected) -> Result<(), OpenError> {
    // A session may not know that there is a table if it may not read it.
    if !postgres::may_read_migrations(connection)? {
        return Err(OpenError::Behind("this role may read nothing of it".to_owned()));
    }
    let applied: Vec<String> =
        __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(connection)?;
    refuse_newer(&applied, &expected.versions)?;
    let missing: Vec<&str> = expected
        .versions
        .iter()
        .filter(|version| !applied.contains(version))
        .map(|version| &**version)
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(OpenError::Behind(format!("it lacks {}", missing.join(", ")))),
    }
}
