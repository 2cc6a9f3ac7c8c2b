//! Tenants and their organisations.

use super::connection::AnyConnection;
use super::schema::{organizations, tenants};
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// A tenant with its first organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// `tnt_` and a ULID.
    pub tenant_id: String,
    /// `org_` and a ULID.
    pub organization_id: String,
    /// Name for people, of both.
    pub name: String,
    /// When it was created.
    pub created_at: NaiveDateTime,
}

/// Creates a tenant and its first organisation; call it inside a transaction.
pub fn insert(connection: &mut AnyConnection, tenant: &NewTenant) -> QueryResult<()> {
    diesel::insert_into(tenants::table)
        .values((
            tenants::tenant_id.eq(&tenant.tenant_id),
            tenants::name.eq(&tenant.name),
            tenants::created_at.eq(tenant.created_at),
        ))
        .execute(connection)?;
    diesel::insert_into(organizations::table)
        .values((
            organizations::organization_id.eq(&tenant.organization_id),
            organizations::tenant_id.eq(&tenant.tenant_id),
            organizations::name.eq(&tenant.name),
            organizations::created_at.eq(tenant.created_at),
        ))
        .execute(connection)?;
    Ok(())
}

/// A tenant's id and the id of its first organisation: of the tenant that is named, or of the oldest.
pub fn find(
    connection: &mut AnyConnection,
    tenant_id: Option<&str>,
) -> QueryResult<Option<(String, String)>> {
    let mut query = tenants::table
        .inner_join(organizations::table.on(organizations::tenant_id.eq(tenants::tenant_id)))
        .select((tenants::tenant_id, organizations::organization_id))
        .order((
            tenants::created_at,
            tenants::tenant_id,
            organizations::created_at,
            organizations::organization_id,
        ))
        .into_boxed();
    if let Some(tenant_id) = tenant_id {
        query = query.filter(tenants::tenant_id.eq(tenant_id.to_owned()));
    }
    query.first(connection).optional()
}
