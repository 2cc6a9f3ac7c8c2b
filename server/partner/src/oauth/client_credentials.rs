//! The client credentials grant (RFC 6749, section 4.4). One indexed read and one signature; nothing is written by the
//! request itself.

use super::{Client, Error, granted, permitted, response};
use crate::claims::AUDIENCE_LIVE;
use crate::tokens::{Grant, TOKEN_LIFETIME};
use crate::{Identity, apps};
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};

/// An access token of the app itself.
pub(super) fn answer(
    identity: &Identity,
    client: &Client,
    form: &TokenRequest,
) -> Result<TokenResponse, Error> {
    permitted(client, GrantType::ClientCredentials)?;
    let Client { client_id, row } = client;
    let scopes = granted(form.scope.as_deref().unwrap_or_default(), apps::from_json(&row.approved_scopes)?)?;
    let grant = Grant {
        audience: AUDIENCE_LIVE,
        subject: client_id.as_str(),
        client_id: client_id.as_str(),
        tenant_id: row.tenant_id.as_str(),
        organization_id: row.organization_id.as_str(),
        scopes: &scopes,
        // Apps have no clearance of their own, so their tokens carry the lowest.
        secrecy_level: SecrecyLevel::default(),
        lifetime: i64::from(TOKEN_LIFETIME),
        family: None,
        scenarios: None,
    };
    response(identity, grant, None)
}
