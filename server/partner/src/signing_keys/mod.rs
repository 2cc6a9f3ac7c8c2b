//! The signing keys: made at the first start, kept in `<data dir>/keys`, rotated with overlap.
//!
//! A new key is published before it signs, for as long as a key set may be cached. A retired key stays
//! published until every token that it signed has expired. A running server notices a rotation by itself: it looks at the manifest when it uses a key, at most once a second,
//! and at once when a token names a key that it does not know. Nodes that serve the same tenants share
//! this directory. Which claims a token carries, and whether they suffice, is not decided here.

mod error;
mod key;
mod manifest;
mod state;
mod token;

pub use error::KeyError;
pub use key::VerifyingKey;
pub use state::{KeyState, KeyStatus};
pub use token::{TOKEN_MAX_LENGTH, TokenError};

use crate::claims::Claims;
use crate::jws::Compact;
use arc_swap::{ArcSwap, Guard};
use argus_core::Clock;
use argus_openapi::Operation;
use argus_openapi::types::keys::JwkSet;
use argus_openapi::types::tokens::SANDBOX_TTL_MAX;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use manifest::{Directory, Entry, Manifest};
use state::State;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Greatest lifetime of any token, in seconds.
pub const TOKEN_LIFETIME_MAX: i64 = SANDBOX_TTL_MAX;
/// How long a key set may be cached, in seconds.
pub const KEY_SET_MAX_AGE: u32 = match Operation::JwksView.row().caching.max_age() {
    Some(seconds) => seconds,
    None => 0,
};
/// By then every node has noticed a change, and its clock may be wrong by most of this.
const NOTICE_MARGIN: TimeDelta = TimeDelta::seconds(60);
/// How long after its last signature a key stays published.
const LAST_TOKEN: TimeDelta = TimeDelta::seconds(TOKEN_LIFETIME_MAX + NOTICE_MARGIN.num_seconds());
/// How often the manifest is looked at, in milliseconds.
const LOOK_INTERVAL: u64 = 1_000;

/// When a new key begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Once nobody holds a key set without it any more.
    OncePublished,
    /// At once: verifiers that hold a key set without it refuse its tokens until they fetch it again.
    Now,
}

impl Begin {
    /// How long after the key is published.
    fn after(self) -> TimeDelta {
        match self {
            Self::OncePublished => TimeDelta::seconds(KEY_SET_MAX_AGE.into()) + NOTICE_MARGIN,
            Self::Now => TimeDelta::zero(),
        }
    }
}

/// The keys of one data directory. Share it behind an `Arc`.
#[derive(Debug)]
pub struct KeyRing {
    directory: Directory,
    clock: Clock,
    state: ArcSwap<State>,
    reloading: Mutex<()>,
    opened: Instant,
    looked: AtomicU64,
    healthy: AtomicBool,
}

impl KeyRing {
    /// Loads the keys of a data directory, or makes the first one. Blocks.
    pub fn open(data_dir: &Path, clock: Clock) -> Result<Self, KeyError> {
        let directory = Directory::open(data_dir)?;
        let state = match State::load(&directory, clock.now())? {
            Some(state) => state,
            None => first_start(&directory, &clock)?,
        };
        Ok(Self::of(directory, clock, state))
    }

    /// Loads the keys of a data directory that has some, and creates nothing. Blocks.
    pub fn open_existing(data_dir: &Path, clock: Clock) -> Result<Self, KeyError> {
        let absent = || KeyError::Absent(data_dir.to_owned());
        let directory = Directory::existing(data_dir)?.ok_or_else(absent)?;
        let state = State::load(&directory, clock.now())?.ok_or_else(absent)?;
        Ok(Self::of(directory, clock, state))
    }

    fn of(directory: Directory, clock: Clock, state: State) -> Self {
        Self {
            directory,
            clock,
            state: ArcSwap::from_pointee(state),
            reloading: Mutex::new(()),
            opened: Instant::now(),
            looked: AtomicU64::new(0),
            healthy: AtomicBool::new(true),
        }
    }

    /// Makes a new key, publishes it, and lets it sign from `begin` on. The key before it stays published for
    /// the longest lifetime of a token after that; keys whose time is over are removed. `record` is told of
    /// every key, the new one last; when it fails, there was no rotation. Blocks.
    pub fn rotate<E: From<KeyError>>(
        &self,
        begin: Begin,
        record: impl FnOnce(&[String]) -> Result<(), E>,
    ) -> Result<KeyStatus, E> {
        let lock = self.directory.lock()?;
        // Another process may have rotated; what counts is on the disk.
        let before = self.directory.read_manifest()?.ok_or_else(|| missing(&self.directory))?;
        let created_at = self.clock.now();
        let signs_from = created_at + begin.after();
        let mut keys: Vec<Entry> =
            before.keys.iter().filter(|entry| !entry.is_over(created_at)).cloned().collect();
        for entry in &mut keys {
            entry.published_until.get_or_insert(signs_from + LAST_TOKEN);
        }
        let kid = self.directory.create_key()?.public().kid().to_owned();
        keys.push(Entry {
            kid: kid.clone(),
            created_at,
            signs_from: Some(signs_from),
            published_until: None,
        });
        let after = Manifest::of(keys);
        self.directory.write_manifest(&after)?;
        let kids: Vec<String> = before.kids().chain([kid.clone()]).collect();
        if let Err(error) = record(&kids) {
            self.directory.write_manifest(&before)?;
            self.directory.remove_key(&kid)?;
            return Err(error);
        }
        self.directory.remove_unlisted(&after)?;
        drop(lock);
        self.refresh()?;
        let status = self.list().into_iter().find(|key| key.kid == kid);
        status.ok_or_else(|| missing(&self.directory).into())
    }

