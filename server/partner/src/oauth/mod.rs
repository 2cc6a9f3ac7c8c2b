//! The authorization server: clients authenticate, users allow, tokens are issued and end (RFC 6749, RFC 9700). Pages,
//! cookies and who is signed in do not live here.
//!
//! - [`client`]: client authentication, and [`assertion`]: what a client may sign for it
//! - [`client_credentials`], [`authorization_code`], [`refresh_token`]: the grants
//! - [`authorize`]: authorization requests, and the codes that answer them
//! - [`pushed_request`]: requests that are pushed first (RFC 9126)
//! - [`revoke`]: the end of a token (RFC 7009)
//! - [`introspect`]: what a token is worth (RFC 7662)

mod assertion;
mod authorization_code;
pub mod authorize;
mod client;
mod client_credentials;
mod introspect;
mod pushed_request;
mod refresh_token;
mod revoke;

pub use assertion::{Assertion, Endpoint, TOKEN_PATH};
pub(crate) use authorization_code::Exchange;
pub use client::{Client, authenticate, claimed_client};
pub use introspect::introspect;
pub use pushed_request::push;
pub use revoke::revoke;

use crate::error::Error as DomainError;
use crate::store::authorizations::families::{self, FamilyId, Which};
use crate::tokens::{self, Grant, TOKEN_LIFETIME};
use crate::{Identity, apps};
use argus_core::audit;
use argus_core::store::{self, Tx};
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::oauth::TokenReference;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenGrant, TokenRequest, TokenResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// An error of an OAuth endpoint.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client must change something.
    #[error("{refusal}: {description}")]
    Refused {
        /// The reason.
        refusal: OauthErrorCode,
        /// What to change, in English.
        description: String,
    },
    /// The request could not be carried out.
    #[error(transparent)]
    Domain(DomainError),
}

impl Error {
    fn refused(refusal: OauthErrorCode, description: impl Into<String>) -> Self {
        Self::Refused { refusal, description: description.into() }
    }

    fn invalid_request(description: &str) -> Self {
        Self::refused(OauthErrorCode::InvalidRequest, description)
    }

    /// Whether the client could not be authenticated.
    pub fn is_invalid_client(&self) -> bool {
        matches!(self, Self::Refused { refusal: OauthErrorCode::InvalidClient, .. })
    }

    /// One text for every reason, so that the answer does not tell which clients exist.
    fn invalid_client() -> Self {
        Self::refused(OauthErrorCode::InvalidClient, "the client could not be authenticated")
    }
}

impl<E: Into<DomainError>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Domain(error.into())
    }
}

impl store::Failure for Error {
    fn store_error(&self) -> Option<&store::Error> {
        match self {
            Self::Domain(error) => error.store_error(),
            Self::Refused { .. } => None,
        }
    }
}

/// Answers the token request of an authenticated client.
pub async fn token_create(
    identity: &Identity,
    client: &Client,
    form: &TokenRequest,
) -> Result<TokenResponse, Error> {
    let name = form.grant_type.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(Error::invalid_request("`grant_type` is missing"));
    }
    match name.parse() {
        Ok(TokenGrant::ClientCredentials) => client_credentials::answer(identity, client, form),
        Ok(TokenGrant::AuthorizationCode) => authorization_code::answer(identity, client, form).await,
        Ok(TokenGrant::RefreshToken) => refresh_token::answer(identity, client, form).await,
        Err(_) => {
            let names: Vec<String> = TokenGrant::ALL.iter().map(|grant| format!("`{grant}`")).collect();
            let description = format!("`grant_type` must be one of {}", names.join(", "));
            Err(Error::refused(OauthErrorCode::UnsupportedGrantType, description))
        }
    }
}

/// The token that a form names.
fn named(form: &TokenReference) -> Result<SecretText, Error> {
    let token = form.token.clone().filter(|token| !token.expose().is_empty());
    token.ok_or_else(|| Error::invalid_request("`token` is missing"))
}

/// A code, refresh token or reference as it is kept.
fn hash(identity: &Identity, purpose: &str, secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(identity.pepper.seal(purpose, &[secret]))
}

/// Ends a family, and says why.
fn end(tx: &mut Tx<'_>, family_id: &FamilyId, action: &str) -> Result<(), Error> {
    if families::end(tx, Which::Family(family_id))? {
        audit::append(tx, action, family_id.as_str())?;
    }
    Ok(())
}

/// The app must be allowed to use a grant.
fn permitted(client: &Client, grant: GrantType) -> Result<(), Error> {
    let grants: Vec<GrantType> = apps::from_json(&client.row.grant_types)?;
    if grants.contains(&grant) {
        return Ok(());
    }
    Err(Error::refused(OauthErrorCode::UnauthorizedClient, format!("the app may not use `{grant}`")))
}

/// The answer with a fresh access token.
fn response(
    identity: &Identity,
    grant: Grant<'_>,
    refresh_token: Option<SecretText>,
) -> Result<TokenResponse, Error> {
    let scope = tokens::join(grant.scopes);
    Ok(TokenResponse {
        access_token: tokens::mint(identity, grant)?.token.into(),
        token_type: "Bearer".to_owned(),
        expires_in: TOKEN_LIFETIME,
        scope,
        refresh_token,
    })
}

/// The scopes to grant: those asked for, each once, or all that may be. A parameter without a value counts
/// as absent (RFC 6749, section 3.2); between names stands one space, and no other (section 3.3).
fn granted(asked: &str, possible: Vec<Scope>) -> Result<Vec<Scope>, Error> {
    let invalid = |description| Err(Error::refused(OauthErrorCode::InvalidScope, description));
    if possible.is_empty() {
        return invalid("the app is approved for no scope yet".to_owned());
    }
    if asked.is_empty() {
        return Ok(possible);
    }
    let mut scopes = Vec::new();
    for name in asked.split(' ') {
        match Scope::from_catalogue(name) {
            Some(scope) if possible.contains(&scope) => scopes.push(scope),
            // Only names of the catalogue are repeated: an error text has a narrow alphabet.
            Some(scope) => return invalid(format!("the app is not approved for `{scope}`")),
            None if name.is_empty() => return invalid("`scope` has one space between names".to_owned()),
            None => return invalid("`scope` names an unknown scope".to_owned()),
        }
    }
    Ok(apps::distinct(&scopes))
}
