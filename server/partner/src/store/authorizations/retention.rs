//! What of authorizations is forgotten, and when: what can be of no use to anybody any more, a little at a time.

use super::SECOND;
use argus_core::store::AnyConnection;
use argus_core::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// For how long what has expired is still known, so that a use after its time is told from one of nothing: a day.
const KEPT: i64 = 24 * 3600 * SECOND;
/// How many rows go in one statement.
const BATCH: i64 = 500;

/// Each table with what names its rows. Families go last: nothing names them any more then.
const TABLES: [(&str, &str); 4] = [
    ("authorization_codes", "code_hash"),
    ("pushed_requests", "request_hash"),
    ("refresh_tokens", "token_hash"),
    ("token_families", "id"),
];

/// Removes some of what is over; says how much.
pub fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    let mut removed = 0;
    for (table, key) in TABLES {
        let text = format!(
            "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} \
             WHERE expires_at < argus_now() - CAST(? AS BIGINT) ORDER BY expires_at LIMIT ?)"
        );
        let statement = Statement::new(text).bind::<BigInt, _>(KEPT).bind::<BigInt, _>(BATCH);
        removed += on_engine!(connection, |inner| statement.execute(inner))?;
    }
    Ok(removed)
}
