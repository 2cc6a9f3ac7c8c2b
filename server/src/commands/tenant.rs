//! `argus tenant`: say what a tenant may do.

use super::{CommandResult, print, run};
use crate::service::PRODUCTS;
use crate::settings::{DataArgs, Settings, TenantAction};
use argus_core::store::Database;
use argus_core::{Clock, tenants};
use argus_partner::allowances;
use std::path::Path;

pub(super) fn tenant(action: TenantAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    run::block_on(async {
        let TenantAction::Set { tenant, scopes } = action;
        let tenant_id = super::tenant_named(&tenant)?;
        let store = Database::open(&settings.store, PRODUCTS)?.requests;
        let operator = tenants::view(&store, &tenant_id).await?.operator(&Clock::system());
        let scopes = allowances::set(&store, &operator, &scopes).await?;
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        print(format!("{tenant_id}  scopes {}", names.join(" ")))
    })
}
