//! Families of tokens: all that one authorization code leads to. A family ends as a whole, and with it its access tokens.

use argus_core::ids::{ClientId, UserId};
use argus_core::store::statement::{self, Statement, on_engine};
use argus_core::store::{Reader, Tx};
use argus_core::users::{USER_COLUMNS, UserRow};
use argus_core::{revocations, typed_id};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

typed_id! {
    /// The tokens that one authorization code leads to.
    FamilyId = "fam"
}

/// A family, whatever has become of it.
#[derive(Clone, Debug, QueryableByName)]
pub struct FamilyRow {
    /// Its identifier, which its access tokens name.
    #[diesel(sql_type = Text)]
    pub id: FamilyId,
    /// Whose tokens.
    #[diesel(sql_type = Text)]
    pub client_id: ClientId,
}

/// A family whose tokens count, and on whose behalf they are.
#[derive(Clone, QueryableByName)]
pub struct StandingFamilyRow {
    /// Its identifier.
    #[diesel(sql_type = Text)]
    pub id: FamilyId,
    /// Whose tokens.
    #[diesel(sql_type = Text)]
    pub client_id: ClientId,
    /// JSON array of the scopes that were granted.
    #[diesel(sql_type = Text)]
    pub granted_scopes: String,
    /// Who has granted them.
    #[diesel(embed)]
    pub user: UserRow,
}

/// A family that begins.
#[derive(Clone, Debug)]
pub struct NewFamily {
    /// Its identifier.
    pub id: FamilyId,
    /// On whose behalf.
    pub user_id: UserId,
    /// The browser's session in which the user allowed it.
    pub session_id: String,
    /// Whose tokens.
    pub client_id: ClientId,
    /// JSON array of scopes.
    pub scopes: String,
}

/// Begins a family.
pub fn insert(tx: &mut Tx<'_>, family: &NewFamily) -> QueryResult<()> {
    const INSERT: &str = "INSERT INTO token_families \
        (id, tenant_id, user_id, session_id, client_id, scopes, created_at, expires_at) \
        VALUES (?, ?, ?, ?, ?, ?, argus_now(), argus_now() + ?)";
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(INSERT)
        .bind::<Text, _>(&family.id)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(&family.user_id)
        .bind::<Text, _>(&family.session_id)
        .bind::<Text, _>(&family.client_id)
        .bind::<Text, _>(&family.scopes)
        .bind::<BigInt, _>(revocations::LONGEST_GRANT);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// The family with this identifier.
pub fn find(reader: &mut Reader<'_>, id: &FamilyId) -> QueryResult<Option<FamilyRow>> {
    const FIND: &str = "SELECT id, client_id FROM token_families WHERE id = ? AND tenant_id = ?";
    let (connection, tenant_id) = reader.parts();
    let statement = Statement::new(FIND).bind::<Text, _>(id).bind::<Text, _>(tenant_id);
    on_engine!(connection, |inner| statement.get_result(inner)).optional()
}

/// Those of these families that have not ended, and whose user is not disabled, in no order. A new password ends what
/// was allowed under the former one, and so does being disabled for a while; the same holds for an app.
pub fn standing(reader: &mut Reader<'_>, ids: &[&FamilyId]) -> QueryResult<Vec<StandingFamilyRow>> {
    let (connection, tenant_id) = reader.parts();
    let text = format!(
        "SELECT token_families.id, token_families.client_id, token_families.scopes AS granted_scopes, {USER_COLUMNS} \
         FROM token_families JOIN users \
             ON users.user_id = token_families.user_id AND users.tenant_id = token_families.tenant_id \
         WHERE token_families.tenant_id = ? AND {} \
         AND token_families.ended_at IS NULL AND token_families.expires_at > argus_now() \
         AND users.disabled_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM revocations WHERE revocations.tenant_id = token_families.tenant_id \
             AND revocations.subject IN (token_families.user_id, token_families.client_id) \
             AND revocations.not_before >= token_families.created_at)",
        statement::among(connection, "token_families.id")
    );
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let statement = Statement::new(text).bind::<Text, _>(tenant_id).bind::<Text, _>(statement::names(&ids));
    on_engine!(connection, |inner| statement.load(inner))
}

/// Families that end together.
#[derive(Clone, Copy, Debug)]
pub enum Which<'w> {
    /// One of them.
    Family(&'w FamilyId),
    /// What an app may do on a user's behalf.
    OfGrant(&'w UserId, &'w ClientId),
    /// What a user has allowed any app.
    OfUser(&'w UserId),
    /// What a user has allowed in a browser's session.
    OfSession(&'w UserId, &'w str),
    /// What any user has allowed an app.
    OfClient(&'w ClientId),
}

impl<'w> Which<'w> {
    /// The columns that tell them from others, with their values. Where one does, it stands there twice.
    fn columns(self) -> [(&'static str, &'w str); 2] {
        match self {
            Self::Family(id) => [("id", id.as_str()); 2],
            Self::OfGrant(user, client) => [("user_id", user.as_str()), ("client_id", client.as_str())],
            Self::OfUser(user) => [("user_id", user.as_str()); 2],
            Self::OfSession(user, session) => [("user_id", user.as_str()), ("session_id", session)],
            Self::OfClient(client) => [("client_id", client.as_str()); 2],
        }
    }
}

/// Ends families, and with them their access tokens; says whether any was alive.
pub fn end(tx: &mut Tx<'_>, which: Which<'_>) -> QueryResult<bool> {
    let [(first, of_first), (second, of_second)] = which.columns();
    let text = format!(
        "UPDATE token_families SET ended_at = argus_now() WHERE tenant_id = ? AND {first} = ? AND {second} = ? \
         AND ended_at IS NULL RETURNING id"
    );
    let (connection, tenant_id) = tx.parts();
    let statement =
        Statement::new(text).bind::<Text, _>(tenant_id).bind::<Text, _>(of_first).bind::<Text, _>(of_second);
    let ended: Vec<Ended> = on_engine!(connection, |inner| statement.load(inner))?;
    let ids: Vec<&str> = ended.iter().map(|Ended { id }| id.as_str()).collect();
    revocations::end(tx, &ids)?;
    Ok(!ended.is_empty())
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = Text)]
    id: FamilyId,
}
