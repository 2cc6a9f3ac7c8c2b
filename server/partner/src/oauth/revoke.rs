//! The end of a token before its time (RFC 7009). A refresh token takes its family with it, an access token ends alone.

use super::{Client, Error, refresh_token};
use crate::Identity;
use crate::store::authorizations::{families, refresh_tokens};
use argus_core::{audit, revocations};
use argus_openapi::types::oauth::{TokenReference, TokenRevoked};

/// Ends a token of the client. What is no token, or another's, is answered alike (section 2.2).
pub async fn revoke(
    identity: &Identity,
    client: &Client,
    form: &TokenReference,
) -> Result<TokenRevoked, Error> {
    let token = super::named(form)?;
    let hash = super::hash(identity, refresh_token::TOKEN, token.expose());
    // What is over anyway is not worth a word to every node.
    let now = identity.clock.now().timestamp();
    let of_client =
        |claims: &crate::claims::Claims| claims.client_id == client.client_id.as_str() && claims.exp > now;
    let claims = identity.keys.verify(token.expose()).ok().map(|(_, claims)| claims).filter(of_client);
    let client_id = client.client_id.clone();
    let context = client.context(identity);
    let revoked = identity.store.write(&context, move |tx| {
        if let Some(claims) = &claims {
            revocations::end(tx, &[&claims.jti])?;
            return Ok(audit::append(tx, "oauth.access_token.revoke", &claims.jti)?);
        }
        let Some(row) = refresh_tokens::find(tx, &hash)? else { return Ok::<_, Error>(()) };
        let family = families::find(tx, &row.family_id)?.filter(|family| family.client_id == client_id);
        family.map_or(Ok(()), |family| super::end(tx, &family.id, "oauth.refresh_token.revoke"))
    });
    revoked.await?;
    Ok(TokenRevoked {})
}
