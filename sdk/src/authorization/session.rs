//! The tokens of a user as a client has them: exchanged for a code, refreshed one at a time, and ended. What a browser has
//! to do with it lives in `request` and `pending`.

use super::store::{TokenStore, UserTokens};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::generated::{Client, types};
use crate::generated_hosts::AUTH_URL;
use crate::retry::Retry;
use crate::secret::Secret;
use crate::token_cache::{Fetched, TokenCache, TokenSource};
use crate::token_source::no_token;
use crate::transport::{Auth, Transport};
use chrono::Utc;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a refresh is repeated whose answer does not come. The service gives the same successor again for 30 seconds,
/// and takes whoever comes later for a thief.
const REFRESH_PATIENCE: Duration = Duration::from_secs(20);
/// How long one answer is waited for: even the last is asked for in time.
const ANSWER_PATIENCE: Duration = Duration::from_secs(8);
/// The error code of a grant that counts no more (RFC 6749, section 5.2).
const INVALID_GRANT: &str = "invalid_grant";

/// An app as it is registered, and where it keeps the tokens of a user.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    /// None of a public client.
    pub(crate) client_secret: Option<Secret>,
    pub(crate) issuer: String,
    pub(crate) store: Arc<dyn TokenStore>,
}

impl Registration {
    pub(crate) fn new(client_id: String, store: impl TokenStore + 'static) -> Self {
        Self { client_id, client_secret: None, issuer: AUTH_URL.to_owned(), store: Arc::new(store) }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// The sign-in of a user. Cheap to clone; clones share the tokens.
#[derive(Clone)]
pub(crate) struct UserSession {
    source: UserTokenSource,
    cache: Arc<TokenCache>,
}

impl UserSession {
    pub(crate) fn new(
        registration: &Registration,
        refresh_ahead: Duration,
        environment: &Environment,
        retry: &Retry,
        http: &reqwest::Client,
    ) -> Self {
        let auth = || match &registration.client_secret {
            Some(secret) => Auth::Basic(registration.client_id.clone(), secret.clone()),
            None => Auth::None,
        };
        let patient = retry.clone().within(REFRESH_PATIENCE);
        let repeating = Transport::repeating(environment.clone(), auth(), patient, ANSWER_PATIENCE);
        let repeating = repeating.into_client(http.clone());
        let api = Transport::new(environment.clone(), auth(), retry.clone()).into_client(http.clone());
        let (registration, unsaved) = (registration.clone(), Mutex::default());
        let source =
            UserTokenSource(Arc::new(Shared { registration, refresh_ahead, api, repeating, unsaved }));
        Self { cache: Arc::new(TokenCache::new(source.clone(), refresh_ahead)), source }
    }

    pub(crate) fn cache(&self) -> &Arc<TokenCache> {
        &self.cache
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.source.0.registration
    }

    pub(super) fn environment(&self) -> &Environment {
        self.source.0.api.inner.environment()
    }

    /// Where requests are pushed to.
    pub(super) fn api(&self) -> &Client {
        &self.source.0.api
    }

    /// The client identifier in a form, where nothing else says it.
    pub(super) fn client_id_in_form(&self) -> Option<String> {
        self.source.0.client_id_in_form()
    }

    /// Exchanges a code (RFC 6749, section 4.1.3), and keeps what it leads to.
    pub(super) async fn exchange(
        &self,
        code: Secret,
        code_verifier: Secret,
        redirect_uri: Option<String>,
    ) -> Result<UserTokens, Error> {
        let shared = &self.source.0;
        let body = types::TokenRequest {
            grant_type: types::TokenRequestGrantType::AuthorizationCode,
            code: Some(code),
            code_verifier: Some(code_verifier),
            redirect_uri,
            ..shared.form()
        };
        let (shared, cache) = (Arc::clone(shared), Arc::clone(&self.cache));
        to_its_end(async move {
            // Before the code is spent: it is good once.
            let _lock = shared.registration.store.lock().await?;
            let tokens = shared.ask(&shared.api, body).await?;
            shared.registration.store.store(&tokens).await?;
            cache.forget();
            Ok(tokens)
        })
        .await
    }

    /// Whether there are tokens.
    pub(super) async fn is_signed_in(&self) -> Result<bool, Error> {
        Ok(self.source.0.stored().await?.is_some())
    }

    /// Ends the sign-in at the service (RFC 7009) and forgets its tokens.
    pub(super) async fn end(&self) -> Result<(), Error> {
        let session = self.clone();
        to_its_end(async move { session.ended().await }).await
    }

    async fn ended(&self) -> Result<(), Error> {
        let shared = &self.source.0;
        let store = &shared.registration.store;
        let _lock = store.lock().await?;
        let Some(tokens) = shared.stored().await? else {
            self.cache.forget();
            return Ok(());
        };
        // A refresh token takes its family with it.
        let token = tokens.refresh_token().unwrap_or(tokens.access_token()).clone();
        let body = types::TokenReference {
            client_assertion: None,
            client_assertion_type: None,
            client_id: shared.client_id_in_form(),
            client_secret: None,
            token,
            token_type_hint: None,
        };
        shared.repeating.oauth_revoke().body(body).send().await?;
        store.clear().await?;
        self.cache.forget();
        Ok(())
    }
}

/// Refreshes the tokens of a user (RFC 6749, section 6).
#[derive(Clone)]
struct UserTokenSource(Arc<Shared>);

struct Shared {
    registration: Registration,
    refresh_ahead: Duration,
    api: Client,
    /// Repeats what was not answered.
    repeating: Client,
    unsaved: Mutex<Option<Unsaved>>,
}

/// What a refresh got and the store did not take.
struct Unsaved {
    predecessor: Secret,
    tokens: UserTokens,
}

impl TokenSource for UserTokenSource {
    fn fetch(&self, refused: Option<Secret>) -> BoxFuture<'static, Result<Fetched, Error>> {
        let shared = Arc::clone(&self.0);
        to_its_end(async move { shared.current(refused).await }).boxed()
    }
}

/// Runs work in a task of its own, so that it is taken to its end and what it got is stored even if nobody waits for it any
/// more, and so that nobody who is polled no more holds the lock.
fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> impl Future<Output = Result<T, Error>> + Send + 'static {
    let task = tokio::spawn(work);
    let stopped = |error| Error::new(ErrorKind::TokenStore, format!("it was cut off: {error}"));
    async move { task.await.map_err(stopped)? }
}

