//! The signing keys: made at the first start, kept in `<data dir>/keys`, rotated with overlap.
//!
//! A retired key stays published until every token that it signed has expired. A running server
//! notices a rotation by itself: it looks at the manifest when it uses a key, at most once a second,
//! and at once when a token names a key that it does not know. Nodes that serve the same tenants share
//! this directory. Which claims a token carries, and whether they suffice, is not decided here.

mod error;
mod key;
mod manifest;
mod token;

pub use error::KeyError;
pub use key::VerifyingKey;
pub use token::{TOKEN_MAX_LENGTH, TokenError};

use crate::claims::Claims;
use arc_swap::{ArcSwap, Guard};
use argus_core::Clock;
use argus_openapi::types::keys::JwkSet;
use argus_openapi::types::tokens::SANDBOX_TTL_MAX;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use key::SigningKey;
use manifest::{Directory, Entry, Manifest, Stamp};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use token::Parts;

/// Greatest lifetime of any token, in seconds.
pub const TOKEN_LIFETIME_MAX: i64 = SANDBOX_TTL_MAX;
/// Another process may go on signing with a retired key until it notices.
const NOTICE_MARGIN_SECONDS: i64 = 60;
/// How often the manifest is looked at, in milliseconds.
const LOOK_INTERVAL: u64 = 1_000;

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

#[derive(Debug)]
struct State {
    stamp: Option<Stamp>,
    active: Arc<SigningKey>,
    keys: Vec<PublishedKey>,
}

#[derive(Debug)]
struct PublishedKey {
    key: Arc<VerifyingKey>,
    created_at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

impl PublishedKey {
    fn is_published(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// One key, for the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Identifier of the key.
    pub kid: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when a retired key stays published; none for the key that signs.
    pub published_until: Option<DateTime<Utc>>,
}

impl KeyRing {
    /// Loads the keys of a data directory, or makes the first one. Blocks.
    pub fn open(data_dir: &Path, clock: Clock) -> Result<Self, KeyError> {
        let directory = Directory::open(data_dir)?;
        let state = match load(&directory, &clock)? {
            Some(state) => state,
            None => first_start(&directory, &clock)?,
        };
        Ok(Self::of(directory, clock, state))
    }

