//! The engines that a suite runs on: SQLite always, PostgreSQL when `ARGUS_TEST_POSTGRES_URL` names a
//! server. What a test begins with there is an [`Installation`], or what is made of one.

use crate::Installation;
use std::future::Future;

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

/// Runs a test on SQLite.
pub fn run_on_sqlite<S: From<Installation>, F: Future<Output = ()>>(test: impl FnOnce(S) -> F) {
    run(async { test(S::from(Installation::sqlite())).await });
}

/// Runs a test on PostgreSQL, where there is one.
pub fn run_on_postgres<S: From<Installation>, F: Future<Output = ()>>(test: impl FnOnce(S) -> F) {
    if let Some(installation) = Installation::postgres() {
        run(async { test(S::from(installation)).await });
    }
}

/// Runs a test on a runtime of its own.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}
