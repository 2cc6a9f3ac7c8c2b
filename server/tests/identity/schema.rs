//! Migrations: applied once, by whoever comes first, and never over a newer schema.

use crate::engine::{Surroundings, admin, app};
use argus_openapi::types::scopes::Scope;
use argus_server::identity::{Identity, IdentityError};
use argus_server::store::{AnyConnection, Store, StoreError};
use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl};
use std::fs;

on_both_engines! {
    migrations_are_applied_once_and_named
    a_store_of_a_newer_schema_is_refused_and_left_as_it_was
    the_audit_trail_cannot_be_changed
}

async fn migrations_are_applied_once_and_named(surroundings: Surroundings) {
    let url = surroundings.settings.database_url.as_str();
    assert_eq!(Store::migrate(url).unwrap(), ["20261122000001"]);
    assert_eq!(Store::migrate(url).unwrap(), Vec::<String>::new());
    Store::open(url).unwrap().ping().await.unwrap();
}

async fn a_store_of_a_newer_schema_is_refused_and_left_as_it_was(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    app(&identity, &admin, &[Scope::JobsRead]).await;
    let url = surroundings.settings.database_url.clone();
    let as_of_tomorrow = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000');
        ALTER TABLE apps ADD COLUMN colour TEXT;";
    let statements = move |connection: &mut AnyConnection| Ok(connection.batch_execute(as_of_tomorrow)?);
    identity.store().run(statements).await.unwrap();
    let before = content(identity.store()).await;
    assert!(before.iter().any(|line| line.contains("29990101000000")));
    // A second connection keeps SQLite from folding its journal into the file at the end of each open.
    let watcher = identity.store().clone();
    let bytes = || {
        surroundings.is_sqlite().then(|| fs::read(surroundings.settings.data_dir.join("argus.db")).unwrap())
    };
    let file = bytes();

    for result in [Store::open(&url).map(drop), Store::migrate(&url).map(drop)] {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, StoreError::NewerSchema { versions } if versions == &["29990101000000"]),
            "{error}"
        );
        assert!(error.to_string().contains("newer version of argus"), "{error}");
    }
    let error = Identity::open(surroundings.settings.clone()).unwrap_err();
    assert!(matches!(error, IdentityError::Store(StoreError::NewerSchema { .. })), "{error}");
    assert_eq!(content(&watcher).await, before);
    assert_eq!(bytes(), file);
}

async fn the_audit_trail_cannot_be_changed(surroundings: Surroundings) {
    let identity = surroundings.identity();
    admin(&identity).await;
    for statement in ["UPDATE audit_events SET actor = 'somebody else'", "DELETE FROM audit_events"] {
        let attempt = move |connection: &mut AnyConnection| Ok(connection.batch_execute(statement)?);
        let problem = identity.store().run(attempt).await.unwrap_err();
        assert!(problem.cause.unwrap().to_string().contains("append-only"), "{statement}");
    }
    assert!(content(identity.store()).await.iter().any(|line| line.contains("operator tenant.create")));
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// Every row of the tables that matter here, as text, with the columns that exist now.
async fn content(store: &Store) -> Vec<String> {
    const QUERY: &str = "
        SELECT 'migration ' || version AS line FROM __diesel_schema_migrations
        UNION ALL SELECT 'app ' || client_id || ' ' || secret_hash || ' ' || name FROM apps
        UNION ALL SELECT 'tenant ' || tenant_id || ' ' || name FROM tenants
        UNION ALL SELECT 'event ' || id || ' ' || actor || ' ' || action FROM audit_events
        ORDER BY 1";
    let read = |connection: &mut AnyConnection| {
        let lines: Vec<Line> = match connection {
            AnyConnection::Pg(connection) => diesel::sql_query(QUERY).load(connection)?,
            AnyConnection::Sqlite(connection) => diesel::sql_query(QUERY).load(connection)?,
        };
        Ok(lines.into_iter().map(|line| line.line).collect())
    };
    store.run(read).await.unwrap()
}
