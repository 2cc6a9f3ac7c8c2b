//! Facts about the installation that no tenant owns.

use super::connection::AnyConnection;
use super::schema::installation;
use diesel::prelude::*;

/// Records `value` under `name` unless a value is there already, and returns the one that is.
pub fn record_once(connection: &mut AnyConnection, name: &str, value: &str) -> QueryResult<String> {
    connection.write(|connection| {
        let row = (installation::name.eq(name), installation::value.eq(value));
        // ON CONFLICT has no common form for both engines.
        match connection {
            AnyConnection::Pg(connection) => diesel::insert_into(installation::table)
                .values(row)
                .on_conflict_do_nothing()
                .execute(connection)?,
            AnyConnection::Sqlite(connection) => {
                diesel::insert_or_ignore_into(installation::table).values(row).execute(connection)?
            }
        };
        installation::table.find(name).select(installation::value).first(connection)
    })
}
