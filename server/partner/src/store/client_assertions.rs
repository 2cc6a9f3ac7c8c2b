//! Client assertions that were used: each is good once, on whichever node, until it has expired.

use super::authorizations::SECOND;
use argus_core::store::statement::{Statement, on_engine};
use argus_core::store::{AnyConnection, Tx};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// For how long an assertion that has expired is still known, in microseconds: the clocks of nodes and database differ.
const KEPT: i64 = 3600 * SECOND;
/// How many rows go in one statement.
const BATCH: i64 = 500;

/// Uses up an assertion with this keyed hash, which expires at that second since 1970; says whether it was there to be
/// used. Of two at the same time, one waits for the other to commit.
pub fn spend(tx: &mut Tx<'_>, assertion_hash: &str, expires_at: i64) -> QueryResult<bool> {
    const SPEND: &str = "INSERT INTO client_assertions (assertion_hash, tenant_id, expires_at) VALUES (?, ?, ?) \
        ON CONFLICT DO NOTHING";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(SPEND)
        .bind::<Text, _>(assertion_hash)
        .bind::<Text, _>(tenant_id)
        .bind::<BigInt, _>(expires_at.saturating_mul(SECOND));
    Ok(on_engine!(connection, |inner| statement.execute(inner))? > 0)
}

/// Forgets some of those that have expired; says how many.
pub fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    const SWEEP: &str = "DELETE FROM client_assertions WHERE assertion_hash IN ( \
        SELECT assertion_hash FROM client_assertions WHERE expires_at < argus_now() - CAST(? AS BIGINT) \
        ORDER BY expires_at LIMIT ?)";
    let statement = Statement::new(SWEEP).bind::<BigInt, _>(KEPT).bind::<BigInt, _>(BATCH);
    on_engine!(connection, |inner| statement.execute(inner))
}
