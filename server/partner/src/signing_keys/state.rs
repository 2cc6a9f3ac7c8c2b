//! The keys as they were loaded, and which of them does what at a given moment.

use super::error::KeyError;
use super::key::{SigningKey, VerifyingKey};
use super::manifest::{Directory, Entry, Stamp};
use chrono::{DateTime, Utc};
use std::iter::{once, repeat};
use std::sync::Arc;

/// What a key does at a given moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is published, and will sign once nobody holds a key set without it.
    Published,
    /// It signs.
    Signing,
    /// It signs no more, and is published until its last token has expired.
    Retired,
}

/// One key, for the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Identifier of the key.
    pub kid: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it begins to sign, or began.
    pub signs_from: DateTime<Utc>,
    /// Until when it stays published; none while no other key follows it.
    pub published_until: Option<DateTime<Utc>>,
    /// What it does now.
    pub state: KeyState,
}

/// The keys, in the order in which they were made.
#[derive(Debug)]
pub(super) struct State {
    pub(super) stamp: Stamp,
    /// Every key that the manifest names, those of no use any more included.
    pub(super) kids: Vec<String>,
    keys: Vec<RingKey>,
}

#[derive(Debug)]
pub(super) struct RingKey {
    pub(super) public: Arc<VerifyingKey>,
    /// Of the key that signed when the keys were loaded, and of those that follow it.
    private: Option<Arc<SigningKey>>,
    entry: Entry,
}

impl RingKey {
    pub(super) fn is_published(&self, now: DateTime<Utc>) -> bool {
        self.entry.published_until.is_none_or(|until| now < until)
    }
}

impl State {
    /// Reads the keys of a directory, or none before its first start.
    pub(super) fn load(directory: &Directory, now: DateTime<Utc>) -> Result<Option<Self>, KeyError> {
        // The stamp is older than what is read after it, so a change in between is noticed next time.
        let Some(stamp) = directory.stamp() else { return Ok(None) };
        let Some(manifest) = directory.read_manifest()? else { return Ok(None) };
        let kids = manifest.kids().collect();
        // A key whose time is over is of no use, whatever state its file is in.
        let entries: Vec<Entry> = manifest.keys.into_iter().filter(|entry| !entry.is_over(now)).collect();
        let signing = signing(entries.iter(), now);
        let mut keys = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let key = directory.read_key(&entry.kid)?;
            let public = Arc::clone(key.public());
            keys.push(RingKey { public, private: (index >= signing).then(|| Arc::new(key)), entry });
        }
        Ok(Some(Self { stamp, kids, keys }))
    }

    /// The key that signs.
    pub(super) fn signing(&self, now: DateTime<Utc>) -> Option<&Arc<SigningKey>> {
        // Not one before the key that signed when the keys were loaded, should the clock be set back.
        self.keys.iter().skip(self.signing_index(now)).find_map(|key| key.private.as_ref())
    }

    /// The published keys and what they do: the one that signs, those that will, those that did.
    pub(super) fn published(&self, now: DateTime<Utc>) -> impl Iterator<Item = (&RingKey, KeyState)> {
        let signing = self.signing_index(now);
        let (retired, others) = self.keys.split_at(signing);
        let others = others.iter().zip(once(KeyState::Signing).chain(repeat(KeyState::Published)));
        let retired = retired.iter().rev().zip(repeat(KeyState::Retired));
        others.chain(retired).filter(move |(key, _)| key.is_published(now))
    }

    /// As [`Self::published`], for the operator.
    pub(super) fn list(&self, now: DateTime<Utc>) -> Vec<KeyStatus> {
        let status = |(key, state): (&RingKey, KeyState)| KeyStatus {
            kid: key.public.kid().to_owned(),
            created_at: key.entry.created_at,
            signs_from: key.entry.signs_from(),
            published_until: key.entry.published_until,
            state,
        };
        self.published(now).map(status).collect()
    }

    fn signing_index(&self, now: DateTime<Utc>) -> usize {
        signing(self.keys.iter().map(|key| &key.entry), now)
    }
}

/// Which key signs: the last one whose time has come. Of a clock that lies before all of them nothing can
/// be said but that the first one signs.
fn signing<'e>(
    mut entries: impl DoubleEndedIterator<Item = &'e Entry> + ExactSizeIterator,
    now: DateTime<Utc>,
) -> usize {
    entries.rposition(|entry| entry.signs_from() <= now).unwrap_or(0)
}
