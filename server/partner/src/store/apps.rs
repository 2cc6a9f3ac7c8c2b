//! Apps: the table, its rows and queries; the same on both engines. Validation and secrets do not live
//! here.

use argus_core::ids::{ClientId, OrganizationId, TenantId};
use argus_core::page::{Moment, PageRequest, Position};
use argus_core::store::statement::{self, Known, Statement, on_engine};
use argus_core::store::{AnyConnection, Reader, Resource, Tx};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamp};

/// A second, as the database's clock counts: in microseconds.
const SECOND: i64 = 1_000_000;

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
        /// JSON array of the scopes that it asked for beside these, and that wait for approval.
        pending_scopes -> Text,
        /// Governance: service tokens may be minted.
        allow_service_tokens -> Bool,
        /// Governance: the authorization code flow requires PKCE.
        enforce_pkce -> Bool,
        /// Governance: JSON array of operation bundles.
        approved_bundles -> Text,
        /// Keyed hash of the client secret.
        secret_hash -> Text,
        /// How it authenticates at the token endpoint.
        token_endpoint_auth_method -> Text,
        /// JSON array of its public keys, where it authenticates with them.
        jwks -> Nullable<Text>,
        /// Governance: an administrator has stopped it.
        is_suspended -> Bool,
        /// Governance: until when its tokens count no more, in microseconds.
        tokens_not_before -> Nullable<BigInt>,
        /// When the secret was last replaced.
        secret_rotated_at -> Timestamp,
        /// Keyed hash of the client secret before it, where that one counts for a while.
        former_secret_hash -> Nullable<Text>,
        /// Until when it counts, by the database's clock.
        former_secret_until -> Nullable<BigInt>,
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
    /// JSON array of the scopes that it asked for beside these, and that wait for approval.
    pub pending_scopes: String,
    /// Service tokens may be minted.
    pub allow_service_tokens: bool,
    /// The authorization code flow requires PKCE.
    pub enforce_pkce: bool,
    /// JSON array of the operation bundles whose documents it may run.
    pub approved_bundles: String,
    /// Keyed hash of the client secret.
    pub secret_hash: String,
    /// How it authenticates at the token endpoint.
    pub token_endpoint_auth_method: String,
    /// JSON array of its public keys, where it authenticates with them.
    pub jwks: Option<String>,
    /// An administrator has stopped it.
    pub is_suspended: bool,
    /// Until when its tokens count no more, in microseconds.
    pub tokens_not_before: Option<i64>,
    /// When the secret was last replaced.
    pub secret_rotated_at: NaiveDateTime,
    /// When the app was registered.
    pub created_at: NaiveDateTime,
}

/// What the token endpoint needs to know of an app, and nothing more.
#[derive(Clone, Queryable)]
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
    /// That of the one before it, while it counts.
    pub former_secret_hash: Option<String>,
    /// How it authenticates.
    pub token_endpoint_auth_method: String,
    /// An administrator has stopped it.
    pub is_suspended: bool,
    /// JSON array of its public keys, where it authenticates with them.
    pub jwks: Option<String>,
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
    match connection {
        AnyConnection::Pg(connection) => {
            Statement::<_, Known<FindByFunction>>::known().bind::<Text, _>(client_id).get_result(connection)
        }
        AnyConnection::Sqlite(connection) => {
            Statement::<_, Known<FindInTable>>::known().bind::<Text, _>(client_id).get_result(connection)
        }
    }
    .optional()
}

/// The columns of a [`ClientRow`].
type ClientColumns = (Text, Text, Text, Text, Text, Nullable<Text>, Text, Bool, Nullable<Text>);

/// The look-up of [`find_client`] on PostgreSQL, which every token request asks.
struct FindByFunction;

impl statement::Text for FindByFunction {
    type Row = ClientColumns;
    const PIECES: &'static [&'static str] = &[
        "SELECT tenant_id, organization_id, grant_types, approved_scopes, secret_hash, former_secret_hash, \
         token_endpoint_auth_method, is_suspended, jwks FROM argus_find_client(",
        ")",
    ];
}

/// The same on SQLite.
struct FindInTable;

