//! Facts about the installation that no tenant owns.

use super::connection::AnyConnection;
use super::engine;
use super::schema::installation;
use diesel::Connection;
use diesel::prelude::*;

/// Records `value` under `name` unless a value is there already, and returns the one that is.
pub(super) fn record_once(connection: &mut AnyConnection, name: &str, value: &str) -> QueryResult<String> {
    connection.transaction(|connection| {
        engine::insert_fact_once(connection, name, value)?;
        installation::table.find(name).select(installation::value).get_result(connection)
    })
}
