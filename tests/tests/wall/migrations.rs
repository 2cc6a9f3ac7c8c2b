//! Migrations reach the rows of every tenant as the owner of production does them: no superuser, and bound by forced
//! policies. A backfill that does not is a failure, and not a success that changed nothing.

use crate::store::migration_versions;
use argus_core::store::{AnyConnection, Backfill, Command, Database, Migrations, OpenError, Table};
use argus_server::service::PRODUCTS;
use argus_tests::{Installation, on_both_engines, run_on_postgres, sql};
use diesel_migrations::embed_migrations;
use std::path::Path;

on_both_engines! {
    a_backfill_that_finds_rows_and_changes_none_fails_the_run_and_nothing_is_changed
}

/// What a product of the tests' own brings.
static NOTES: Migrations = Migrations {
    tables: &[Table::of_tenants("notes", &[Command::Select], &[])],
    look_ups: &[],
    backfills: &[
        Backfill {
            version: "29991231000001",
            table: "notes",
            pending: "initial = ''",
            change: "initial = substr(text, 1, 1)",
        },
        Backfill {
            version: "29991231000001",
            table: "profiles",
            pending: "display_name = ''",
            change: "display_name = id",
        },
    ],
    postgres: embed_migrations!("tests/wall/notes/postgres"),
    sqlite: embed_migrations!("tests/wall/notes/sqlite"),
};

/// The products with that one.
fn with_notes() -> Vec<&'static Migrations> {
    PRODUCTS.iter().copied().chain([&NOTES]).collect()
}

/// A tenant with a row in each of the tables that a schema before the wall has.
const ROWS: &str = "
    INSERT INTO tenants VALUES ('$', 'Old', '2026-11-30 10:00:00');
    INSERT INTO organizations VALUES ('org_$', '$', 'Old', '2026-11-30 10:00:00');
    INSERT INTO audit_events (id, occurred_at, tenant_id, actor, action, subject, secrecy_level, occurrences) VALUES ('tenant_$', '2026-11-30 10:00:00', '$', 'operator', 'tenant.create', '$', 'standard', 1);
    INSERT INTO apps (client_id, tenant_id, organization_id, name, grant_types, redirect_uris, approved_scopes,
        allow_service_tokens, enforce_pkce, secret_hash, secret_rotated_at, created_at) VALUES ('app_$', '$', 'org_$', 'App', '[]', '[]', '[]', true, true, 'hash', '2026-11-30 10:00:00', '2026-11-30 10:00:00');
    INSERT INTO audit_events (id, occurred_at, tenant_id, actor, action, subject, secrecy_level, occurrences) VALUES ('app_$', '2026-11-30 10:00:00', '$', 'operator', 'app.create', 'app_$', 'standard', 1);
    INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, traceparent, status, max_attempts,
        created_at, updated_at) VALUES ('job_$', '$', 'org_$', 'operator', 'test.nothing', '{}', 'standard', '', 'queued', 1, 1, 1);
    INSERT INTO profiles (tenant_id, id, kind, display_name, secrecy_level, risk_score, relations, created_at, updated_at)
        VALUES ('$', 'p_$', 'wallet', '', 'standard', 1, '[]', 1, 1);
    INSERT INTO uploads VALUES ('upl_$', '$', 1);";

/// Puts two tenants there.
fn fill(connection: &mut AnyConnection) {
    for tenant in ["tnt_a", "tnt_b"] {
        sql::execute(connection, &ROWS.replace('$', tenant)).unwrap();
    }
}

/// What the migrations of [`NOTES`] are to make of these.
const MADE: &str = "SELECT 'app ' || name AS line FROM apps UNION ALL SELECT 'note ' || initial || ' ' || text FROM notes \
    UNION ALL SELECT 'profile ' || display_name FROM profiles ORDER BY 1";