    /// Every key that the manifest names, the newest one last.
    pub fn kids(&self) -> Vec<String> {
        self.state.load().kids.clone()
    }

    /// Looks at the manifest now and loads the keys again if it has changed.
    pub fn refresh(&self) -> Result<(), KeyError> {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        self.looked.store(self.elapsed(), Ordering::Relaxed);
        let stamp = self.directory.stamp();
        if stamp == Some(self.state.load().stamp) {
            self.healthy.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let loaded = State::load(&self.directory, self.clock.now())
            .and_then(|state| state.ok_or_else(|| missing(&self.directory)));
        self.healthy.store(loaded.is_ok(), Ordering::Relaxed);
        self.state.store(Arc::new(loaded?));
        Ok(())
    }

    /// Whether the keys on the disk could be loaded when they were last looked at. When not, the keys
    /// that were loaded before stay in use.
    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Signs an access token.
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        let now = self.clock.now();
        let key = self.current().signing(now).map(Arc::clone).ok_or_else(|| missing(&self.directory))?;
        let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Crypto("encode claims"))?;
        let mut token = String::with_capacity(1_024 + payload.len());
        token.push_str(key.public().header());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = key.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Checks form and signature of an access token. Issuer, audience and expiry are the caller's to
    /// check; until then the claims prove nothing.
    pub fn verify_signature(&self, token: &str) -> Result<Claims, TokenError> {
        self.verify(token).map(|(_, claims)| claims)
    }

    /// As [`Self::verify_signature`], with the key that signed the token.
    pub fn verify(&self, token: &str) -> Result<(Arc<VerifyingKey>, Claims), TokenError> {
        let form = |malformed| TokenError::of(malformed, TokenError::NotCompact);
        let token = Compact::split(token).map_err(form)?;
        let key = match self.key_with_header(token.header) {
            Some(key) => key,
            None => self.public_key(&token::key_id(&token)?).ok_or(TokenError::UnknownKey)?,
        };
        if !key.verifies(token.message.as_bytes(), &token.signature().map_err(form)?) {
            return Err(TokenError::Signature);
        }
        Ok((key, token::claims(&token)?))
    }

    /// Whether a key that verified a token before is still published. Cheap: it is asked at each call.
    pub fn publishes(&self, key: &VerifyingKey, now: DateTime<Utc>) -> bool {
        self.current().published(now).any(|(known, _)| known.public.kid() == key.kid())
    }

    /// The published key with this id.
    pub fn public_key(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        let find = |state: &State| {
            let mut published = state.published(self.clock.now());
            published.find(|(key, _)| key.public.kid() == kid).map(|(key, _)| Arc::clone(&key.public))
        };
        let found = find(&self.current());
        if found.is_some() || self.directory.stamp() == Some(self.state.load().stamp) {
            return found;
        }
        // Somebody has rotated since the last look. A failed load shows in `is_healthy`.
        let _ = self.refresh();
        find(&self.state.load())
    }

    /// The published keys, the one that signs first.
    pub fn jwks(&self) -> JwkSet {
        let state = self.current();
        let published = state.published(self.clock.now());
        JwkSet { keys: published.map(|(key, _)| key.public.jwk().clone()).collect() }
    }

    /// The published keys and what they do, the one that signs first.
    pub fn list(&self) -> Vec<KeyStatus> {
        self.current().list(self.clock.now())
    }

    /// The common case without any parsing: a token of a published key begins with that key's header,
    /// byte for byte.
    fn key_with_header(&self, header: &str) -> Option<Arc<VerifyingKey>> {
        let state = self.current();
        let mut published = state.published(self.clock.now());
        published.find(|(key, _)| key.public.header() == header).map(|(key, _)| Arc::clone(&key.public))
    }

    /// The keys, after a look at the manifest if the last one was a second ago.
    fn current(&self) -> Guard<Arc<State>> {
        let (now, looked) = (self.elapsed(), self.looked.load(Ordering::Relaxed));
        if now.saturating_sub(looked) >= LOOK_INTERVAL
            && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            // A failed load shows in `is_healthy`; meanwhile the loaded keys serve on.
            let _ = self.refresh();
        }
        self.state.load()
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn first_start(directory: &Directory, clock: &Clock) -> Result<State, KeyError> {
    let _lock = directory.lock()?;
    // Another process may have been first.
    if let Some(state) = State::load(directory, clock.now())? {
        return Ok(state);
    }
    let key = match directory.adopt_only_key()? {
        Some(key) => key,
        None => directory.create_key()?,
    };
    let kid = key.public().kid().to_owned();
    let first = Entry { kid, created_at: clock.now(), signs_from: None, published_until: None };
    directory.write_manifest(&Manifest::of(vec![first]))?;
    State::load(directory, clock.now())?.ok_or_else(|| missing(directory))
}

fn missing(directory: &Directory) -> KeyError {
    directory.damaged_manifest("it is missing")
}