    /// Loads the keys of a data directory that has some, and creates nothing. Blocks.
    pub fn open_existing(data_dir: &Path, clock: Clock) -> Result<Self, KeyError> {
        let absent = || KeyError::Absent(data_dir.to_owned());
        let directory = Directory::existing(data_dir)?.ok_or_else(absent)?;
        let state = load(&directory, &clock)?.ok_or_else(absent)?;
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

    /// Makes a new key, lets it sign from now on, and names it. The old key stays published for the
    /// longest lifetime of a token; keys whose time is over are removed. Blocks.
    pub fn rotate(&self) -> Result<String, KeyError> {
        let lock = self.directory.lock()?;
        // Another process may have rotated; what counts is on the disk.
        let mut manifest = match self.directory.read_manifest()? {
            Some(manifest) => manifest,
            None => return Err(missing(&self.directory)),
        };
        let now = self.clock.now();
        let (kept, over): (Vec<Entry>, Vec<Entry>) = manifest
            .keys
            .into_iter()
            .partition(|entry| entry.published_until.is_none_or(|until| now < until));
        manifest.keys = kept;
        for entry in &mut manifest.keys {
            let until = now + TimeDelta::seconds(TOKEN_LIFETIME_MAX + NOTICE_MARGIN_SECONDS);
            entry.published_until.get_or_insert(until);
        }
        let kid = self.directory.create_key()?.public().kid().to_owned();
        manifest.keys.push(Entry { kid: kid.clone(), created_at: now, published_until: None });
        manifest.active.clone_from(&kid);
        self.directory.write_manifest(&manifest)?;
        for entry in over {
            self.directory.remove_key(&entry.kid)?;
        }
        drop(lock);
        self.refresh()?;
        Ok(kid)
    }

    /// Looks at the manifest now and loads the keys again if it has changed.
    pub fn refresh(&self) -> Result<(), KeyError> {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        self.looked.store(self.elapsed(), Ordering::Relaxed);
        let stamp = self.directory.stamp();
        if stamp.is_some() && stamp == self.state.load().stamp {
            self.healthy.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let loaded = load(&self.directory, &self.clock)
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
        let key = Arc::clone(&self.current().active);
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
        let parts = Parts::split(token)?;
        let key = match self.key_with_header(parts.header) {
            Some(key) => key,
            None => {
                let kid = parts.key_id()?;
                self.public_key(&kid).ok_or(TokenError::UnknownKey)?
            }
        };
        if !key.verifies(parts.message.as_bytes(), &parts.signature()?) {
            return Err(TokenError::Signature);
        }
        Ok((key, parts.claims()?))
    }

    /// Whether a key that verified a token before is still published. Cheap: it is asked at each call.
    pub fn publishes(&self, key: &VerifyingKey, now: DateTime<Utc>) -> bool {
        self.current().keys.iter().rev().any(|known| known.key.kid() == key.kid() && known.is_published(now))
    }

    /// The published key with this id.
    pub fn public_key(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        let find = |state: &State| {
            let now = self.clock.now();
            let found = state.keys.iter().find(|key| key.key.kid() == kid && key.is_published(now))?;
            Some(Arc::clone(&found.key))
        };
        let found = find(&self.current());
        if found.is_some() || self.directory.stamp() == self.state.load().stamp {
            return found;
        }
        // Somebody has rotated since the last look. A failed load shows in `is_healthy`.
        let _ = self.refresh();
        find(&self.state.load())
    }

    /// The published keys, the one that signs first.
    pub fn jwks(&self) -> JwkSet {
        let now = self.clock.now();
        let state = self.current();
        let published = state.keys.iter().rev().filter(|key| key.is_published(now));
        JwkSet { keys: published.map(|key| key.key.jwk().clone()).collect() }
    }

    /// The keys and their state, the one that signs first.
    pub fn list(&self) -> Vec<KeyStatus> {
        let state = self.current();
        let status = |key: &PublishedKey| KeyStatus {
            kid: key.key.kid().to_owned(),
            created_at: key.created_at,
            published_until: key.until,
        };
        state.keys.iter().rev().map(status).collect()
    }

    /// The common case without any parsing: a token of a published key begins with that key's header,
    /// byte for byte.
    fn key_with_header(&self, header: &str) -> Option<Arc<VerifyingKey>> {
        let state = self.current();
        let now = self.clock.now();
        let found =
            state.keys.iter().rev().find(|key| key.key.header() == header && key.is_published(now))?;
        Some(Arc::clone(&found.key))
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

fn load(directory: &Directory, clock: &Clock) -> Result<Option<State>, KeyError> {
    // The stamp is older than what is read after it, so a change in between is noticed next time.
    let stamp = directory.stamp();
    let Some(manifest) = directory.read_manifest()? else { return Ok(None) };
    let now = clock.now();
    let mut active = None;
    let mut keys = Vec::with_capacity(manifest.keys.len());
    for entry in manifest.keys {
        // A key whose time is over is of no use, whatever state its file is in.
        if entry.published_until.is_some_and(|until| until <= now) {
            continue;
        }
        let key = directory.read_key(&entry.kid)?;
        keys.push(PublishedKey {
            key: Arc::clone(key.public()),
            created_at: entry.created_at,
            until: entry.published_until,
        });
        if entry.kid == manifest.active {
            active = Some(Arc::new(key));
        }
    }
    Ok(active.map(|active| State { stamp, active, keys }))
}

fn first_start(directory: &Directory, clock: &Clock) -> Result<State, KeyError> {
    let _lock = directory.lock()?;
    // Another process may have been first.
    if let Some(state) = load(directory, clock)? {
        return Ok(state);
    }
    let key = match directory.adopt_only_key()? {
        Some(key) => key,
        None => directory.create_key()?,
    };
    let kid = key.public().kid().to_owned();
    let entry = Entry { kid: kid.clone(), created_at: clock.now(), published_until: None };
    directory.write_manifest(&Manifest { active: kid, keys: vec![entry] })?;
    load(directory, clock)?.ok_or_else(|| missing(directory))
}

fn missing(directory: &Directory) -> KeyError {
    directory.damaged_manifest("it is missing")
}
