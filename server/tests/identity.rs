//! The store and identity suite. Whatever touches the database runs on both engines: SQLite in a
//! directory of its own, and PostgreSQL in a database of its own when `ARGUS_TEST_POSTGRES_URL` names
//! a server (`ARGUS_REQUIRE_POSTGRES=1` makes its absence a failure).

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "identity/engine.rs"]
#[macro_use]
mod engine;

#[path = "identity/apps.rs"]
mod apps;
#[path = "identity/oauth.rs"]
mod oauth;
#[path = "identity/processes.rs"]
mod processes;
#[path = "identity/schema.rs"]
mod schema;
#[path = "identity/signing_keys.rs"]
mod signing_keys;
#[path = "identity/store.rs"]
mod store;
#[path = "identity/token_forgery.rs"]
mod token_forgery;
#[path = "identity/tokens.rs"]
mod tokens;
