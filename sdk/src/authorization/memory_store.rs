//! Tokens that end with the process.

use super::store::{StoreError, StoreLock, TokenStore, UserTokens};
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps tokens in memory: they end with the process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTokenStore {
    tokens: Arc<Mutex<Option<UserTokens>>>,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryTokenStore {
    /// A store in which nobody is signed in.
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> MutexGuard<'_, Option<UserTokens>> {
        // The value is replaced whole, so that a panic elsewhere cannot have broken it.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<UserTokens>, StoreError>> {
        Box::pin(async { Ok(self.tokens().clone()) })
    }

    fn store<'a>(&'a self, tokens: &'a UserTokens) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            *self.tokens() = Some(tokens.clone());
            Ok(())
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async {
            *self.tokens() = None;
            Ok(())
        })
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, StoreError>> {
        Box::pin(async { Ok(StoreLock::of(Arc::clone(&self.lock).lock_owned().await)) })
    }
}
