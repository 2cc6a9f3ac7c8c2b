//! Tenants with their first organisation.

use super::{Identity, ids};
use crate::gate::Principal;
use crate::problem::{Outcome, Problem};
use crate::store::{self, tenants as rows};
use argus_openapi::types::common::SecrecyLevel;

/// A tenant and its first organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// `tnt_` and a ULID.
    pub tenant_id: String,
    /// `org_` and a ULID.
    pub organization_id: String,
}

impl Tenant {
    /// The operator acting inside this tenant, with no scope: for audit, and for start-up work.
    pub fn operator(&self) -> Principal {
        Principal {
            tenant_id: self.tenant_id.clone(),
            organization_id: self.organization_id.clone(),
            client_id: super::OPERATOR.to_owned(),
            scopes: Vec::new(),
            secrecy_level: SecrecyLevel::default(),
        }
    }
}

/// Creates a tenant with its first organisation, both called `name` (1 to 128 characters).
pub async fn create(identity: &Identity, name: &str) -> Outcome<Tenant> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 128 {
        return Err(Problem::invalid("`name` has 1 to 128 characters"));
    }
    let tenant = Tenant {
        tenant_id: ids::prefixed("tnt").map_err(Problem::internal)?,
        organization_id: ids::prefixed("org").map_err(Problem::internal)?,
    };
    let row = rows::NewTenant {
        tenant_id: tenant.tenant_id.clone(),
        organization_id: tenant.organization_id.clone(),
        name: name.to_owned(),
        created_at: store::now(),
    };
    let event = super::audit::event(&tenant.operator(), "tenant.create", &row.tenant_id, row.created_at)?;
    identity
        .store
        .run(move |connection| {
            connection.write(|connection| {
                rows::insert(connection, &row)?;
                store::audit::append(connection, &event)?;
                Ok(())
            })
        })
        .await?;
    Ok(tenant)
}

/// The oldest tenant, or none in a fresh store.
pub async fn first(identity: &Identity) -> Outcome<Option<Tenant>> {
    find_row(identity, None).await
}

/// The tenant with this id.
pub async fn view(identity: &Identity, tenant_id: &str) -> Outcome<Tenant> {
    find_row(identity, Some(tenant_id.to_owned())).await?.ok_or_else(|| Problem::not_found("tenant"))
}

async fn find_row(identity: &Identity, tenant_id: Option<String>) -> Outcome<Option<Tenant>> {
    let found =
        identity.store.run(move |connection| Ok(rows::find(connection, tenant_id.as_deref())?)).await?;
    Ok(found.map(|(tenant_id, organization_id)| Tenant { tenant_id, organization_id }))
}