impl Shared {
    /// The access token that counts now. Whoever shares the store may have refreshed it meanwhile.
    async fn current(&self, refused: Option<Secret>) -> Result<Fetched, Error> {
        let _lock = self.registration.store.lock().await?;
        let Some(stored) = self.stored().await? else { return Err(Error::sign_in_required(None)) };
        let is_refused = refused.is_some_and(|refused| refused.expose() == stored.access_token().expose());
        if !is_refused && let Some(lifetime) = stored.left(Utc::now(), self.refresh_ahead) {
            return Ok(Fetched { token: stored.access_token().clone(), lifetime });
        }
        let fresh = self.refresh(&stored).await?;
        let lifetime = (fresh.expires_at() - Utc::now()).to_std().unwrap_or_default();
        Ok(Fetched { token: fresh.access_token().clone(), lifetime })
    }

    /// What is stored. The tokens of another app or server are nothing to be shown to this one.
    async fn stored(&self) -> Result<Option<UserTokens>, Error> {
        let stored = self.registration.store.load().await?;
        let is_foreign = |tokens: &UserTokens| {
            tokens.client_id() != self.registration.client_id || tokens.issuer() != self.registration.issuer
        };
        if stored.as_ref().is_some_and(is_foreign) {
            let message = "the token store holds the tokens of another app, or of another server";
            return Err(Error::invalid_input(message));
        }
        Ok(stored)
    }

    /// The next tokens, which are stored when this returns. The lock is held.
    async fn refresh(&self, stored: &UserTokens) -> Result<UserTokens, Error> {
        let store = &self.registration.store;
        let Some(predecessor) = stored.refresh_token() else {
            store.clear().await?;
            return Err(Error::sign_in_required(None));
        };
        let fresh = match self.take_unsaved(predecessor) {
            Some(fresh) => fresh,
            None => match self.ask_for_next(predecessor).await {
                Err(error) if error.code() == Some(INVALID_GRANT) => {
                    store.clear().await?;
                    return Err(Error::sign_in_required(Some(error)));
                }
                answer => answer?,
            },
        };
        if let Err(error) = store.store(&fresh).await {
            // The service gives them once, and only for a while again.
            let unsaved = Unsaved { predecessor: predecessor.clone(), tokens: fresh };
            *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = Some(unsaved);
            return Err(error.into());
        }
        Ok(fresh)
    }

    /// What an earlier refresh got for the same refresh token and could not store.
    fn take_unsaved(&self, predecessor: &Secret) -> Option<UserTokens> {
        let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        (unsaved.predecessor.expose() == predecessor.expose()).then_some(unsaved.tokens)
    }

    async fn ask_for_next(&self, refresh_token: &Secret) -> Result<UserTokens, Error> {
        let body = types::TokenRequest {
            grant_type: types::TokenRequestGrantType::RefreshToken,
            refresh_token: Some(refresh_token.clone()),
            ..self.form()
        };
        let mut tokens = self.ask(&self.repeating, body).await?;
        // A server may keep the refresh token as it is (RFC 6749, section 6).
        tokens.keep_refresh_token(refresh_token);
        Ok(tokens)
    }

    async fn ask(&self, api: &Client, body: types::TokenRequest) -> Result<UserTokens, Error> {
        let asked_at = Utc::now();
        let answer = api.oauth_token().body(body).send().await.map_err(no_token)?.into_inner();
        if !answer.token_type.eq_ignore_ascii_case("Bearer") {
            let message = "the answer has a token of another type than `Bearer`";
            return Err(Error::new(ErrorKind::InvalidResponse, message));
        }
        Ok(UserTokens::new(&self.registration.client_id, &self.registration.issuer, asked_at, answer))
    }

    /// A token request, to be filled in.
    fn form(&self) -> types::TokenRequest {
        types::TokenRequest {
            client_assertion: None,
            client_assertion_type: None,
            client_id: self.client_id_in_form(),
            client_secret: None,
            code: None,
            code_verifier: None,
            grant_type: types::TokenRequestGrantType::RefreshToken,
            redirect_uri: None,
            refresh_token: None,
            scope: None,
        }
    }

    fn client_id_in_form(&self) -> Option<String> {
        let is_public = self.registration.client_secret.is_none();
        is_public.then(|| self.registration.client_id.clone())
    }
}
