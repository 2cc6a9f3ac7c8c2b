//! A store of the first version, whose one migration made the tables of core and product together, is
//! brought up to date and keeps what it holds.

use super::schema::content;
use crate::identity::oauth::authenticates;
use crate::identity::support::client_id;
use argus_core::pepper::Pepper;
use argus_core::{Clock, tenants};
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::scopes::Scope;
use argus_partner::apps;
use argus_tests::{Installation, on_both_engines, sql};

on_both_engines! {
    a_store_of_the_first_version_is_brought_up_to_date_with_its_apps
}

/// What diesel notes its migrations in.
const NOTED: &str = "
    CREATE TABLE __diesel_schema_migrations (
        version VARCHAR(50) PRIMARY KEY NOT NULL,
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    INSERT INTO __diesel_schema_migrations (version) VALUES ('20261122000001');";

const ROWS: &str = r#"
    INSERT INTO tenants VALUES ('tnt_old', 'Old tenant', '2026-11-22 10:00:00');
    INSERT INTO organizations VALUES ('org_old', 'tnt_old', 'Old tenant', '2026-11-22 10:00:00');
    INSERT INTO apps VALUES ('app_old', 'tnt_old', 'org_old', 'Old app', '["client_credentials"]', '[]',
        '["argus:jobs:read"]', true, true, 'HASH', '2026-11-22 10:00:01', '2026-11-22 10:00:01');
    INSERT INTO audit_events VALUES
        ('01J00000000000000000000000', '2026-11-22 10:00:00', 'tnt_old', 'operator', 'tenant.create', 'tnt_old', 'standard'),
        ('01J00000000000000000000001', '2026-11-22 10:00:01', 'tnt_old', 'app_admin', 'app.create', 'app_old', 'standard');"#;

async fn a_store_of_the_first_version_is_brought_up_to_date_with_its_apps(installation: Installation) {
    installation.place_keys();
    let pepper = Pepper::open(&installation.data_dir()).unwrap();
    let hash = pepper.hash_secret("app_old", "argus_secret_of_old");
    let tables = if installation.is_sqlite() {
        include_str!("first_version/sqlite.sql")
    } else {
        include_str!("first_version/postgres.sql")
    };
    if installation.is_sqlite() {
        std::fs::write(installation.data_dir().join("argus.db"), "").unwrap();
    }
    let mut old = installation.connect_as_owner();
    for statements in [tables, NOTED, &ROWS.replace("HASH", &hash)] {
        sql::execute(&mut old, statements).unwrap();
    }
    let before = content(&mut old);
    drop(old);

    let newer = super::migration_versions(&installation).split_off(1);
    assert_eq!(installation.migrate_anew().unwrap().migrations, newer);
    let mut after = content(&mut installation.connect());
    after.retain(|line| newer.iter().all(|version| *line != format!("migration {version}")));
    assert_eq!(after, before);

    let (_database, identity) = installation.open(Clock::system()).unwrap();
    let tenant = tenants::first(identity.store()).await.unwrap().unwrap();
    assert_eq!((tenant.tenant_id.as_str(), tenant.organization_id.as_str()), ("tnt_old", "org_old"));
    let operator = tenant.operator(identity.clock());
    let listed = apps::list(&identity, &operator, &PageQuery::default()).await.unwrap().apps;
    assert_eq!(listed, [apps::view(&identity, &operator, &client_id("app_old")).await.unwrap()]);
    assert_eq!(
        (listed[0].name.as_str(), &listed[0].requested_scopes[..]),
        ("Old app", &[Scope::JobsRead][..])
    );
    assert!(authenticates(&identity, "app_old", "argus_secret_of_old").await);
    assert!(!authenticates(&identity, "app_old", "argus_secret_of_another").await);
}
