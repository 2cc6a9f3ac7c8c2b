//! The token endpoint: client authentication and the client credentials grant (RFC 6749, sections 2.3
//! and 4.4). One indexed read and one signature; nothing is written by the request itself.

use crate::basic::{self, Credentials};
use crate::claims::AUDIENCE_LIVE;
use crate::error::Error as DomainError;
use crate::store::apps::{self as rows, ClientRow};
use crate::tokens::{self, Grant, TOKEN_LIFETIME};
use crate::{Identity, apps};
use argus_core::ids::ClientId;
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};

/// An error of the token endpoint.
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

/// An app that has shown its credentials.
pub struct Client {
    client_id: ClientId,
    row: ClientRow,
}

/// Authenticates a client. `authorization` is the value of the `Authorization` header, if there is one.
pub async fn authenticate(
    identity: &Identity,
    authorization: Option<&str>,
    form: &TokenRequest,
) -> Result<Client, Error> {
    let credentials = credentials(authorization, form)?;
    // No app has an id of another form, and not every database takes every text.
    let client_id = credentials.client_id.parse::<ClientId>().ok();
    let row = match client_id.clone() {
        None => None,
        Some(id) => {
            let find = move |connection: &mut _| Ok::<_, DomainError>(rows::find_client(connection, &id)?);
            identity.store.look_up(find).await?
        }
    };
    let hash = row.as_ref().map(|row| row.secret_hash.as_str());
    let matches = identity.pepper.secret_matches(&credentials.client_id, &credentials.secret, hash);
    match (client_id, row) {
        (Some(client_id), Some(row)) if matches => Ok(Client { client_id, row }),
        (Some(client_id), Some(row)) => {
            identity.refused_clients.count(&client_id, &row.tenant_id, &row.organization_id);
            Err(Error::invalid_client())
        }
        _ => Err(Error::invalid_client()),
    }
}

/// Which client a request claims to come from, as far as that can be read.
pub fn claimed_client(authorization: Option<&str>, form: &TokenRequest) -> Option<String> {
    credentials(authorization, form).ok().map(|credentials| credentials.client_id)
}

/// Answers the token request of an authenticated client.
pub fn token_create(
    identity: &Identity,
    client: &Client,
    form: &TokenRequest,
) -> Result<TokenResponse, Error> {
    match form.grant_type.as_deref().unwrap_or_default() {
        "client_credentials" => {}
        "" => return Err(Error::invalid_request("`grant_type` is missing")),
        _ => {
            let description = "`grant_type` must be `client_credentials`";
            return Err(Error::refused(OauthErrorCode::UnsupportedGrantType, description));
        }
    }
    let Client { client_id, row } = client;
    let grants: Vec<GrantType> = apps::from_json(&row.grant_types)?;
    if !grants.contains(&GrantType::ClientCredentials) {
        let description = "the app may not use `client_credentials`";
        return Err(Error::refused(OauthErrorCode::UnauthorizedClient, description));
    }
    let approved: Vec<Scope> = apps::from_json(&row.approved_scopes)?;
    let scopes = granted(form.scope.as_deref().unwrap_or_default(), approved)?;
    let grant = Grant {
        audience: AUDIENCE_LIVE,
        client_id: client_id.as_str(),
        tenant_id: row.tenant_id.as_str(),
        organization_id: row.organization_id.as_str(),
        scopes: &scopes,
        lifetime: i64::from(TOKEN_LIFETIME),
        scenarios: None,
    };
    Ok(TokenResponse {
        access_token: tokens::mint(identity, grant)?.token.into(),
        token_type: "Bearer".to_owned(),
        expires_in: TOKEN_LIFETIME,
        scope: tokens::join(&scopes),
    })
}

/// The credentials of the header or of the form. A parameter without a value counts as absent
/// (RFC 6749, section 3.2).
fn credentials(authorization: Option<&str>, form: &TokenRequest) -> Result<Credentials, Error> {
    let form_id = form.client_id.as_deref().filter(|id| !id.is_empty());
    let form_secret = form.client_secret.as_ref().map(SecretText::expose).filter(|secret| !secret.is_empty());
    let Some(authorization) = authorization else {
        return match (form_id, form_secret) {
            (Some(id), Some(secret)) => Ok(Credentials::new(id, secret)),
            (None, Some(_)) => Err(Error::invalid_request("`client_id` is missing")),
            _ => Err(Error::invalid_client()),
        };
    };
    if form_secret.is_some() {
        return Err(Error::invalid_request(
            "authenticate with HTTP Basic or with `client_secret` in the form, not both",
        ));
    }
    let credentials = basic::parse(authorization).ok_or_else(Error::invalid_client)?;
    match form_id {
        Some(id) if id != credentials.client_id => {
            Err(Error::invalid_request("`client_id` is not the one that HTTP Basic names"))
        }
        _ => Ok(credentials),
    }
}

/// The scopes to grant: those asked for, each once, or all approved ones. A parameter without a value counts
/// as absent (RFC 6749, section 3.2); between names stands one space, and no other (section 3.3).
fn granted(asked: &str, approved: Vec<Scope>) -> Result<Vec<Scope>, Error> {
    let invalid = |description| Err(Error::refused(OauthErrorCode::InvalidScope, description));
    if asked.is_empty() {
        return Ok(approved);
    }
    let mut scopes = Vec::new();
    for name in asked.split(' ') {
        match Scope::from_catalogue(name) {
            Some(scope) if approved.contains(&scope) => scopes.push(scope),
            // Only names of the catalogue are repeated: an error text has a narrow alphabet.
            Some(scope) => return invalid(format!("the app is not approved for `{scope}`")),
            None if name.is_empty() => return invalid("`scope` has one space between names".to_owned()),
            None => return invalid("`scope` names an unknown scope".to_owned()),
        }
    }
    Ok(apps::distinct(&scopes))
}
