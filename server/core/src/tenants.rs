//! Tenants with their first organisation.

use crate::Clock;
use crate::audit;
use crate::context::{Context, Live};
use crate::error::Error;
use crate::ids::{OrganizationId, TenantId};
use crate::store::schema::{organizations, tenants};
use crate::store::statement::Statement;
use crate::store::{AnyConnection, Reader, Store, Tx};
use argus_openapi::types::name::Name;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A tenant and its first organisation.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Tenant {
    /// The tenant.
    #[diesel(sql_type = Text)]
    pub tenant_id: TenantId,
    /// Its first organisation.
    #[diesel(sql_type = Text)]
    pub organization_id: OrganizationId,
}

impl Tenant {
    /// The operator acting inside this tenant, with no scope: for audit, and for start-up work.
    pub fn operator(&self, clock: &Clock) -> Context<Live> {
        Context::of_operator(self.tenant_id.clone(), self.organization_id.clone(), clock.clone())
    }

    /// The same with the highest clearance and in a trace of his own: for commands on all that the tenant has.
    pub fn cleared_operator(&self, clock: &Clock) -> Context<Live> {
        Context::of_cleared_operator(self.tenant_id.clone(), self.organization_id.clone(), clock.clone())
    }
}

/// Creates a tenant with its first organisation, both called `name`.
pub async fn create(store: &Store, clock: &Clock, name: &Name) -> Result<Tenant, Error> {
    let tenant =
        Tenant { tenant_id: TenantId::fresh(clock)?, organization_id: OrganizationId::fresh(clock)? };
    let (created, name) = (tenant.clone(), name.clone());
    store
        .write(&tenant.operator(clock), move |tx| {
            insert(tx, &created, &name)?;
            audit::append(tx, "tenant.create", created.tenant_id.as_str())
        })
        .await?;
    Ok(tenant)
}

/// The oldest tenant, or none in a fresh store.
pub async fn first(store: &Store) -> Result<Option<Tenant>, Error> {
    store.look_up(|connection| Ok(find_first(connection)?)).await
}

/// The tenant with this id.
pub async fn view(store: &Store, tenant_id: &TenantId) -> Result<Tenant, Error> {
    let find = |reader: &mut Reader<'_>| {
        let (connection, tenant_id) = reader.parts();
        Ok::<_, Error>(find(connection, Some(tenant_id))?)
    };
    store.read_row_of(tenant_id.clone(), find).await?.ok_or(Error::NotFound("tenant"))
}

fn insert(tx: &mut Tx<'_>, tenant: &Tenant, name: &Name) -> QueryResult<()> {
    let now = tx.now();
    let (connection, _) = tx.parts();
    diesel::insert_into(tenants::table)
        .values((
            tenants::tenant_id.eq(&tenant.tenant_id),
            tenants::name.eq(name.as_str()),
            tenants::created_at.eq(now),
        ))
        .execute(connection)?;
    diesel::insert_into(organizations::table)
        .values((
            organizations::organization_id.eq(&tenant.organization_id),
            organizations::tenant_id.eq(&tenant.tenant_id),
            organizations::name.eq(name.as_str()),
            organizations::created_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// The oldest tenant. PostgreSQL shows nobody a tenant that is not named, so that a function of the owner's looks.
fn find_first(connection: &mut AnyConnection) -> QueryResult<Option<Tenant>> {
    let AnyConnection::Pg(connection) = connection else { return find(connection, None) };
    Statement::new("SELECT tenant_id, organization_id FROM argus_first_tenant()")
        .get_result(connection)
        .optional()
}

/// A tenant with its first organisation: the one that is named, or the oldest.
fn find(connection: &mut AnyConnection, tenant_id: Option<&TenantId>) -> QueryResult<Option<Tenant>> {
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
        query = query.filter(tenants::tenant_id.eq(tenant_id.clone()));
    }
    let found = query.first::<(TenantId, OrganizationId)>(connection).optional()?;
    Ok(found.map(|(tenant_id, organization_id)| Tenant { tenant_id, organization_id }))
}
