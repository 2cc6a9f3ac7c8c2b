//! Authorization requests that a browser was sent away with and has not come back from.

use super::callback::{AuthorizationError, Callback};
use super::store::UserTokens;
use crate::client::ArgusClient;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// A request that waits for the browser to come back. It holds the `state` and the PKCE verifier, and is good once.
///
/// Bind it to the browser that was sent away: a web application serializes it into that browser's session, on the server's
/// side, because the verifier is a secret, and takes it out of there when the browser comes back. `Debug` shows no secret.
#[derive(Debug, Serialize, Deserialize)]
#[must_use]
pub struct PendingAuthorization {
    // With `state` in it, or the reference to what was pushed.
    pub(super) url: Secret,
    pub(super) state: Secret,
    pub(super) code_verifier: Secret,
    pub(super) issuer: String,
    pub(super) redirect_uri: Option<String>,
}

impl PendingAuthorization {
    /// The URL to open in the user's browser.
    pub fn url(&self) -> &str {
        self.url.expose()
    }

    /// The redirect URI that the request names, if it does.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.redirect_uri.as_deref()
    }

    /// Takes what the browser has brought back, as a query or as a whole URL: checks `state` and `iss`, exchanges the code
    /// for tokens and keeps these in the token store of the client.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Refused`] when the user or the service has refused, and other kinds for callbacks that do not
    /// answer this request and for an exchange that fails.
    pub async fn finish(
        self,
        client: &ArgusClient,
        callback: &str,
    ) -> Result<UserTokens, AuthorizationError> {
        let code = Callback::read(callback)?.code(&self.state, &self.issuer)?;
        Ok(client.user_session()?.exchange(code, self.code_verifier, self.redirect_uri).await?)
    }
}
