//! Keeps one access token fresh: fetched on first use, refreshed before it expires, by one request
//! however many callers wait. Where tokens come from lives in `token_source`.

use crate::error::{Error, ErrorKind};
use crate::secret::Secret;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a valid token is used on after its refresh failed, before the refresh is tried again.
const REFRESH_PAUSE: Duration = Duration::from_secs(5);
/// No token is taken to live longer, whatever is said of it.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// A token as its issuer gave it.
pub(crate) struct Fetched {
    pub(crate) token: Secret,
    pub(crate) lifetime: Duration,
}

/// An issuer of tokens.
pub(crate) trait TokenSource: Send + Sync {
    /// Asks for a new token. `refused` is one that the service has not taken, whatever it looks like.
    fn fetch(&self, refused: Option<Secret>) -> BoxFuture<'static, Result<Fetched, Error>>;
}

type Flight = Shared<BoxFuture<'static, Result<Secret, Error>>>;

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// The last one that was refused, until there is another.
    refused: Option<Secret>,
    in_flight: Option<Flight>,
    /// How often everything was forgotten.
    epoch: u64,
}

struct Current {
    token: Secret,
    refresh_at: Instant,
    expires_at: Instant,
}

pub(crate) struct TokenCache {
    source: Box<dyn TokenSource>,
    refresh_ahead: Duration,
    state: Arc<Mutex<State>>,
}

impl TokenCache {
    pub(crate) fn new(source: impl TokenSource + 'static, refresh_ahead: Duration) -> Self {
        Self { source: Box::new(source), refresh_ahead, state: Arc::default() }
    }

    /// A token that is valid now, if its issuer gives one.
    pub(crate) async fn get(&self) -> Result<Secret, Error> {
        let flight = {
            let mut state = lock(&self.state);
            if let Some(current) = &state.current
                && Instant::now() < current.refresh_at
            {
                return Ok(current.token.clone());
            }
            let (refused, epoch) = (state.refused.clone(), state.epoch);
            state.in_flight.get_or_insert_with(|| self.start(refused, epoch)).clone()
        };
        flight.await
    }

    /// Forgets a token that was refused, unless another caller has already replaced it.
    pub(crate) fn invalidate(&self, token: &Secret) {
        let mut state = lock(&self.state);
        if state.current.as_ref().is_some_and(|current| current.token.expose() == token.expose()) {
            state.current = None;
            state.refused = Some(token.clone());
        }
    }

    /// Forgets whatever there is or is on its way: its issuer has another, or none.
    pub(crate) fn forget(&self) {
        let mut state = lock(&self.state);
        *state = State { epoch: state.epoch + 1, ..State::default() };
    }

    fn start(&self, refused: Option<Secret>, epoch: u64) -> Flight {
        let (fetch, started, refresh_ahead) =
            (self.source.fetch(refused), Instant::now(), self.refresh_ahead);
        // Weak, because the state holds the flight.
        let state = Arc::downgrade(&self.state);
        let flight = async move {
            let outcome = fetch.await;
            let Some(state) = state.upgrade() else { return outcome.map(|fetched| fetched.token) };
            let mut state = lock(&state);
            if state.epoch != epoch {
                return outcome.map(|fetched| fetched.token);
            }
            state.in_flight = None;
            match outcome {
                Ok(Fetched { token, lifetime }) => {
                    // At most half of the life is given away, so that a short-lived token is cached too.
                    let lifetime = lifetime.min(LIFETIME_MAX);
                    let usable = lifetime.saturating_sub(refresh_ahead.min(lifetime / 2));
                    state.refused = None;
                    state.current = Some(Current {
                        token: token.clone(),
                        refresh_at: started + usable,
                        expires_at: started + lifetime,
                    });
                    Ok(token)
                }
                // Whoever has to sign in again has no token that counts.
                Err(error) if error.kind() == ErrorKind::SignInRequired => {
                    state.current = None;
                    Err(error)
                }
                Err(error) => {
                    let now = Instant::now();
                    match state.current.as_mut().filter(|current| now < current.expires_at) {
                        Some(current) => {
                            current.refresh_at = current.expires_at.min(now + REFRESH_PAUSE);
                            Ok(current.token.clone())
                        }
                        None => Err(error),
                    }
                }
            }
        };
        flight.boxed().shared()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // The state is whole after every statement, so that a panic elsewhere cannot have broken it.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use tokio::time::{advance, sleep};

    #[derive(Clone, Default)]
    struct Issuer {
        asked: Arc<AtomicUsize>,
        down: Arc<AtomicBool>,
        ended: Arc<AtomicBool>,
    }

    impl TokenSource for Issuer {
        fn fetch(&self, _: Option<Secret>) -> BoxFuture<'static, Result<Fetched, Error>> {
            let (number, down) = (self.asked.fetch_add(1, Ordering::SeqCst) + 1, self.down.clone());
            let ended = self.ended.clone();
            async move {
                sleep(Duration::from_millis(50)).await;
                if ended.load(Ordering::SeqCst) {
                    return Err(Error::sign_in_required(None));
                }
                if down.load(Ordering::SeqCst) {
                    return Err(Error::new(ErrorKind::Unavailable, "down"));
                }
                let token = Secret::new(format!("token-{number}"));
                Ok(Fetched { token, lifetime: Duration::from_secs(600) })
            }
            .boxed()
        }
    }

