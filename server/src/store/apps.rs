//! Apps: rows and queries. Validation and secrets do not live here.

use super::connection::AnyConnection;
use super::schema::apps;
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// An app as it is stored.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = apps)]
pub struct AppRow {
    /// `app_` and a ULID.
    pub client_id: String,
    /// Owner.
    pub tenant_id: String,
    /// Organisation inside the tenant.
    pub organization_id: String,
    /// Name for people.
    pub name: String,
    /// JSON array of grant types.
    pub grant_types: String,
    /// JSON array of redirect URIs.
    pub redirect_uris: String,
    /// JSON array of scopes.
    pub approved_scopes: String,
    /// Service tokens may be minted.
    pub allow_service_tokens: bool,
    /// The authorization code flow requires PKCE.
    pub enforce_pkce: bool,
    /// Keyed hash of the client secret.
    pub secret_hash: String,
    /// When the secret was last replaced.
    pub secret_rotated_at: NaiveDateTime,
    /// When the app was registered.
    pub created_at: NaiveDateTime,
}

/// What the token endpoint needs to know of an app, and nothing more.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = apps)]
pub struct ClientRow {
    /// Owner.
    pub tenant_id: String,
    /// Organisation inside the tenant.
    pub organization_id: String,
    /// JSON array of grant types.
    pub grant_types: String,
    /// JSON array of scopes.
    pub approved_scopes: String,
    /// Keyed hash of the client secret.
    pub secret_hash: String,
}

/// Position in the list: the last app of the page before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPosition {
    /// When that app was registered.
    pub created_at: NaiveDateTime,
    /// Its client id, which orders apps of the same moment.
    pub client_id: String,
}

/// Registers an app.
pub fn insert(connection: &mut AnyConnection, app: &AppRow) -> QueryResult<()> {
    diesel::insert_into(apps::table).values(app).execute(connection)?;
    Ok(())
}

/// A tenant's app.
pub fn find(connection: &mut AnyConnection, tenant_id: &str, client_id: &str) -> QueryResult<Option<AppRow>> {
    apps::table
        .filter(apps::client_id.eq(client_id))
        .filter(apps::tenant_id.eq(tenant_id))
        .select(AppRow::as_select())
        .first(connection)
        .optional()
}

/// The app that wants to authenticate. This is the one query without a tenant: who calls is what it
/// has to find out, and the tenant follows from the answer.
pub fn find_client(connection: &mut AnyConnection, client_id: &str) -> QueryResult<Option<ClientRow>> {
    apps::table
        .filter(apps::client_id.eq(client_id))
        .select(ClientRow::as_select())
        .first(connection)
        .optional()
}

/// A tenant's apps, newest first, from behind `after`; at most `limit`.
pub fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    after: Option<&AppPosition>,
    limit: u32,
) -> QueryResult<Vec<AppRow>> {
    let mut query = apps::table
        .filter(apps::tenant_id.eq(tenant_id.to_owned()))
        .order((apps::created_at.desc(), apps::client_id.desc()))
        .limit(i64::from(limit))
        .select(AppRow::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(
            apps::created_at
                .lt(after.created_at)
                .or(apps::created_at.eq(after.created_at).and(apps::client_id.lt(after.client_id.clone()))),
        );
    }
    query.load(connection)
}

/// Sets the governance flags that are given; `false` when the tenant has no such app.
pub fn update_governance(
    connection: &mut AnyConnection,
    tenant_id: &str,
    client_id: &str,
    allow_service_tokens: Option<bool>,
    enforce_pkce: Option<bool>,
) -> QueryResult<bool> {
    let app = apps::table.filter(apps::client_id.eq(client_id)).filter(apps::tenant_id.eq(tenant_id));
    let mut found = app.count().get_result::<i64>(connection)?;
    if let Some(allow) = allow_service_tokens {
        found = diesel::update(app).set(apps::allow_service_tokens.eq(allow)).execute(connection)? as i64;
    }
    if let Some(enforce) = enforce_pkce {
        found = diesel::update(app).set(apps::enforce_pkce.eq(enforce)).execute(connection)? as i64;
    }
    Ok(found > 0)
}

/// Replaces the hash of the client secret; `false` when the tenant has no such app.
pub fn update_secret(
    connection: &mut AnyConnection,
    tenant_id: &str,
    client_id: &str,
    secret_hash: &str,
    rotated_at: NaiveDateTime,
) -> QueryResult<bool> {
    let app = apps::table.filter(apps::client_id.eq(client_id)).filter(apps::tenant_id.eq(tenant_id));
    let changed = diesel::update(app)
        .set((apps::secret_hash.eq(secret_hash), apps::secret_rotated_at.eq(rotated_at)))
        .execute(connection)?;
    Ok(changed > 0)
}
