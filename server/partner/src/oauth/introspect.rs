//! What a token is worth (RFC 7662), to the client that it was issued to; to nobody else is anything told.

use super::{Client, Error, refresh_token};
use crate::claims::Claims;
use crate::store::authorizations::refresh_tokens;
use crate::{Identity, tokens};
use argus_core::ids::UserId;
use argus_core::{revocations, users};
use argus_openapi::types::oauth::{TokenIntrospection, TokenReference};

/// The worth of a token, by the database and not by what nodes have heard of it.
pub async fn introspect(
    identity: &Identity,
    client: &Client,
    form: &TokenReference,
) -> Result<TokenIntrospection, Error> {
    let token = super::named(form)?;
    let of_client = |claims: &Claims| {
        claims.client_id == client.client_id.as_str()
            && claims.exp > identity.clock.now().timestamp()
            && identity.is_issuer(&claims.iss)
    };
    match identity.keys.verify(token.expose()) {
        Ok((_, claims)) if of_client(&claims) => access_token(identity, client, claims).await,
        Ok(_) => Ok(TokenIntrospection::default()),
        Err(_) => refresh_token(identity, client, token.expose()).await,
    }
}

async fn access_token(
    identity: &Identity,
    client: &Client,
    claims: Claims,
) -> Result<TokenIntrospection, Error> {
    let (names, user_id) = (claims.clone(), claims.sub.parse::<UserId>().ok());
    let look = move |reader: &mut argus_core::store::Reader<'_>| {
        let ended = revocations::find(reader, names.subjects())?;
        let is_disabled = match &user_id {
            Some(id) => users::find(reader, id)?.is_none_or(|user| user.is_disabled()),
            None => false,
        };
        Ok::<_, Error>(is_disabled || ended.is_some_and(|until| names.was_issued_by(until)))
    };
    if identity.store.read(&client.context(identity), look).await? {
        return Ok(TokenIntrospection::default());
    }
    Ok(TokenIntrospection {
        active: true,
        scope: Some(claims.scope),
        client_id: Some(claims.client_id),
        token_type: Some("Bearer".to_owned()),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti),
        tenant_id: Some(claims.tenant_id),
        secrecy_level: Some(claims.secrecy_level),
    })
}

async fn refresh_token(
    identity: &Identity,
    client: &Client,
    token: &str,
) -> Result<TokenIntrospection, Error> {
    let (hash, client_id) = (super::hash(identity, refresh_token::TOKEN, token), client.client_id.clone());
    let look = move |reader: &mut argus_core::store::Reader<'_>| {
        let row = refresh_tokens::find(reader, &hash)?.filter(|row| row.is_in_time && !row.is_rotated);
        let Some(row) = row else { return Ok::<_, Error>(None) };
        refresh_token::standing(reader, &row.family_id, &client_id)
    };
    let Some(family) = identity.store.read(&client.context(identity), look).await? else {
        return Ok(TokenIntrospection::default());
    };
    Ok(TokenIntrospection {
        active: true,
        scope: Some(tokens::join(family.scopes())),
        client_id: Some(client.client_id.as_str().to_owned()),
        sub: Some(family.user_id().as_str().to_owned()),
        iss: Some(identity.issuer.clone()),
        tenant_id: Some(client.row.tenant_id.as_str().to_owned()),
        ..TokenIntrospection::default()
    })
}
