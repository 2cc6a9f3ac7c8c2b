//! The token endpoint: client authentication and the client credentials grant (RFC 6749, sections 2.3
//! and 4.4). One indexed read and one signature; nothing is written.

use super::basic::{self, Credentials};
use super::claims::AUDIENCE_LIVE;
use super::tokens::{self, Grant, TOKEN_LIFETIME};
use super::{Identity, apps};
use crate::problem::Problem;
use crate::store::apps as rows;
use argus_openapi::types::apps::GrantType;
use argus_openapi::types::common::Identifier;
use argus_openapi::types::error::OauthError;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};
use rows::ClientRow;
use std::fmt;

/// An error of the token endpoint (RFC 6749, section 5.2).
#[derive(Debug)]
pub struct OauthProblem {
    /// HTTP status.
    pub status: u16,
    /// The RFC's error code.
    pub error: &'static str,
    /// What to change, in English.
    pub description: String,
    /// Value of `WWW-Authenticate`, on every 401.
    pub www_authenticate: Option<&'static str>,
    /// For the operator's log only.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

const CHALLENGE: &str = r#"Basic realm="argus", charset="UTF-8""#;

impl OauthProblem {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: 400, error, description: description.into(), www_authenticate: None, cause: None }
    }

    fn invalid_request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    /// One text for every reason, so that the answer does not tell which clients exist.
    fn invalid_client() -> Self {
        Self {
            status: 401,
            www_authenticate: Some(CHALLENGE),
            ..Self::new("invalid_client", "the client could not be authenticated")
        }
    }
}

impl From<Problem> for OauthProblem {
    fn from(problem: Problem) -> Self {
        let error = match problem.code.status() {
            503 => "temporarily_unavailable",
            500.. => "server_error",
            _ => "invalid_request",
        };
        Self { status: problem.code.status(), cause: problem.cause, ..Self::new(error, problem.message) }
    }
}

impl From<&OauthProblem> for OauthError {
    fn from(problem: &OauthProblem) -> Self {
        Self { error: problem.error.to_owned(), error_description: problem.description.clone() }
    }
}

impl fmt::Display for OauthProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.description)
    }
}

impl std::error::Error for OauthProblem {}

/// Answers a token request. `authorization` is the value of the `Authorization` header, if there is
/// one.
pub async fn token_create(
    identity: &Identity,
    authorization: Option<&str>,
    form: &TokenRequest,
) -> Result<TokenResponse, OauthProblem> {
    match form.grant_type.as_deref().unwrap_or_default() {
        "client_credentials" => {}
        "" => return Err(OauthProblem::invalid_request("`grant_type` is missing")),
        _ => {
            return Err(OauthProblem::new(
                "unsupported_grant_type",
                "`grant_type` must be `client_credentials`",
            ));
        }
    }
    let credentials = credentials(authorization, form)?;
    let client = authenticate(identity, &credentials).await?;
    let grants: Vec<GrantType> = apps::from_json(&client.grant_types)?;
    if !grants.contains(&GrantType::ClientCredentials) {
        return Err(OauthProblem::new("unauthorized_client", "the app may not use `client_credentials`"));
    }
    let approved: Vec<Scope> = apps::from_json(&client.approved_scopes)?;
    let scopes = granted(form.scope.as_deref().unwrap_or_default(), approved)?;
    let minted = tokens::mint(
        identity,
        Grant {
            audience: AUDIENCE_LIVE,
            client_id: &credentials.client_id,
            tenant_id: &client.tenant_id,
            organization_id: &client.organization_id,
            scopes: &scopes,
            lifetime: i64::from(TOKEN_LIFETIME),
            scenarios: None,
        },
    )?;
    Ok(TokenResponse {
        access_token: minted.token.into(),
        token_type: "Bearer".to_owned(),
        expires_in: TOKEN_LIFETIME,
        scope: tokens::join(&scopes),
    })
}

/// The credentials of the header or of the form. A parameter without a value counts as absent
/// (RFC 6749, section 3.2).
fn credentials(authorization: Option<&str>, form: &TokenRequest) -> Result<Credentials, OauthProblem> {
    let form_id = form.client_id.as_deref().filter(|id| !id.is_empty());
    let form_secret = form.client_secret.as_ref().map(SecretText::expose).filter(|secret| !secret.is_empty());
    let Some(authorization) = authorization else {
        return match (form_id, form_secret) {
            (Some(id), Some(secret)) => Ok(Credentials::new(id, secret)),
            (None, Some(_)) => Err(OauthProblem::invalid_request("`client_id` is missing")),
            _ => Err(OauthProblem::invalid_client()),
        };
    };
    if form_secret.is_some() {
        return Err(OauthProblem::invalid_request(
            "authenticate with HTTP Basic or with `client_secret` in the form, not both",
        ));
    }
    let credentials = basic::parse(authorization).ok_or_else(OauthProblem::invalid_client)?;
    match form_id {
        Some(id) if id != credentials.client_id => {
            Err(OauthProblem::invalid_request("`client_id` is not the one that HTTP Basic names"))
        }
        _ => Ok(credentials),
    }
}

async fn authenticate(identity: &Identity, credentials: &Credentials) -> Result<ClientRow, OauthProblem> {
    // No app has an id of another form, and not every database takes every text.
    let row = match Identifier::try_from(credentials.client_id.clone()) {
        Err(_) => None,
        Ok(client_id) => {
            let find = move |connection: &mut _| Ok(rows::find_client(connection, client_id.as_str())?);
            identity.store.read(find).await?
        }
    };
    let hash = row.as_ref().map(|row| row.secret_hash.as_str());
    let matches = identity.pepper.secret_matches(&credentials.client_id, &credentials.secret, hash);
    row.filter(|_| matches).ok_or_else(OauthProblem::invalid_client)
}

/// The scopes to grant: those asked for, each once, or all approved ones.
fn granted(asked: &str, approved: Vec<Scope>) -> Result<Vec<Scope>, OauthProblem> {
    let mut scopes = Vec::new();
    for name in asked.split(' ').filter(|name| !name.is_empty()) {
        match Scope::from_catalogue(name) {
            Some(scope) if approved.contains(&scope) => scopes.push(scope),
            // Only names of the catalogue are repeated: an error text has a narrow alphabet.
            Some(scope) => {
                let description = format!("the app is not approved for `{scope}`");
                return Err(OauthProblem::new("invalid_scope", description));
            }
            None => return Err(OauthProblem::new("invalid_scope", "`scope` names an unknown scope")),
        }
    }
    Ok(if scopes.is_empty() { approved } else { apps::distinct(&scopes) })
}
