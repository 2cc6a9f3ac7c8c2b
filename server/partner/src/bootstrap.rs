//! The first steps of a tenant: it comes with an administrator token, so that somebody can register
//! its first app.

use crate::error::Error;
use crate::{Identity, tokens};
use argus_core::tenants::{self, Tenant};
use argus_openapi::types::internal::TenantBootstrapped;
use argus_openapi::types::name::Name;
use argus_openapi::types::scopes::Scope;

/// Name of the tenant that a command makes when there is none.
const FIRST_TENANT: &str = "First tenant";
/// Lifetime of the administrator token, in seconds.
const ADMIN_TOKEN_LIFETIME: i64 = 3600;

/// Creates a tenant and mints its first administrator token.
pub async fn tenant_bootstrap(identity: &Identity, name: &Name) -> Result<TenantBootstrapped, Error> {
    let tenant = tenants::create(&identity.store, &identity.clock, name).await?;
    let admin_token =
        tokens::operator_token_create(identity, &tenant, &[Scope::PlatformAdmin], ADMIN_TOKEN_LIFETIME)
            .await?;
    Ok(TenantBootstrapped {
        tenant_id: tenant.tenant_id.into(),
        organization_id: tenant.organization_id.into(),
        admin_token,
    })
}

/// The oldest tenant; a new one in a fresh store.
pub async fn first_tenant(identity: &Identity) -> Result<Tenant, Error> {
    match tenants::first(&identity.store).await? {
        Some(tenant) => Ok(tenant),
        None => {
            let name = FIRST_TENANT.parse().map_err(Error::fault)?;
            Ok(tenants::create(&identity.store, &identity.clock, &name).await?)
        }
    }
}
