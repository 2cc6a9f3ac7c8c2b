//! Where an app's own tokens come from: the two token operations of the contract, called through the generated
//! client like any other. Caching lives in `token_cache`, tokens of users in `authorization`.

use crate::credentials::SandboxWish;
use crate::error::Error;
use crate::generated::{Client, types};
use crate::secret::Secret;
use crate::token_cache::{Fetched, TokenSource};
use futures::FutureExt;
use futures::future::BoxFuture;
use progenitor_client::ResponseValue;
use reqwest::header::{DATE, HeaderMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The client credentials grant.
pub(crate) struct ClientCredentialsSource {
    api: Client,
    scopes: Vec<String>,
}

impl ClientCredentialsSource {
    /// `api` shows the client's id and secret.
    pub(crate) fn new(api: Client, scopes: Vec<String>) -> Self {
        Self { api, scopes }
    }
}

impl TokenSource for ClientCredentialsSource {
    fn fetch(&self, _: Option<Secret>) -> BoxFuture<'static, Result<Fetched, Error>> {
        let api = self.api.clone();
        let scope = (!self.scopes.is_empty()).then(|| self.scopes.join(" "));
        async move {
            let body = types::TokenRequest {
                client_assertion: None,
                client_assertion_type: None,
                client_id: None,
                client_secret: None,
                grant_type: types::TokenRequestGrantType::ClientCredentials,
                scope,
                code: None,
                code_verifier: None,
                redirect_uri: None,
                refresh_token: None,
            };
            let answer = api.oauth_token().body(body).send().await.map_err(no_token)?.into_inner();
            let lifetime = Duration::from_secs(u64::try_from(answer.expires_in).unwrap_or_default());
            Ok(Fetched { token: answer.access_token, lifetime })
        }
        .boxed()
    }
}

/// Sandbox tokens, minted by an administrator.
pub(crate) struct SandboxTokenSource {
    api: Client,
    wish: SandboxWish,
}

impl SandboxTokenSource {
    /// `api` shows the administrator's token.
    pub(crate) fn new(api: Client, wish: SandboxWish) -> Self {
        Self { api, wish }
    }
}

impl TokenSource for SandboxTokenSource {
    fn fetch(&self, _: Option<Secret>) -> BoxFuture<'static, Result<Fetched, Error>> {
        let (api, wish) = (self.api.clone(), self.wish.clone());
        async move {
            let body = types::SandboxTokenCreate {
                scenarios: wish.scenarios,
                ttl_seconds: wish.ttl.map(|ttl| i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
            };
            let call = api.app_sandbox_token_create().client_id(wish.client_id).body(body);
            let answer = call.send().await.map_err(no_token)?;
            Ok(Fetched { lifetime: lifetime(&answer), token: answer.into_inner().token })
        }
        .boxed()
    }
}

/// How long the token lives, by the server's own clock where it tells the time.
fn lifetime(answer: &ResponseValue<types::SandboxToken>) -> Duration {
    let now = server_time(answer.headers()).unwrap_or_else(SystemTime::now);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let expiry = u64::try_from(answer.expires_at.timestamp()).unwrap_or_default();
    Duration::from_secs(expiry).saturating_sub(now)
}

fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

pub(crate) fn no_token<E: serde::Serialize>(error: progenitor_client::Error<E>) -> Error {
    Error::from(error).with_message_prefix("no access token could be had")
}
