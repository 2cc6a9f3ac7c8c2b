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

/// The value under `name`.
pub(super) fn recorded(connection: &mut AnyConnection, name: &str) -> QueryResult<Option<String>> {
    installation::table.find(name).select(installation::value).get_result(connection).optional()
}

/// Replaces the value under `name` if it is `former`, in one statement; says whether it was.
pub(super) fn record_after(
    connection: &mut AnyConnection,
    name: &str,
    former: &str,
    value: &str,
) -> QueryResult<bool> {
    let row = installation::table.find(name).filter(installation::value.eq(former));
    Ok(diesel::update(row).set(installation::value.eq(value)).execute(connection)? > 0)
}
