//! A PostgreSQL schema of a test's own, in the database that the environment names. A database would take
//! the server ten times as long to make and to remove. The roles are those of production, made once for the server:
//! nothing that is tested is a superuser.

use argus_core::store::DatabaseUrl;
use diesel::{Connection, PgConnection, RunQueryDsl};
use std::io::Write;
use std::sync::Once;

/// A schema; dropping it removes it.
pub(crate) struct PostgresSchema {
    database: String,
    pub(crate) name: String,
    /// Where the schema is the only one, for the superuser; connections by this URL carry its name.
    pub(crate) url: String,
}

/// Owns the schema.
const OWNER: &str = "argus_test_owner";
/// Serves requests.
const REQUESTS: &str = "argus_test_requests";
/// Serves every tenant.
const WORKER: &str = "argus_test_worker";

impl PostgresSchema {
    /// A fresh schema, or none without a database to make it in, unless there must be one.
    pub(crate) fn create() -> Option<Self> {
        let Ok(database) = std::env::var("ARGUS_TEST_POSTGRES_URL") else {
            let required = std::env::var("ARGUS_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "ARGUS_REQUIRE_POSTGRES=1, but ARGUS_TEST_POSTGRES_URL is not set");
            static ALOUD: Once = Once::new();
            // Not through `eprintln!`, which the test harness keeps to itself.
            ALOUD.call_once(|| {
                let text = "\nSKIPPED: the PostgreSQL half of the suite, because \
                            ARGUS_TEST_POSTGRES_URL is not set\n\n";
                std::io::stderr().write_all(text.as_bytes()).unwrap();
            });
            return None;
        };
        static ROLES: Once = Once::new();
        ROLES.call_once(|| make_roles(&database));
        let name = format!("argus_test_{}", unique());
        execute(&database, &format!("CREATE SCHEMA {name} AUTHORIZATION {OWNER}"));
        let mut url = url::Url::parse(&database).unwrap();
        url.query_pairs_mut()
            .append_pair("application_name", &name)
            .append_pair("options", &format!("-csearch_path={name}"));
        Some(Self { database, name, url: url.to_string() })
    }

    /// Where the owner migrates.
    pub(crate) fn owner_url(&self) -> DatabaseUrl {
        self.url_of(OWNER)
    }

    /// Where requests are served.
    pub(crate) fn requests_url(&self) -> DatabaseUrl {
        self.url_of(REQUESTS)
    }

    /// Where every tenant is served.
    pub(crate) fn worker_url(&self) -> DatabaseUrl {
        self.url_of(WORKER)
    }

    /// The same as another role, which has the password of the superuser, if there is any.
    fn url_of(&self, role: &str) -> DatabaseUrl {
        let mut url = url::Url::parse(&self.url).unwrap();
        url.set_username(role).unwrap();
        DatabaseUrl::from(url.to_string())
    }
}

/// Makes the roles, unless another process has, which may be at it at this moment.
fn make_roles(database: &str) {
    let password = url::Url::parse(database).unwrap().password().map_or(String::new(), |password| {
        let password = percent_encoding::percent_decode_str(password).decode_utf8().unwrap();
        format!(" PASSWORD '{}'", password.replace('\'', "''"))
    });
    for role in [OWNER, REQUESTS, WORKER] {
        execute(
            database,
            &format!(
                "DO $role$ BEGIN CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE{password}; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $role$"
            ),
        );
    }
}

impl Drop for PostgresSchema {
    fn drop(&mut self) {
        let Self { database, name, .. } = self;
        // A test that failed may have left transactions open.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name";
        execute(database, &format!("{end} = '{name}'"));
        execute(database, &format!("DROP SCHEMA {name} CASCADE"));
    }
}

fn execute(url: &str, statement: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    diesel::sql_query(statement).execute(&mut connection).unwrap();
}

fn unique() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    argus_wire::hex::encode(&bytes)
}
