//! Refresh tokens: each is used once, and its successor follows from it.

use super::SECOND;
use super::families::FamilyId;
use argus_core::store::statement::{Statement, on_engine};
use argus_core::store::{AnyConnection, Reader, Tx};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};

/// How long a token waits to be used, in microseconds: 30 days.
const LIFETIME: i64 = 30 * 24 * 3600 * SECOND;
/// For how long a token that was used may be used again, while its successor was not: the answer may have been lost, or
/// two threads of a client came at the same time. In microseconds.
const ALLOWANCE: i64 = 30 * SECOND;

/// A token that was looked for.
#[derive(Clone, Debug, QueryableByName)]
pub struct RefreshTokenRow {
    /// Its family.
    #[diesel(sql_type = Text)]
    pub family_id: FamilyId,
    /// Whether its time is not over.
    #[diesel(sql_type = Bool)]
    pub is_in_time: bool,
    /// Whether it was used.
    #[diesel(sql_type = Bool)]
    pub is_rotated: bool,
    /// Whether its use is so recent that it may be repeated, as far as time goes.
    #[diesel(sql_type = Bool)]
    pub is_rotated_now: bool,
}

/// Keeps a token, and which one it follows.
pub fn insert(
    tx: &mut Tx<'_>,
    token_hash: &str,
    family_id: &FamilyId,
    predecessor_hash: Option<&str>,
) -> QueryResult<()> {
    const INSERT: &str = "INSERT INTO refresh_tokens \
        (token_hash, tenant_id, family_id, predecessor_hash, expires_at) VALUES (?, ?, ?, ?, argus_now() + ?)";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(token_hash)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(family_id)
        .bind::<Nullable<Text>, _>(predecessor_hash)
        .bind::<BigInt, _>(LIFETIME);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Keeps the first tokens of families.
pub fn insert_first(tx: &mut Tx<'_>, tokens: &[(String, FamilyId)]) -> QueryResult<()> {
    let (connection, tenant_id) = tx.parts();
    match connection {
        AnyConnection::Pg(connection) => {
            // In one statement, because each costs a round trip.
            const INSERT: &str = "INSERT INTO refresh_tokens (token_hash, tenant_id, family_id, expires_at) \
                SELECT token_hash, ?, family_id, argus_now() + ? \
                FROM unnest(?::text[], ?::text[]) AS first (token_hash, family_id)";
            let hashes: Vec<&str> = tokens.iter().map(|(hash, _)| hash.as_str()).collect();
            let families: Vec<&str> = tokens.iter().map(|(_, family_id)| family_id.as_str()).collect();
            let statement = Statement::new(INSERT)
                .bind::<Text, _>(tenant_id)
                .bind::<BigInt, _>(LIFETIME)
                .bind::<Array<Text>, _>(hashes)
                .bind::<Array<Text>, _>(families);
            statement.execute(connection).map(drop)
        }
        AnyConnection::Sqlite(_) => {
            tokens.iter().try_for_each(|(hash, family_id)| insert(tx, hash, family_id, None))
        }
    }
}

/// Uses a token for the first time, if it can be; its family is what follows.
pub fn rotate(tx: &mut Tx<'_>, token_hash: &str) -> QueryResult<Option<FamilyId>> {
    const ROTATE: &str = "UPDATE refresh_tokens SET rotated_at = argus_now() \
        WHERE token_hash = ? AND tenant_id = ? AND rotated_at IS NULL AND expires_at > argus_now() RETURNING family_id";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(ROTATE).bind::<Text, _>(token_hash).bind::<Text, _>(tenant_id);
    let rotated: Option<Rotated> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    Ok(rotated.map(|rotated| rotated.family_id))
}

#[derive(QueryableByName)]
struct Rotated {
    #[diesel(sql_type = Text)]
    family_id: FamilyId,
}

/// The token with this hash.
pub fn find(reader: &mut Reader<'_>, token_hash: &str) -> QueryResult<Option<RefreshTokenRow>> {
    const FIND: &str = "SELECT family_id, expires_at > argus_now() AS is_in_time, \
        rotated_at IS NOT NULL AS is_rotated, \
        coalesce(rotated_at > argus_now() - CAST(? AS BIGINT), FALSE) AS is_rotated_now \
        FROM refresh_tokens WHERE token_hash = ? AND tenant_id = ?";
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(FIND)
        .bind::<BigInt, _>(ALLOWANCE)
        .bind::<Text, _>(token_hash)
        .bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.get_result(inner)).optional()
}
