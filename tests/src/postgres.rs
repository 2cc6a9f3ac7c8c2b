//! A PostgreSQL schema of a test's own, in the database that the environment names. A database would take
//! the server ten times as long to make and to remove.

use diesel::{Connection, PgConnection, RunQueryDsl};
use std::io::Write;
use std::sync::Once;

/// A schema; dropping it removes it.
pub(crate) struct PostgresSchema {
    database: String,
    name: String,
    /// Where the schema is the only one; connections by this URL carry its name.
    pub(crate) url: String,
}

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
        let name = format!("argus_test_{}", unique());
        execute(&database, &format!("CREATE SCHEMA {name}"));
        let mut url = url::Url::parse(&database).unwrap();
        url.query_pairs_mut()
            .append_pair("application_name", &name)
            .append_pair("options", &format!("-csearch_path={name}"));
        Some(Self { database, name, url: url.to_string() })
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
