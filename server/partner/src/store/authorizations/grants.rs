//! Consent: which scopes a user has allowed an app.

use argus_core::ids::{ClientId, UserId};
use argus_core::store::statement::{Statement, on_engine};
use argus_core::store::{Reader, Tx};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// What a user has allowed an app.
#[derive(Clone, Debug, QueryableByName)]
pub struct GrantRow {
    /// The app.
    #[diesel(sql_type = Text)]
    pub client_id: ClientId,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// JSON array of scopes.
    #[diesel(sql_type = Text)]
    pub scopes: String,
    /// When the user last consented, in microseconds.
    #[diesel(sql_type = BigInt)]
    pub updated_at: i64,
}

#[derive(QueryableByName)]
struct Scopes {
    #[diesel(sql_type = Text)]
    scopes: String,
}

/// The scopes that the user has allowed the app, as a JSON array.
pub fn find(reader: &mut Reader<'_>, user_id: &UserId, client_id: &ClientId) -> QueryResult<Option<String>> {
    const FIND: &str = "SELECT scopes FROM grants WHERE tenant_id = ? AND user_id = ? AND client_id = ?";
    let (connection, tenant_id) = reader.parts();
    let statement =
        Statement::new(FIND).bind::<Text, _>(tenant_id).bind::<Text, _>(user_id).bind::<Text, _>(client_id);
    let found: Option<Scopes> = on_engine!(connection, |inner| statement.get_result(inner)).optional()?;
    Ok(found.map(|found| found.scopes))
}

/// What the user has allowed, to which apps, the latest first.
pub fn list(reader: &mut Reader<'_>, user_id: &UserId) -> QueryResult<Vec<GrantRow>> {
    const LIST: &str = "SELECT grants.client_id, apps.name, grants.scopes, grants.updated_at \
        FROM grants JOIN apps ON apps.client_id = grants.client_id \
        WHERE grants.tenant_id = ? AND apps.tenant_id = grants.tenant_id AND user_id = ? \
        ORDER BY grants.updated_at DESC, grants.client_id";
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(LIST).bind::<Text, _>(tenant_id).bind::<Text, _>(user_id);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Writes that the user allows the app these scopes, and no others.
pub fn set(tx: &mut Tx<'_>, user_id: &UserId, client_id: &ClientId, scopes: &str) -> QueryResult<()> {
    const SET: &str = "INSERT INTO grants (tenant_id, user_id, client_id, scopes, created_at, updated_at) \
        VALUES (?, ?, ?, ?, argus_now(), argus_now()) ON CONFLICT (tenant_id, user_id, client_id) \
        DO UPDATE SET scopes = excluded.scopes, updated_at = excluded.updated_at";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(SET)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(user_id)
        .bind::<Text, _>(client_id)
        .bind::<Text, _>(scopes);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// The user allows no app anything any more.
pub fn delete_all(tx: &mut Tx<'_>, user_id: &UserId) -> QueryResult<()> {
    const DELETE: &str = "DELETE FROM grants WHERE tenant_id = ? AND user_id = ?";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(DELETE).bind::<Text, _>(tenant_id).bind::<Text, _>(user_id);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// The user allows the app nothing any more; says whether there was anything.
pub fn delete(tx: &mut Tx<'_>, user_id: &UserId, client_id: &ClientId) -> QueryResult<bool> {
    const DELETE: &str = "DELETE FROM grants WHERE tenant_id = ? AND user_id = ? AND client_id = ?";
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(DELETE).bind::<Text, _>(tenant_id).bind::<Text, _>(user_id).bind::<Text, _>(client_id);
    Ok(on_engine!(connection, |inner| statement.execute(inner))? > 0)
}
