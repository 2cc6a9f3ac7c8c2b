//! SQL that a test says itself, on a connection of its own that the service does not know.

use argus_core::store::AnyConnection;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// What a query finds; its column is called `line`.
pub fn lines(connection: &mut AnyConnection, query: &str) -> QueryResult<Vec<String>> {
    let lines: Vec<Line> = match connection {
        AnyConnection::Pg(connection) => diesel::sql_query(query).load(connection)?,
        AnyConnection::Sqlite(connection) => diesel::sql_query(query).load(connection)?,
    };
    Ok(lines.into_iter().map(|line| line.line).collect())
}

/// A connection to the database at this URL. On SQLite it waits for the service, which writes in the background.
pub fn connect(url: &str) -> AnyConnection {
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
            AnyConnection::Sqlite(connection)
        }
        None => AnyConnection::Pg(PgConnection::establish(url).unwrap()),
    }
}

/// Runs statements.
pub fn execute(connection: &mut AnyConnection, statements: &str) -> QueryResult<()> {
    connection.batch_execute(statements)
}
