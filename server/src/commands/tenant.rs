//! `argus tenant`: say what a tenant may do.

use super::{CommandResult, print, run};
use crate::service::PRODUCTS;
use crate::settings::{DataArgs, Settings, TenantAction};
use argus_core::store::Database;
use argus_core::usage::{self, Whose};
use argus_core::{Clock, tenants};
use argus_partner::allowances;
use std::path::Path;

pub(super) fn tenant(action: TenantAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    run::block_on(async {
        let TenantAction::Set { tenant, scopes, quota, app_quota } = action;
        let tenant_id = super::tenant_named(&tenant)?;
        let store = Database::open(&settings.store, PRODUCTS)?.requests;
        let operator = tenants::view(&store, &tenant_id).await?.operator(&Clock::system());
        if let Some(scopes) = scopes {
            let scopes = allowances::set(&store, &operator, &scopes).await?;
            let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            print(format!("{tenant_id}  scopes {}", names.join(" ")))?;
        }
        let of_tenant = quota.map(|quota| (Whose::Tenant, quota));
        let of_apps = app_quota.into_iter().map(|(app, quota)| (Whose::App(app), quota));
        let quotas: Vec<_> = of_tenant.into_iter().chain(of_apps).collect();
        let said = quotas.clone();
        let set = store.write(&operator, move |tx| {
            said.iter().try_for_each(|(whose, quota)| usage::set_quota(tx, whose, quota.0))
        });
        set.await?;
        quotas.iter().try_for_each(|(whose, quota)| match whose {
            Whose::Tenant => print(format!("{tenant_id}  quota {quota}")),
            Whose::App(app) => print(format!("{tenant_id}  {app}  quota {quota}")),
        })
    })
}
