//! Who may be which role: a service is refused, by the name of its role, when the wall would not hold it.

use super::Two;
use crate::black_box::support::binary;
use argus_core::store::{Database, DatabaseUrl, OpenError, StoreSettings};
use argus_server::service::PRODUCTS;
use argus_tests::{Installation, TestProcess, name_database, open_command, run_on_postgres, sql};
use std::process::Output;
use tempfile::TempDir;

/// The URL with another user.
fn as_user(url: &DatabaseUrl, user: &str) -> DatabaseUrl {
    let mut url = url::Url::parse(url.expose()).unwrap();
    url.set_username(user).unwrap();
    DatabaseUrl::from(url.to_string())
}

/// `argus serve` with these settings of the database.
fn serve(installation: &Installation, store: &StoreSettings) -> Output {
    let mut command = open_command(binary());
    name_database(&mut command, store);
    let addresses = ["--auth-addr", "--api-addr", "--sandbox-addr"].map(|name| [name, "127.0.0.1:0"]);
    command
        .arg("serve")
        .args(addresses.as_flattened())
        .args(["--objects", &format!("file://{}?shared=true", installation.scratch().display())])
        .env("ARGUS_DATA_DIR", installation.data_dir())
        .output()
        .unwrap()
}

/// Asserts that `serve` is refused with one line that has all of these texts.
#[track_caller]
fn assert_refused(installation: &Installation, store: &StoreSettings, texts: &[&str]) {
    let output = serve(installation, store);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("argus: ") && said.lines().count() == 1, "{said}");
    for text in texts {
        assert!(said.contains(text), "{text}: {said}");
    }
}

/// A role of the test's own, which ends with it.
struct Role<'i> {
    installation: &'i Installation,
    name: String,
}

impl<'i> Role<'i> {
    fn make(installation: &'i Installation, kind: &str, attributes: &str) -> Self {
        let mut superuser = installation.connect();
        let schema = sql::lines(&mut superuser, "SELECT current_schema()::text AS line").unwrap().remove(0);
        let name = format!("{schema}_{kind}");
        sql::execute(&mut superuser, &format!("CREATE ROLE {name} LOGIN {attributes}")).unwrap();
        Self { installation, name }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        let end = format!("DROP OWNED BY {name}; DROP ROLE {name}");
        sql::execute(&mut self.installation.connect(), &end).unwrap();
    }
}

#[test]
fn a_service_whose_role_the_wall_does_not_hold_is_refused_by_name() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let (installation, store) = (&two.installation, &two.installation.settings.store);
        let worker = store.worker_url.clone().unwrap();
        let superuser = DatabaseUrl::from(installation.superuser_url());
        let name = url::Url::parse(superuser.expose()).unwrap().username().to_owned();
        let bypasses = Role::make(installation, "bypass", "BYPASSRLS");
        let member = Role::make(installation, "member", "NOINHERIT IN ROLE argus_test_owner");
        let joined = Role::make(installation, "joined", "IN ROLE argus_test_worker, argus_test_requests");
        let maker = Role::make(installation, "maker", "CREATEROLE");
        for (role, fault) in [
            (&*name, "is a superuser"),
            (&bypasses.name, "may bypass row-level security"),
            ("argus_test_owner", "owner of the table `__diesel_schema_migrations`"),
            (&member.name, "owner of the table `__diesel_schema_migrations`"),
            (&joined.name, "can become the role `argus_test_requests`"),
            (&maker.name, "may make roles"),
        ] {
            let named = format!("`{role}`");
            let requests = StoreSettings { url: as_user(&store.url, role), ..store.clone() };
            assert_refused(installation, &requests, &[&named, fault]);
            let every_tenant = StoreSettings { worker_url: Some(as_user(&worker, role)), ..store.clone() };
            assert_refused(installation, &every_tenant, &[&named, fault]);
        }
    });
}

#[test]
fn a_service_without_a_worker_or_with_one_role_for_both_is_told_what_to_do() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let (installation, store) = (&two.installation, &two.installation.settings.store);
        let alone = StoreSettings { worker_url: None, ..store.clone() };
        assert_refused(installation, &alone, &["ARGUS_DATABASE_WORKER_URL", "server/deploy/README.md"]);
        let both = StoreSettings { worker_url: Some(store.url.clone()), ..store.clone() };
        assert_refused(installation, &both, &["`argus_test_requests`", "every tenant"]);
    });
}