impl statement::Text for FindInTable {
    type Row = ClientColumns;
    const PIECES: &'static [&'static str] = &[
        "SELECT tenant_id, organization_id, grant_types, approved_scopes, secret_hash, \
         CASE WHEN former_secret_until > argus_now() THEN former_secret_hash END, \
         token_endpoint_auth_method, is_suspended, jwks FROM apps WHERE client_id = ",
        "",
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

/// What of an app's governance to set; what is absent stays as it is.
#[derive(Clone, AsChangeset)]
#[diesel(table_name = apps)]
pub struct GovernanceChange {
    /// Service tokens may be minted.
    pub allow_service_tokens: Option<bool>,
    /// The authorization code flow requires PKCE.
    pub enforce_pkce: Option<bool>,
    /// JSON array of redirect URIs.
    pub redirect_uris: Option<String>,
    /// JSON array of grant types.
    pub grant_types: Option<String>,
    /// JSON array of its public keys.
    pub jwks: Option<String>,
    /// JSON array of the operation bundles whose documents it may run.
    pub approved_bundles: Option<String>,
    /// It is stopped.
    pub is_suspended: Option<bool>,
    /// Until when its tokens count no more, in microseconds.
    pub tokens_not_before: Option<i64>,
}

impl GovernanceChange {
    fn is_empty(&self) -> bool {
        let Self {
            allow_service_tokens,
            enforce_pkce,
            redirect_uris,
            grant_types,
            jwks,
            approved_bundles,
            is_suspended,
            tokens_not_before,
        } = self;
        let flags = [allow_service_tokens, enforce_pkce, is_suspended];
        let lists = [redirect_uris, grant_types, jwks, approved_bundles];
        flags.iter().all(|flag| flag.is_none())
            && lists.iter().all(|list| list.is_none())
            && tokens_not_before.is_none()
    }
}

/// Sets the governance of a loaded app. Only what is given is written, so that two changes at a time do not undo each
/// other.
pub fn update_governance(tx: &mut Tx<'_>, app: &AppRow, change: &GovernanceChange) -> QueryResult<()> {
    if change.is_empty() {
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

/// The operation bundles that an app of the tenant may run the documents of, as a JSON array; none if there is no such
/// app.
pub fn approved_bundles(reader: &mut Reader<'_>, client_id: &ClientId) -> QueryResult<Option<String>> {
    let (connection, tenant_id) = reader.parts();
    apps::table
        .filter(apps::client_id.eq(client_id))
        .filter(apps::tenant_id.eq(tenant_id))
        .select(apps::approved_bundles)
        .get_result(connection)
        .optional()
}

/// Keeps a loaded app from being changed by others until the transaction ends, and reads it as it is then.
pub fn hold(tx: &mut Tx<'_>, app: &AppRow) -> QueryResult<AppRow> {
    let (connection, tenant_id) = tx.parts();
    let held = apps::table.filter(apps::client_id.eq(&app.client_id)).filter(apps::tenant_id.eq(tenant_id));
    diesel::update(held).set(apps::pending_scopes.eq(apps::pending_scopes)).execute(connection)?;
    held.select(AppRow::as_select()).get_result(connection)
}

/// Says which scopes a held app is approved for and which wait.
pub fn update_scopes(tx: &mut Tx<'_>, app: &AppRow) -> QueryResult<()> {
    let (connection, tenant_id) = tx.parts();
    let held = apps::table.filter(apps::client_id.eq(&app.client_id)).filter(apps::tenant_id.eq(tenant_id));
    let scopes =
        (apps::approved_scopes.eq(&app.approved_scopes), apps::pending_scopes.eq(&app.pending_scopes));
    diesel::update(held).set(scopes).execute(connection).map(drop)
}

/// Replaces the hash of a loaded app's client secret; says until when the former one counts beside it, if it does.
pub fn update_secret(
    tx: &mut Tx<'_>,
    app: &AppRow,
    secret_hash: &str,
    overlap_seconds: i64,
) -> QueryResult<Option<DateTime<Utc>>> {
    const REPLACE: &str = "UPDATE apps SET \
            former_secret_hash = CASE WHEN CAST(? AS BIGINT) > 0 THEN secret_hash END, \
            former_secret_until = CASE WHEN CAST(? AS BIGINT) > 0 THEN argus_now() + ? END, \
            secret_hash = ?, secret_rotated_at = ? \
        WHERE client_id = ? AND tenant_id = ? RETURNING former_secret_until";
    let (now, overlap) = (tx.now(), overlap_seconds.max(0).saturating_mul(SECOND));
    let (connection, tenant_id) = tx.parts();
    let statement = Statement::new(REPLACE)
        .bind::<BigInt, _>(overlap)
        .bind::<BigInt, _>(overlap)
        .bind::<BigInt, _>(overlap)
        .bind::<Text, _>(secret_hash)
        .bind::<Timestamp, _>(now)
        .bind::<Text, _>(&app.client_id)
        .bind::<Text, _>(tenant_id);
    let replaced: Until = on_engine!(connection, |inner| statement.get_result(inner))?;
    Ok(replaced.former_secret_until.and_then(DateTime::from_timestamp_micros))
}

#[derive(QueryableByName)]
#[diesel(table_name = apps)]
struct Until {
    former_secret_until: Option<i64>,
}
