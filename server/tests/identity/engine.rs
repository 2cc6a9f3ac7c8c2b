//! A database, a data directory and an identity for one test, on the engine that the test runs on.

use argus_openapi::types::apps::{AppCreate, AppCreated, GrantType};
use argus_openapi::types::scopes::Scope;
use argus_server::gate::Principal;
use argus_server::identity::{Identity, IdentitySettings, apps, tenants};
use diesel::{Connection, PgConnection, RunQueryDsl};
use std::fs;
use std::future::Future;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Once, OnceLock};
use tempfile::TempDir;
use ulid::Ulid;

/// Base URL of the sandbox host, as these tests call it.
pub(crate) const SANDBOX: &str = "http://sandbox.test";

/// Makes a test of each function for either engine: `sqlite::name` and `postgres::name`.
macro_rules! on_both_engines {
    ($($test:ident)+) => {
        mod sqlite {
            $(#[test] fn $test() { $crate::engine::run_on_sqlite(super::$test); })+
        }
        mod postgres {
            $(#[test] fn $test() { $crate::engine::run_on_postgres(super::$test); })+
        }
    };
}

/// Surroundings of one test; dropping it removes them.
pub(crate) struct Surroundings {
    pub(crate) settings: IdentitySettings,
    directory: TempDir,
    database: Option<PostgresDatabase>,
}

impl Surroundings {
    pub(crate) fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let settings = IdentitySettings::new(&directory.path().join("data"));
        Self { settings, directory, database: None }
    }

    fn postgres() -> Option<Self> {
        let database = PostgresDatabase::create()?;
        let mut surroundings = Self::sqlite();
        surroundings.settings.database_url.clone_from(&database.url);
        surroundings.database = Some(database);
        Some(surroundings)
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.database.is_none()
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// An identity whose first key was made beforehand, because making one takes long.
    pub(crate) fn identity(&self) -> Identity {
        if !self.settings.data_dir.exists() {
            place_keys(&self.settings.data_dir);
        }
        Identity::open(self.settings.clone()).unwrap()
    }
}

/// A database of its own on the server that the environment names.
struct PostgresDatabase {
    server: String,
    name: String,
    url: String,
}

impl PostgresDatabase {
    fn create() -> Option<Self> {
        let Ok(server) = std::env::var("ARGUS_TEST_POSTGRES_URL") else {
            let required = std::env::var("ARGUS_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "ARGUS_REQUIRE_POSTGRES=1, but ARGUS_TEST_POSTGRES_URL is not set");
            static ALOUD: Once = Once::new();
            // Not through `eprintln!`, which the test harness keeps to itself.
            ALOUD.call_once(|| {
                let text = "\nSKIPPED: the PostgreSQL half of the store suite, because \
                            ARGUS_TEST_POSTGRES_URL is not set\n\n";
                std::io::stderr().write_all(text.as_bytes()).unwrap();
            });
            return None;
        };
        let name = format!("argus_test_{}", unique());
        execute(&server, &format!("CREATE DATABASE {name}"));
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self { server, name, url: url.to_string() })
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn execute(url: &str, statement: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    diesel::sql_query(statement).execute(&mut connection).unwrap();
}

fn unique() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    Ulid::from_bytes(bytes).to_string().to_lowercase()
}

/// Lays a complete `keys` directory into a data directory that does not exist yet.
pub(crate) fn place_keys(data_dir: &Path) {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let directory = TempDir::new().unwrap();
        argus_server::identity::signing_keys::KeyRing::open(directory.path()).unwrap();
        let entries = fs::read_dir(directory.path().join("keys")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect()
    });
    let keys = data_dir.join("keys");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).unwrap();
    for (name, content) in files {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(keys.join(name)).unwrap();
        file.write_all(content).unwrap();
    }
}

pub(crate) fn run_on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Surroundings) -> F) {
    run(test(Surroundings::sqlite()));
}

pub(crate) fn run_on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Surroundings) -> F) {
    if let Some(surroundings) = Surroundings::postgres() {
        run(test(surroundings));
    }
}

pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}

/// An administrator of a new tenant.
pub(crate) async fn admin(identity: &Identity) -> Principal {
    let tenant = tenants::create(identity, "Example tenant").await.unwrap();
    Principal {
        scopes: vec![Scope::PlatformAdmin],
        client_id: "app_of_the_administrator".to_owned(),
        ..tenant.operator()
    }
}

/// A registration that is approved for `scopes` and may use client credentials.
pub(crate) fn registration(scopes: &[Scope]) -> AppCreate {
    AppCreate {
        name: "Case sync connector".to_owned(),
        grant_types: vec![GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        requested_scopes: scopes.to_vec(),
    }
}

pub(crate) async fn app(identity: &Identity, admin: &Principal, scopes: &[Scope]) -> AppCreated {
    apps::create(identity, admin, &registration(scopes)).await.unwrap_or_else(|problem| panic!("{problem}"))
}