#[test]
fn a_service_does_not_migrate_and_says_who_does() {
    run_on_postgres(async |installation: Installation| {
        installation.place_keys();
        let store = &installation.settings.store;
        assert_refused(&installation, store, &["run `argus migrate`", "ARGUS_DATABASE_OWNER_URL"]);
        let tables = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()";
        assert_eq!(sql::lines(&mut installation.connect(), tables).unwrap(), [""; 0]);
        installation.migrate();
        // One migration short.
        let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261130000020'";
        sql::execute(&mut installation.connect(), forget).unwrap();
        assert_refused(&installation, store, &["it lacks 20261130000020", "run `argus migrate`"]);
    });
}

#[test]
fn a_migration_takes_an_owner_and_two_roles_that_the_wall_holds() {
    run_on_postgres(async |installation: Installation| {
        installation.place_keys();
        let store = &installation.settings.store;
        let refused = |store: &StoreSettings| Database::migrate(store, PRODUCTS).unwrap_err().to_string();
        let no_owner = refused(&StoreSettings { owner_url: None, ..store.clone() });
        assert!(no_owner.contains("ARGUS_DATABASE_OWNER_URL"), "{no_owner}");
        let no_worker = refused(&StoreSettings { worker_url: None, ..store.clone() });
        assert!(no_worker.contains("ARGUS_DATABASE_WORKER_URL"), "{no_worker}");
        let owner = store.owner_url.clone().unwrap();
        let owner_serves = refused(&StoreSettings { url: owner.clone(), ..store.clone() });
        assert!(owner_serves.contains("`argus_test_owner`"), "{owner_serves}");
        let owner_works = refused(&StoreSettings { worker_url: Some(owner), ..store.clone() });
        assert!(owner_works.contains("`argus_test_owner`"), "{owner_works}");
        let unknown = refused(&StoreSettings { url: as_user(&store.url, "nobody\"s"), ..store.clone() });
        assert!(unknown.contains("`nobody\"s` does not exist"), "{unknown}");
        let superuser = DatabaseUrl::from(installation.superuser_url());
        let unbound = refused(&StoreSettings { url: superuser, ..store.clone() });
        assert!(unbound.contains("is a superuser"), "{unbound}");
        let same = refused(&StoreSettings { worker_url: Some(store.url.clone()), ..store.clone() });
        assert!(same.contains("`argus_test_requests`"), "{same}");
    });
}

#[test]
fn argus_migrate_says_what_it_did_and_afterwards_that_there_is_nothing_to_do() {
    run_on_postgres(async |installation: Installation| {
        installation.place_keys();
        let migrate = || {
            let mut command = open_command(binary());
            name_database(&mut command, &installation.settings.store);
            let output =
                command.arg("migrate").env("ARGUS_DATA_DIR", installation.data_dir()).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let said = migrate();
        assert!(said.contains("applied 20261130000020\n"), "{said}");
        assert!(said.contains("set ALTER TABLE tenants FORCE ROW LEVEL SECURITY\n"), "{said}");
        assert!(
            said.contains("set GRANT SELECT, INSERT ON audit_events TO \"argus_test_requests\"\n"),
            "{said}"
        );
        assert_eq!(migrate(), "the store already has the schema of this version\n");
    });
}

#[test]
fn a_superuser_may_develop_and_is_told_so() {
    run_on_postgres(async |installation: Installation| {
        let url = installation.superuser_url();
        let process = TestProcess::start(binary(), &["dev", "--database-url", &url], TempDir::new().unwrap());
        process.await_log("row-level security does not hold this database role");
        let tenancy = process.tenancy();
        tenancy.get("/v1/platform/apps").await.expect(200);
        let refused = StoreSettings { require_wall: true, ..StoreSettings::new(DatabaseUrl::from(url)) };
        let error = Database::open(&refused, PRODUCTS).unwrap_err();
        assert!(matches!(error, OpenError::Role { .. }), "{error}");
        process.stop();
    });
}

#[test]
fn a_database_of_one_role_becomes_one_of_three_when_its_role_is_the_owner() {
    run_on_postgres(async |installation: Installation| {
        // As a superuser has made it in development.
        let superuser = StoreSettings::new(DatabaseUrl::from(installation.superuser_url()));
        drop(Database::open(&superuser, PRODUCTS).unwrap());
        let give = "DO $$ DECLARE t RECORD; BEGIN FOR t IN SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r' \
            AND relnamespace = current_schema()::regnamespace LOOP \
            EXECUTE format('ALTER TABLE %s OWNER TO argus_test_owner', t.name); END LOOP; \
            FOR t IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = current_schema()::regnamespace LOOP \
            EXECUTE format('ALTER FUNCTION %s OWNER TO argus_test_owner', t.name); END LOOP; END $$";
        sql::execute(&mut installation.connect(), give).unwrap();
        assert!(!installation.migrate_anew().unwrap().wall.is_empty());
        drop(Two::open(installation).await);
    });
}
