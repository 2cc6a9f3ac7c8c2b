//! Apps: the table, its rows and queries; the same on both engines. Validation and secrets do not live
//! here.

use argus_core::ids::{ClientId, OrganizationId, TenantId};
use argus_core::page::{Moment, PageRequest, Position};
use argus_core::store::statement::{self, Known, Statement};
use argus_core::store::{AnyConnection, Reader, Resource, Tx};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{Text, Untyped};

diesel::table! {
    /// Registered apps.
    apps (client_id) {
        /// `app_` and a ULID.
        client_id -> Text,
        /// Owner.
        tenant_id -> Text,
        /// Organisation inside the tenant.
        organization_id -> Text,
        /// Name for people.
        name -> Text,
        /// JSON array of grant types.
        grant_types -> Text,
        /// JSON array of redirect URIs.
        redirect_uris -> Text,
        /// JSON array of scopes.
        approved_scopes -> Text,
        /// Governance: service tokens may be minted.
        allow_service_tokens -> Bool,
        /// Governance: the authorization code flow requires PKCE.
        enforce_pkce -> Bool,
        /// Keyed hash of the client secret.
        secret_hash -> Text,
        /// When the secret was last replaced.
        secret_rotated_at -> Timestamp,
        /// When the app was registered.
        created_at -> Timestamp,
    }
}

/// An app as it is stored.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = apps)]
pub struct AppRow {
    /// Identifier of the app.
    pub client_id: ClientId,
    /// Owner.
    pub tenant_id: TenantId,
    /// Organisation inside the tenant.
    pub organization_id: OrganizationId,
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
#[derive(Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = apps)]
pub struct ClientRow {
    /// Owner.
    pub tenant_id: TenantId,
    /// Organisation inside the tenant.
    pub organization_id: OrganizationId,
    /// JSON array of grant types.
    pub grant_types: String,
    /// JSON array of scopes.
    pub approved_scopes: String,
    /// Keyed hash of the client secret.
    pub secret_hash: String,
}

/// Where an app stands in the list: when it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPosition(pub Moment<ClientId>);

impl Position for AppPosition {
    const LIST: &'static str = "app_list_cursor";

    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn from_text(text: &str) -> Option<Self> {
        Moment::from_text(text).map(Self)
    }
}

impl From<&AppRow> for AppPosition {
    fn from(row: &AppRow) -> Self {
        Self(Moment { at: row.created_at, id: row.client_id.clone() })
    }
}

impl Resource for AppRow {
    type Id = ClientId;
    const NAME: &'static str = "app";

    fn find(reader: &mut Reader<'_>, client_id: &ClientId) -> QueryResult<Option<Self>> {
        let (connection, tenant_id) = reader.parts();
        apps::table
            .filter(apps::client_id.eq(client_id))
            .filter(apps::tenant_id.eq(tenant_id))
            .select(AppRow::as_select())
            .get_result(connection)
            .optional()
    }
}

/// Registers an app.
pub fn insert(tx: &mut Tx<'_>, app: &AppRow) -> QueryResult<()> {
    diesel::insert_into(apps::table).values(app).execute(tx.parts().0)?;
    Ok(())
}

/// The app that wants to authenticate. This is the one query without a tenant: who calls is what it
/// has to find out, and the tenant follows from the answer. PostgreSQL shows nobody an app of no tenant, so that a
/// function of the owner's looks.
pub fn find_client(connection: &mut AnyConnection, client_id: &ClientId) -> QueryResult<Option<ClientRow>> {
    if let AnyConnection::Pg(connection) = connection {
        return Statement::<_, Known<FindClient>>::known()
            .bind::<Text, _>(client_id)
            .get_result(connection)
            .optional();
    }
    apps::table
        .filter(apps::client_id.eq(client_id))
        .select(ClientRow::as_select())
        // Not `first`: that binds a limit, and SQLite prepares such a statement anew for every value.
        .get_result(connection)
        .optional()
}

/// The look-up of [`find_client`], which every token request asks.
struct FindClient;

impl statement::Text for FindClient {
    type Row = Untyped;
    const PIECES: &'static [&'static str] = &[
        "SELECT tenant_id, organization_id, grant_types, approved_scopes, secret_hash FROM argus_find_client(",
        ")",
    ];
}

/// The tenant's apps of a page, newest first.
pub fn list(reader: &mut Reader<'_>, page: &PageRequest<AppPosition>) -> QueryResult<Vec<AppRow>> {
    let (connection, tenant_id) = reader.parts();
    let mut query = apps::table
        .filter(apps::tenant_id.eq(tenant_id.clone()))
        .order((apps::created_at.desc(), apps::client_id.desc()))
        .limit(page.query_limit())
        .select(AppRow::as_select())
        .into_boxed();
    if let Some(AppPosition(after)) = &page.after {
        query = query.filter(
            apps::created_at
                .lt(after.at)
                .or(apps::created_at.eq(after.at).and(apps::client_id.lt(after.id.clone()))),
        );
    }
    query.load(connection)
}

/// The governance flags to set; an absent one stays as it is.
#[derive(Clone, Copy, AsChangeset)]
#[diesel(table_name = apps)]
pub struct GovernanceChange {
    /// Service tokens may be minted.
    pub allow_service_tokens: Option<bool>,
    /// The authorization code flow requires PKCE.
    pub enforce_pkce: Option<bool>,
}

/// Sets governance flags of a loaded app. Only those that are given are written, so that two changes at
/// a time do not undo each other.
pub fn update_governance(tx: &mut Tx<'_>, app: &AppRow, change: GovernanceChange) -> QueryResult<()> {
    if change.allow_service_tokens.is_none() && change.enforce_pkce.is_none() {
        return Ok(());
    }
    let (connection, tenant_id) = tx.parts();
    diesel::update(
        apps::table.filter(apps::client_id.eq(&app.client_id)).filter(apps::tenant_id.eq(tenant_id)),
    )
    .set(change)
    .execute(connection)
    .map(drop)
}

/// Replaces the hash of a loaded app's client secret.
pub fn update_secret(tx: &mut Tx<'_>, app: &AppRow, secret_hash: &str) -> QueryResult<()> {
    let now = tx.now();
    let (connection, tenant_id) = tx.parts();
    diesel::update(
        apps::table.filter(apps::client_id.eq(&app.client_id)).filter(apps::tenant_id.eq(tenant_id)),
    )
    .set((apps::secret_hash.eq(secret_hash), apps::secret_rotated_at.eq(now)))
    .execute(connection)
    .map(drop)
}