    fn cache() -> (Issuer, TokenCache) {
        let issuer = Issuer::default();
        (issuer.clone(), TokenCache::new(issuer, Duration::from_secs(60)))
    }

    async fn get(cache: &TokenCache) -> String {
        cache.get().await.unwrap().expose().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_cause_one_request() {
        let (issuer, cache) = cache();
        let tokens = futures::future::join_all((0..50).map(|_| get(&cache))).await;
        assert!(tokens.iter().all(|token| token == "token-1"));
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_refreshed_before_it_expires_and_not_sooner() {
        let (_, cache) = cache();
        assert_eq!(get(&cache).await, "token-1");
        advance(Duration::from_secs(539)).await;
        assert_eq!(get(&cache).await, "token-1");
        advance(Duration::from_secs(1)).await;
        assert_eq!(get(&cache).await, "token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_to_all_who_wait_and_not_cached() {
        let (issuer, cache) = cache();
        issuer.down.store(true, Ordering::SeqCst);
        let outcomes = futures::future::join_all((0..10).map(|_| cache.get())).await;
        assert!(outcomes.iter().all(Result::is_err));
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
        issuer.down.store(false, Ordering::SeqCst);
        assert_eq!(get(&cache).await, "token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_refresh_does_not_waste_a_token_that_is_still_valid() {
        let (issuer, cache) = cache();
        get(&cache).await;
        advance(Duration::from_secs(550)).await;
        issuer.down.store(true, Ordering::SeqCst);
        assert_eq!(get(&cache).await, "token-1");
        assert_eq!(get(&cache).await, "token-1");
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 2, "the issuer is left alone for a moment");
        advance(Duration::from_secs(60)).await;
        assert!(cache.get().await.is_err(), "an expired token is never used");
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_request_is_taken_up_by_the_next_caller() {
        let (issuer, cache) = cache();
        assert!(tokio::time::timeout(Duration::from_millis(1), cache.get()).await.is_err());
        assert_eq!(get(&cache).await, "token-1");
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_on_its_way_when_everything_was_forgotten_is_not_kept() {
        let (issuer, cache) = cache();
        assert!(tokio::time::timeout(Duration::from_millis(1), cache.get()).await.is_err());
        let flight = lock(&cache.state).in_flight.clone().unwrap();
        cache.forget();
        assert_eq!(flight.await.unwrap().expose(), "token-1");
        assert_eq!(get(&cache).await, "token-2");
        cache.forget();
        assert_eq!(get(&cache).await, "token-3");
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_in_that_has_ended_leaves_no_token_behind() {
        let (issuer, cache) = cache();
        get(&cache).await;
        advance(Duration::from_secs(550)).await;
        issuer.ended.store(true, Ordering::SeqCst);
        assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::SignInRequired);
        issuer.ended.store(false, Ordering::SeqCst);
        assert_eq!(get(&cache).await, "token-3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_dropped_once_however_many_callers_report_it() {
        let (issuer, cache) = cache();
        let refused = cache.get().await.unwrap();
        cache.invalidate(&refused);
        assert_eq!(get(&cache).await, "token-2");
        cache.invalidate(&refused);
        assert_eq!(get(&cache).await, "token-2");
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 2);
    }
}
