//! Authorization codes: each leads to one family, once, within a minute.

use super::SECOND;
use super::families::FamilyId;
use argus_core::ids::ClientId;
use argus_core::store::Tx;
use argus_core::store::statement::{self, Statement, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

/// How long a code can be redeemed, in microseconds (RFC 6749, section 4.1.2, has ten minutes for the most).
const LIFETIME: i64 = 60 * SECOND;

/// What a code is bound to.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// Keyed hash of the code.
    pub code_hash: String,
    /// What it leads to.
    pub family_id: FamilyId,
    /// For whom it is.
    pub client_id: ClientId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the request said where, so that the exchange has to say it too (RFC 6749, section 4.1.3).
    pub is_redirect_uri_needed: bool,
    /// What the exchange has to prove that it knows (RFC 7636).
    pub code_challenge: Option<String>,
}

/// A code that was used up.
#[derive(Clone, Debug, QueryableByName)]
pub struct CodeRow {
    /// Keyed hash of the code.
    #[diesel(sql_type = Text)]
    pub code_hash: String,
    /// For whom it was.
    #[diesel(sql_type = Text)]
    pub client_id: ClientId,
    /// What it leads to.
    #[diesel(sql_type = Text)]
    pub family_id: FamilyId,
    /// Where it was sent.
    #[diesel(sql_type = Text)]
    pub redirect_uri: String,
    /// Whether the exchange has to say that.
    #[diesel(sql_type = Bool)]
    pub is_redirect_uri_needed: bool,
    /// What it has to prove that it knows.
    #[diesel(sql_type = Nullable<Text>)]
    pub code_challenge: Option<String>,
}

/// Keeps what a code is bound to.
pub fn insert(tx: &mut Tx<'_>, code: &NewCode) -> QueryResult<()> {
    const INSERT: &str = "INSERT INTO authorization_codes \
        (code_hash, tenant_id, family_id, client_id, redirect_uri, is_redirect_uri_needed, code_challenge, expires_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, argus_now() + ?)";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(&code.code_hash)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(&code.family_id)
        .bind::<Text, _>(&code.client_id)
        .bind::<Text, _>(&code.redirect_uri)
        .bind::<Bool, _>(code.is_redirect_uri_needed)
        .bind::<Nullable<Text>, _>(code.code_challenge.as_deref())
        .bind::<BigInt, _>(LIFETIME);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Uses up those of these codes that can still be used, each of its client, in no order.
pub fn redeem(tx: &mut Tx<'_>, brought: &[(&str, &ClientId)]) -> QueryResult<Vec<CodeRow>> {
    let (connection, tenant_id) = tx.parts();
    // By the hash the row is found; whose code it is, is part of the same condition, or two that come together could
    // use up each other's.
    let text = format!(
        "UPDATE authorization_codes SET redeemed_at = argus_now() \
         WHERE tenant_id = ? AND {} AND {} AND redeemed_at IS NULL AND expires_at > argus_now() \
         RETURNING code_hash, client_id, family_id, redirect_uri, is_redirect_uri_needed, code_challenge",
        statement::among(connection, "code_hash"),
        statement::among(connection, "code_hash || ' ' || client_id")
    );
    let hashes: Vec<&str> = brought.iter().map(|(hash, _)| *hash).collect();
    let pairs: Vec<String> = brought.iter().map(|(hash, client_id)| format!("{hash} {client_id}")).collect();
    let statement = Statement::new(text)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(statement::names(&hashes))
        .bind::<Text, _>(statement::names(&pairs));
    on_engine!(connection, |inner| statement.load(inner))
}

/// What a code of a client has led to that was used before.
pub fn find_redeemed(
    tx: &mut Tx<'_>,
    code_hash: &str,
    client_id: &ClientId,
) -> QueryResult<Option<FamilyId>> {
    const FIND: &str = "SELECT family_id FROM authorization_codes \
        WHERE code_hash = ? AND tenant_id = ? AND client_id = ? AND redeemed_at IS NOT NULL";
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(FIND).bind::<Text, _>(code_hash).bind::<Text, _>(tenant_id).bind::<Text, _>(client_id);
    let found: Option<Led> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    Ok(found.map(|led| led.family_id))
}

#[derive(QueryableByName)]
struct Led {
    #[diesel(sql_type = Text)]
    family_id: FamilyId,
}
