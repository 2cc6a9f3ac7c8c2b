//! A PostgreSQL database of a test's own, on the server that the environment names.

use diesel::{Connection, PgConnection, RunQueryDsl};
use std::io::Write;
use std::sync::Once;

/// A database; dropping it removes it.
pub(crate) struct PostgresDatabase {
    server: String,
    name: String,
    pub(crate) url: String,
}

impl PostgresDatabase {
    /// A fresh database, or none without a server to make it on, unless there must be one.
    pub(crate) fn create() -> Option<Self> {
        let Ok(server) = std::env::var("ARGUS_TEST_POSTGRES_URL") else {
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
    argus_wire::hex::encode(&bytes)
}