/// The schema as it was before the wall, made by its owner.
fn before_the_wall(installation: &Installation) {
    let mut owner = installation.connect_as_owner();
    let noted = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    sql::execute(&mut owner, noted).unwrap();
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server");
    let entries =
        ["core", "partner"].map(|of| server.join(of).join("migrations/postgres").read_dir().unwrap());
    let mut directories: Vec<_> = entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    directories.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    let old =
        migration_versions(installation).into_iter().filter(|version| version.as_str() < "20261130000020");
    for (version, directory) in old.zip(directories) {
        sql::execute(&mut owner, &std::fs::read_to_string(directory.join("up.sql")).unwrap()).unwrap();
        let note = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
        sql::execute(&mut owner, &note).unwrap();
    }
}

#[test]
fn an_old_database_of_two_tenants_is_migrated_by_an_ordinary_owner_and_every_row_is_reached() {
    run_on_postgres(async |installation: Installation| {
        before_the_wall(&installation);
        fill(&mut installation.connect());
        let mut owner = installation.connect_as_owner();
        let may = "SELECT concat(rolsuper, rolbypassrls) AS line FROM pg_roles WHERE rolname = current_user";
        assert_eq!(sql::lines(&mut owner, may).unwrap(), ["ff"]);
        let rows = "SELECT id AS line FROM jobs";
        assert_eq!(sql::lines(&mut owner, rows).unwrap(), [""; 0], "policies bind the owner");

        let migrated = Database::migrate(&installation.settings.store, &with_notes()).unwrap();
        assert!(migrated.migrations.ends_with(&["29991231000000".to_owned(), "29991231000001".to_owned()]));
        let made = sql::lines(&mut installation.connect(), MADE).unwrap();
        assert_eq!(
            made,
            [
                "app App!",
                "app App!",
                "note j job_tnt_a",
                "note j job_tnt_b",
                "profile p_tnt_a",
                "profile p_tnt_b"
            ]
        );
        assert_eq!(sql::lines(&mut owner, rows).unwrap().len(), 2);
        let old = "SELECT policyname::text AS line FROM pg_policies WHERE schemaname = current_schema() \
            AND policyname NOT LIKE 'argus%' UNION ALL \
            SELECT proname::text FROM pg_proc WHERE proname = 'argus_may_touch' AND pronamespace = current_schema()::regnamespace";
        assert_eq!(sql::lines(&mut owner, old).unwrap(), [""; 0]);
        // The wall stands for what has just been made, too.
        let notes = "SELECT relforcerowsecurity::text AS line FROM pg_class WHERE oid = 'notes'::regclass";
        assert_eq!(sql::lines(&mut owner, notes).unwrap(), ["true"]);
    });
}

async fn a_backfill_that_finds_rows_and_changes_none_fails_the_run_and_nothing_is_changed(
    installation: Installation,
) {
    if installation.is_sqlite() {
        std::fs::create_dir_all(installation.data_dir()).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(installation.data_dir(), owner_only).unwrap();
    }
    installation.migrate_anew().unwrap();
    fill(&mut installation.connect());
    // Something keeps the change from the rows, and says nothing.
    let (hinder, let_pass) = if installation.is_sqlite() {
        let trigger = "CREATE TRIGGER hinder BEFORE UPDATE ON profiles BEGIN SELECT RAISE(IGNORE); END";
        (trigger, "DROP TRIGGER hinder")
    } else {
        let trigger = "CREATE FUNCTION hinder() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
            CREATE TRIGGER hinder BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION hinder()";
        (trigger, "DROP FUNCTION hinder CASCADE")
    };
    sql::execute(&mut installation.connect(), hinder).unwrap();
    let store = &installation.settings.store;
    let error = Database::migrate(store, &with_notes()).unwrap_err();
    assert!(matches!(error, OpenError::Backfill { table: "profiles", found: 2, changed: 0 }), "{error}");
    let names = "SELECT name AS line FROM apps";
    assert_eq!(sql::lines(&mut installation.connect(), names).unwrap(), ["App", "App"]);
    sql::execute(&mut installation.connect(), let_pass).unwrap();
    Database::migrate(store, &with_notes()).unwrap();
    assert_eq!(sql::lines(&mut installation.connect(), MADE).unwrap().len(), 6);
}
