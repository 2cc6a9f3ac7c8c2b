//! `argus token`: a token for an administrator or an operator, straight from the signing key.

use super::{CommandResult, print, run};
use crate::service;
use crate::settings::{Settings, TokenArgs};
use argus_core::{Clock, tenants};
use argus_partner::{bootstrap, tokens};
use std::path::Path;

pub(super) fn token(args: TokenArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&args.data.into(), config)?;
    service::open_data_dir(&settings)?;
    // Held to the end: SQLite refuses a process that opens the store while the last other one closes it.
    let _turn = service::take_turn(&settings)?;
    run::block_on(async {
        let (database, identity) = service::open(&settings, Clock::system())?;
        let tenant = match &args.tenant {
            Some(id) => {
                let id = id.parse().map_err(|_| "no such tenant")?;
                tenants::view(&database.requests, &id).await?
            }
            None => bootstrap::first_tenant(&identity).await?,
        };
        let lifetime = args.ttl_seconds.into();
        let token = tokens::operator_token_create(&identity, &tenant, &args.scopes, lifetime).await?;
        eprintln!("tenant {}, expires {}", tenant.tenant_id, token.expires_at.to_rfc3339());
        print(token.token.expose())
    })
}
