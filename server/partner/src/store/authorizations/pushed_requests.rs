//! Authorization requests that a client has pushed (RFC 9126): each is opened within its life, and leads to one code.
//! A browser that has opened it may take longer than that: people look for passwords.

use super::SECOND;
use argus_core::ids::ClientId;
use argus_core::store::Tx;
use argus_core::store::statement::{Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

/// How long a request waits to be opened, in seconds.
pub const LIFETIME_SECONDS: i64 = 90;
/// How long a browser that has opened it may take to come to an end, in microseconds.
const OPEN: i64 = 30 * 60 * SECOND;

/// Keeps a request.
pub fn insert(
    tx: &mut Tx<'_>,
    request_hash: &str,
    client_id: &ClientId,
    parameters: &str,
) -> QueryResult<()> {
    const INSERT: &str = "INSERT INTO pushed_requests (request_hash, tenant_id, client_id, parameters, expires_at) \
        VALUES (?, ?, ?, ?, argus_now() + ?)";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(request_hash)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(client_id)
        .bind::<Text, _>(parameters)
        .bind::<BigInt, _>(LIFETIME_SECONDS * SECOND);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

#[derive(QueryableByName)]
struct Parameters {
    #[diesel(sql_type = Text)]
    parameters: String,
}

/// Opens a request, for the first time or again in a browser that has opened it; its parameters, if it can be.
pub fn open(
    tx: &mut Tx<'_>,
    request_hash: &str,
    client_id: &ClientId,
    was_opened_here: bool,
) -> QueryResult<Option<String>> {
    const OPEN_IT: &str = "UPDATE pushed_requests SET \
            open_until = coalesce(open_until, argus_now() + CAST(? AS BIGINT)) \
        WHERE request_hash = ? AND tenant_id = ? AND client_id = ? AND spent_at IS NULL AND ( \
            expires_at > argus_now() OR (CAST(? AS BOOLEAN) AND open_until > argus_now())) \
        RETURNING parameters";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(OPEN_IT)
        .bind::<BigInt, _>(OPEN)
        .bind::<Text, _>(request_hash)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(client_id)
        .bind::<Bool, _>(was_opened_here);
    let opened: Option<Parameters> =
        on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    Ok(opened.map(|opened| opened.parameters))
}

/// Uses up a request, when its code is issued or refused; says whether it was there to be used.
pub fn spend(tx: &mut Tx<'_>, request_hash: &str) -> QueryResult<bool> {
    const SPEND: &str = "UPDATE pushed_requests SET spent_at = argus_now() \
        WHERE request_hash = ? AND tenant_id = ? AND spent_at IS NULL";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(SPEND).bind::<Text, _>(request_hash).bind::<Text, _>(tenant_id);
    Ok(on_engine!(connection, |inner| statement.execute(inner))? > 0)
}
