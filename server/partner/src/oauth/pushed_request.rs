//! Authorization requests that a client pushes before it sends a browser with the reference (RFC 9126). What would be
//! refused at the authorization endpoint is refused here already.

use super::{Client, Error, authorize, permitted};
use crate::Identity;
use crate::store::authorizations::pushed_requests::{self as rows, LIFETIME_SECONDS};
use argus_core::ids;
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::oauth::{PushedAuthorization, PushedAuthorizationRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What every reference begins with (section 2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// The purpose of the keyed hash of a reference.
const REQUEST: &str = "pushed_request";

/// Keeps a request and answers with its reference.
pub async fn push(
    identity: &Identity,
    client: &Client,
    form: &PushedAuthorizationRequest,
) -> Result<PushedAuthorization, Error> {
    permitted(client, GrantType::AuthorizationCode)?;
    if form.request_uri.is_some() {
        return Err(Error::invalid_request("`request_uri` has no place in a request that is pushed"));
    }
    let context = client.context(identity);
    let app = authorize::app(identity, &context, &client.client_id).await?;
    authorize::judge(&app, &form.parameters).map_err(authorize::Refusal::into_error)?;
    let random = ids::random::<32>().map_err(crate::Error::fault)?;
    let request_uri = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let parameters = serde_json::to_string(&form.parameters).map_err(crate::Error::fault)?;
    let (hash, client_id) = (hash(identity, &request_uri), client.client_id.clone());
    let kept = identity
        .store
        .write(&context, move |tx| Ok::<_, Error>(rows::insert(tx, &hash, &client_id, &parameters)?));
    kept.await?;
    Ok(PushedAuthorization { request_uri, expires_in: u32::try_from(LIFETIME_SECONDS).unwrap_or_default() })
}

/// A reference as it is kept.
pub(super) fn hash(identity: &Identity, request_uri: &str) -> String {
    super::hash(identity, REQUEST, request_uri)
}
