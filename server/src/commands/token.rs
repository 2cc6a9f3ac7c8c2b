//! `argus token`: a token for an administrator or an operator, straight from the signing key.

use super::{CommandResult, print, run};
use crate::config::TokenArgs;
use crate::identity::{Identity, bootstrap, tenants, tokens};

pub(super) fn token(args: &TokenArgs) -> CommandResult {
    run::create_data_dir(&args.data)?;
    // Held to the end: SQLite refuses a process that opens the store while the last other one closes it.
    let _turn = run::take_turn(&args.data)?;
    run::block_on(async {
        let identity = Identity::open(args.data.identity_settings(&args.issuer))?;
        let tenant = match &args.tenant {
            Some(id) => tenants::view(&identity, id).await?,
            None => bootstrap::first_tenant(&identity).await?,
        };
        let token =
            tokens::operator_token_create(&identity, &tenant, &args.scopes, args.ttl_seconds.into()).await?;
        eprintln!("tenant {}, expires {}", tenant.tenant_id, token.expires_at.to_rfc3339());
        print(token.token.expose())
    })
}
