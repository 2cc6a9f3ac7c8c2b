//! Authorization requests (RFC 6749, section 4.1.1), as a URL for a browser or pushed ahead of it (RFC 9126).

use super::pending::PendingAuthorization;
use super::pkce;
use super::session::UserSession;
use crate::client::ArgusClient;
use crate::environment::Host;
use crate::error::Error;
use crate::generated::types::{
    self, PushedAuthorizationRequestCodeChallengeMethod as CodeChallengeMethod,
    PushedAuthorizationRequestResponseType as ResponseType,
};
use crate::generated_hosts::AUTHORIZE_PATH;
use crate::secret::Secret;
use url::Url;

impl ArgusClient {
    /// A request for the access of a user, to be filled in and begun. The client's credentials must be
    /// [`Credentials::user`](crate::Credentials::user).
    pub fn authorization(&self) -> AuthorizationRequest<'_> {
        AuthorizationRequest { client: self, redirect_uri: None, scopes: Vec::new() }
    }

    /// Whether somebody is signed in, as far as the token store knows; the service may have ended it since.
    ///
    /// # Errors
    ///
    /// When the store fails, or the credentials are no user's.
    pub async fn is_signed_in(&self) -> Result<bool, Error> {
        self.user_session()?.is_signed_in().await
    }

    /// Signs the user out of this app: ends what the user has allowed at the service (RFC 7009), refresh token and access
    /// tokens, and clears the token store. Access tokens are refused on every host within five seconds. When nobody is
    /// signed in, nothing is done.
    ///
    /// # Errors
    ///
    /// When the service cannot be told, in which case the tokens are kept so that you can try again; when the store fails;
    /// when the credentials are no user's.
    pub async fn sign_out(&self) -> Result<(), Error> {
        self.user_session()?.end().await
    }

    /// The sign-in behind the credentials.
    pub(super) fn user_session(&self) -> Result<&UserSession, Error> {
        self.api().inner.user().ok_or_else(|| {
            Error::invalid_input("the credentials are no user's: build the client with `Credentials::user`")
        })
    }
}

/// An authorization request that is being made, see [`ArgusClient::authorization`]. `state` and the PKCE verifier are made
/// when it is begun, of the operating system's random source.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizationRequest<'c> {
    client: &'c ArgusClient,
    redirect_uri: Option<String>,
    scopes: Vec<String>,
}

/// What a request has of its own, whichever way it goes.
struct Parameters {
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Secret,
    code_verifier: Secret,
}

impl AuthorizationRequest<'_> {
    /// Where the browser comes back to: one of the app's redirect URIs, letter for letter, but that the port may be any on
    /// a loopback address (RFC 8252, section 7.3). It may be left out when the app has one alone.
    pub fn redirect_uri(self, uri: impl Into<String>) -> Self {
        Self { redirect_uri: Some(uri.into()), ..self }
    }

    /// The scopes to ask the user for; every scope that the app is approved for when none is named.
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), ..self }
    }

    /// Makes the URL to open in the user's browser. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When the credentials are no user's.
    pub fn begin(self) -> Result<PendingAuthorization, Error> {
        let session = self.client.user_session()?;
        let parameters = self.parameters()?;
        let mut url = endpoint(session);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("response_type", &ResponseType::Code.to_string());
            query.append_pair("client_id", &session.registration().client_id);
            for (name, value) in [("redirect_uri", &parameters.redirect_uri), ("scope", &parameters.scope)] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            query.append_pair("state", parameters.state.expose());
            query.append_pair("code_challenge", &pkce::challenge(&parameters.code_verifier));
            query.append_pair("code_challenge_method", &CodeChallengeMethod::S256.to_string());
        }
        Ok(parameters.pending(session, url))
    }

    /// Pushes the request to the service and makes the URL that refers to it (RFC 9126), so that the app is authenticated
    /// first, nothing in the browser can alter the request, and what is wrong with it is told here. The browser must open
    /// the URL within 90 seconds.
    ///
    /// # Errors
    ///
    /// What the service refuses the request for; when it cannot be reached; when the credentials are no user's.
    pub async fn push(self) -> Result<PendingAuthorization, Error> {
        let session = self.client.user_session()?;
        let parameters = self.parameters()?;
        let body = types::PushedAuthorizationRequest {
            client_assertion: None,
            client_assertion_type: None,
            client_id: session.client_id_in_form(),
            client_secret: None,
            code_challenge: Some(pkce::challenge(&parameters.code_verifier)),
            code_challenge_method: Some(CodeChallengeMethod::S256),
            redirect_uri: parameters.redirect_uri.clone(),
            request_uri: None,
            response_type: Some(ResponseType::Code),
            scope: parameters.scope.clone(),
            state: Some(parameters.state.expose().to_owned()),
        };
        let pushed = session.api().oauth_par().body(body).send().await?.into_inner();
        let mut url = endpoint(session);
        url.query_pairs_mut()
            .append_pair("client_id", &session.registration().client_id)
            .append_pair("request_uri", &pushed.request_uri);
        Ok(parameters.pending(session, url))
    }

    fn parameters(&self) -> Result<Parameters, Error> {
        Ok(Parameters {
            redirect_uri: self.redirect_uri.clone(),
            scope: (!self.scopes.is_empty()).then(|| self.scopes.join(" ")),
            state: pkce::random_text()?,
            code_verifier: pkce::random_text()?,
        })
    }
}

impl Parameters {
    fn pending(self, session: &UserSession, url: Url) -> PendingAuthorization {
        let Self { redirect_uri, state, code_verifier, .. } = self;
        let issuer = session.registration().issuer.clone();
        PendingAuthorization { url: String::from(url).into(), state, code_verifier, issuer, redirect_uri }
    }
}

/// The authorization endpoint.
fn endpoint(session: &UserSession) -> Url {
    let mut url = session.environment().base_url(Host::Auth).clone();
    url.set_path(&format!("{}{}", url.path(), AUTHORIZE_PATH.trim_start_matches('/')));
    url
}
