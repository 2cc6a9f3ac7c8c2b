//! The tokens of a user, and what keeps them from one start of a program to the next. When they are refreshed lives in
//! `session`.

use crate::error::Error;
use crate::generated::types;
use crate::secret::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// The tokens of one user at one app. `Debug` shows no secret; what is serialized has them in clear text, for a
/// [`TokenStore`] to keep where nobody else reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserTokens {
    client_id: String,
    issuer: String,
    access_token: Secret,
    refresh_token: Option<Secret>,
    scope: String,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl UserTokens {
    pub(super) fn new(
        client_id: &str,
        issuer: &str,
        asked_at: DateTime<Utc>,
        answer: types::TokenResponse,
    ) -> Self {
        Self {
            client_id: client_id.to_owned(),
            issuer: issuer.to_owned(),
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            scope: answer.scope,
            obtained_at: asked_at,
            expires_at: asked_at
                .checked_add_signed(TimeDelta::try_seconds(answer.expires_in).unwrap_or_default())
                .unwrap_or(asked_at),
        }
    }

    /// The app that they were issued to.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Who has issued them.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The access token.
    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The refresh token, good once.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// What the user has allowed, space-delimited.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Whether the user has allowed exactly this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|held| held == scope)
    }

    /// When the access token expires, by this machine's clock.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Keeps the former refresh token where the answer had none.
    pub(super) fn keep_refresh_token(&mut self, former: &Secret) {
        self.refresh_token.get_or_insert_with(|| former.clone());
    }

    /// How long the access token lives yet, if it need not be refreshed: what is left is more than `ahead`, or than half
    /// of its life.
    pub(super) fn left(&self, now: DateTime<Utc>, ahead: Duration) -> Option<Duration> {
        // A clock that was put back does not make a token older than it is.
        let left = (self.expires_at - now.max(self.obtained_at)).to_std().ok()?;
        let life = (self.expires_at - self.obtained_at).to_std().unwrap_or_default();
        (left > ahead.min(life / 2)).then_some(left)
    }
}

/// Why a store has failed; any error will do.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps others off a [`TokenStore`] until it is dropped.
#[must_use]
pub struct StoreLock {
    _guard: Box<dyn Any + Send>,
}

impl StoreLock {
    /// A lock that ends when this guard is dropped.
    pub fn of(guard: impl Any + Send) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

/// Keeps the tokens of one user at one app: [`FileTokenStore`](super::FileTokenStore),
/// [`MemoryTokenStore`](super::MemoryTokenStore), or one of your own, in your database for example.
///
/// A refresh token is good once. So the client takes the [`lock`](Self::lock), reads, refreshes, writes, and lets go of
/// the lock, and all that share the tokens must wait for each other there. It does not call the other methods without
/// holding it, except to see whether there are tokens.
///
/// ```
/// use argus_sdk::authorization::{BoxFuture, StoreError, StoreLock, TokenStore, UserTokens};
/// use std::sync::Arc;
/// use tokio::sync::Mutex;
///
/// /// Rows of a database, in which a `SELECT ... FOR UPDATE` would be the lock.
/// struct Row {
///     text: Mutex<Option<String>>,
///     lock: Arc<Mutex<()>>,
/// }
///
/// impl TokenStore for Row {
///     fn load(&self) -> BoxFuture<'_, Result<Option<UserTokens>, StoreError>> {
///         Box::pin(async {
///             let text = self.text.lock().await;
///             Ok(text.as_deref().map(serde_json::from_str).transpose()?)
///         })
///     }
///
///     fn store<'a>(&'a self, tokens: &'a UserTokens) -> BoxFuture<'a, Result<(), StoreError>> {
///         Box::pin(async {
///             *self.text.lock().await = Some(serde_json::to_string(tokens)?);
///             Ok(())
///         })
///     }
///
///     fn clear(&self) -> BoxFuture<'_, Result<(), StoreError>> {
///         Box::pin(async {
///             *self.text.lock().await = None;
///             Ok(())
///         })
///     }
///
///     fn lock(&self) -> BoxFuture<'_, Result<StoreLock, StoreError>> {
///         Box::pin(async { Ok(StoreLock::of(self.lock.clone().lock_owned().await)) })
///     }
/// }
/// ```
pub trait TokenStore: Send + Sync {
    /// The tokens, if somebody is signed in.
    fn load(&self) -> BoxFuture<'_, Result<Option<UserTokens>, StoreError>>;

    /// Keeps tokens in place of those that were there. When it returns they must outlive the process, and nobody may ever
    /// load a part of them.
    fn store<'a>(&'a self, tokens: &'a UserTokens) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Forgets the tokens, if there are any.
    fn clear(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Waits until nobody else holds the lock, and holds it until the guard is dropped. A store that one client alone uses
    /// needs none: `StoreLock::of(())`.
    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, StoreError>>;
}

impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    fn load(&self) -> BoxFuture<'_, Result<Option<UserTokens>, StoreError>> {
        S::load(self)
    }

    fn store<'a>(&'a self, tokens: &'a UserTokens) -> BoxFuture<'a, Result<(), StoreError>> {
        S::store(self, tokens)
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        S::clear(self)
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, StoreError>> {
        S::lock(self)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::token_store(error)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    pub(in crate::authorization) fn tokens(access_token: &str, lifetime: i64) -> UserTokens {
        let answer = types::TokenResponse {
            access_token: access_token.into(),
            expires_in: lifetime,
            refresh_token: Some("refresh-hunter2".into()),
            scope: "argus:jobs:read argus:jobs:write".to_owned(),
            token_type: "Bearer".to_owned(),
        };
        UserTokens::new("app_1", "https://auth.example", Utc::now(), answer)
    }

    #[test]
    fn what_is_shown_has_no_secret_and_what_is_stored_comes_back() {
        let tokens = tokens("access-hunter2", 600);
        assert!(!format!("{tokens:?}").contains("hunter2"));
        let back: UserTokens = serde_json::from_str(&serde_json::to_string(&tokens).unwrap()).unwrap();
        assert_eq!(back.access_token().expose(), "access-hunter2");
        assert_eq!(back.refresh_token().unwrap().expose(), "refresh-hunter2");
        assert_eq!((back.expires_at(), back.scope()), (tokens.expires_at(), tokens.scope()));
        assert!(back.has_scope("argus:jobs:write") && !back.has_scope("argus:jobs"));
    }

    #[test]
    fn a_token_is_refreshed_ahead_of_its_end_but_not_in_the_first_half_of_its_life() {
        let ahead = Duration::from_secs(60);
        let at = |tokens: &UserTokens, seconds| {
            tokens.left(tokens.obtained_at + TimeDelta::seconds(seconds), ahead)
        };
        let long = tokens("a", 600);
        assert_eq!(at(&long, 539), Some(Duration::from_secs(61)));
        assert_eq!((at(&long, 540), at(&long, 700)), (None, None));
        let short = tokens("a", 30);
        assert_eq!(at(&short, 14), Some(Duration::from_secs(16)));
        assert_eq!(at(&short, 15), None);
        assert_eq!(at(&tokens("a", 0), 0), None);
        assert_eq!(at(&long, -1000), Some(Duration::from_secs(600)), "the clock was put back");
        assert_eq!(at(&tokens("a", i64::MAX), 1), None, "a life that no clock can count");
    }
}
