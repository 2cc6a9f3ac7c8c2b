//! The engines that a suite runs on: SQLite always, PostgreSQL when `ARGUS_TEST_POSTGRES_URL` names a
//! server. Each server under test has a database of its own, which ends with it.

use crate::TestServer;
use diesel::{Connection, PgConnection, RunQueryDsl};
use std::future::Future;
use std::io::Write;
use std::sync::Once;

/// Makes a test of each function for either engine: `sqlite::name` and `postgres::name`.
#[macro_export]
macro_rules! on_both_engines {
    ($($test:ident)+) => {
        mod sqlite {
            $(#[test] fn $test() { $crate::run_on_sqlite(super::$test); })+
        }
        mod postgres {
            $(#[test] fn $test() { $crate::run_on_postgres(super::$test); })+
        }
    };
}

/// A PostgreSQL database; dropping it removes it.
pub struct Database {
    server: String,
    name: String,
    /// Where the database is.
    pub url: String,
}

impl Database {
    /// A fresh database, or none without a server to make it on.
    ///
    /// # Panics
    ///
    /// When `ARGUS_REQUIRE_POSTGRES=1` and there is no server.
    pub fn create() -> Option<Self> {
        let Ok(server) = std::env::var("ARGUS_TEST_POSTGRES_URL") else {
            let required = std::env::var("ARGUS_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "ARGUS_REQUIRE_POSTGRES=1, but ARGUS_TEST_POSTGRES_URL is not set");
            static ALOUD: Once = Once::new();
            // Not through `eprintln!`, which the test harness keeps to itself.
            ALOUD.call_once(|| {
                let text = "\nSKIPPED: the PostgreSQL half of the black-box suite, because \
                            ARGUS_TEST_POSTGRES_URL is not set\n\n";
                std::io::stderr().write_all(text.as_bytes()).unwrap();
            });
            return None;
        };
        let name = format!("argus_black_box_{}", unique());
        execute(&server, &format!("CREATE DATABASE {name}"));
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self { server, name, url: url.to_string() })
    }
}

impl Drop for Database {
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

/// Runs a test against a server on SQLite.
pub fn run_on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(TestServer) -> F) {
    run(async { test(TestServer::start()).await });
}

/// Runs a test against a server on PostgreSQL, where there is one.
pub fn run_on_postgres<F: Future<Output = ()>>(test: impl FnOnce(TestServer) -> F) {
    if let Some(database) = Database::create() {
        run(async { test(TestServer::start_on(Some(database))).await });
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}
