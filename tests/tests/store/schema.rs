//! Migrations: applied once, by whoever comes first, and never over a newer schema.

use argus_core::Clock;
use argus_core::audit;
use argus_core::store::{AnyConnection, Database, Error, Kind, Migrated, OpenError};
use argus_core::tenants;
use argus_openapi::types::scopes::Scope;
use argus_partner::IdentityError;
use argus_server::service::PRODUCTS;
use argus_tests::{Installation, on_both_engines, sql};
use std::fs;

use crate::identity::support::{admin, app};

on_both_engines! {
    migrations_are_applied_once_and_named
    a_store_of_a_newer_schema_is_refused_and_left_as_it_was
    the_audit_trail_cannot_be_changed
    every_table_is_looked_for_when_the_database_is_checked
}

async fn migrations_are_applied_once_and_named(installation: Installation) {
    let first = installation.migrate_anew().unwrap();
    assert_eq!(first.migrations, super::migration_versions(&installation));
    assert_eq!(first.wall.is_empty(), installation.is_sqlite());
    assert_eq!(installation.migrate_anew().unwrap(), Migrated::default());
    Database::open(&installation.settings.store, PRODUCTS).unwrap().requests.ping().await.unwrap();
}

async fn a_store_of_a_newer_schema_is_refused_and_left_as_it_was(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    app(&identity, &admin, &[Scope::JobsRead]).await;
    // A second connection keeps SQLite from folding its journal into the file at the end of each open.
    let mut watcher = installation.connect();
    let as_of_tomorrow = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000');
        ALTER TABLE apps ADD COLUMN colour TEXT;";
    sql::execute(&mut watcher, as_of_tomorrow).unwrap();
    let before = content(&mut watcher);
    assert!(before.iter().any(|line| line.contains("29990101000000")));
    let bytes =
        || installation.is_sqlite().then(|| fs::read(installation.data_dir().join("argus.db")).unwrap());
    let file = bytes();

    let store = &installation.settings.store;
    for result in [Database::open(store, PRODUCTS).map(drop), installation.migrate_anew().map(drop)] {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, OpenError::NewerSchema { versions } if versions == &["29990101000000"]),
            "{error}"
        );
        assert!(error.to_string().contains("newer version of argus"), "{error}");
    }
    let error = installation.open(Clock::system()).unwrap_err();
    assert!(matches!(error, IdentityError::Store(OpenError::NewerSchema { .. })), "{error}");
    assert_eq!(content(&mut watcher), before);
    assert_eq!(bytes(), file);
}

async fn every_table_is_looked_for_when_the_database_is_checked(installation: Installation) {
    let (database, _identity) = installation.database_and_identity();
    let mut other = installation.connect();
    let tables = match other {
        AnyConnection::Pg(_) => {
            "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()"
        }
        AnyConnection::Sqlite(_) => "SELECT name AS line FROM sqlite_master WHERE type = 'table'",
    };
    let tables = sql::lines(&mut other, tables).unwrap();
    assert!(tables.len() > 4, "{tables:?}");
    for table in tables.iter().filter(|table| !table.starts_with("sqlite_")) {
        database.check().await.unwrap();
        sql::execute(&mut other, &format!("ALTER TABLE {table} RENAME TO elsewhere")).unwrap();
        let error = database.check().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.to_string().contains(table), "{table}: {error}");
        sql::execute(&mut other, &format!("ALTER TABLE elsewhere RENAME TO {table}")).unwrap();
    }
    database.check().await.unwrap();
}

async fn the_audit_trail_cannot_be_changed(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    for statement in ["UPDATE audit_events SET actor = 'somebody else'", "DELETE FROM audit_events"] {
        let attempt =
            move |tx: &mut argus_core::store::Tx<'_>| Ok::<_, Error>(sql::execute(tx.parts().0, statement)?);
        let error = identity.store().write(&admin, attempt).await.unwrap_err();
        let why = if installation.is_sqlite() { "append-only" } else { "permission denied" };
        assert!(error.to_string().contains(why), "{statement}: {error}");
        assert_eq!(error.kind(), Kind::Permanent);
        // Nor may whoever owns the tables.
        let refused = sql::execute(&mut installation.connect_as_owner(), statement).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
        assert!(error.to_string().contains("tests/store/schema.rs"), "the place where it arose: {error}");
    }
    let content = content(&mut installation.connect());
    assert!(content.iter().any(|line| line.contains("operator tenant.create")));
    let events = |reader: &mut argus_core::store::Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
    assert_eq!(identity.store().read(&admin, events).await.unwrap().len(), 1);
    tenants::create(identity.store(), identity.clock(), &"Another".parse().unwrap()).await.unwrap();
    assert_eq!(identity.store().read(&admin, events).await.unwrap().len(), 1, "of one tenant");
}

/// Every row of the tables that matter here, as text, with the columns that exist now.
pub(super) fn content(connection: &mut AnyConnection) -> Vec<String> {
    const QUERY: &str = "
        SELECT 'migration ' || version AS line FROM __diesel_schema_migrations
        UNION ALL SELECT 'app ' || client_id || ' ' || secret_hash || ' ' || name FROM apps
        UNION ALL SELECT 'tenant ' || tenant_id || ' ' || name FROM tenants
        UNION ALL SELECT 'event ' || id || ' ' || actor || ' ' || action FROM audit_events
        ORDER BY 1";
    sql::lines(connection, QUERY).unwrap()
}
