//! The secrets of a data directory, and what the store knows of them: fingerprints of the pepper and of the envelope
//! key, and the newest signing key. By these a node whose secrets are not those of the others is refused.
//!
//! The newest key stands for all of them, because a ring only grows by keys that follow those before. A ring
//! that has the recorded key and newer ones was rotated by a process that ended before it could tell the
//! store, which is then told. Secrets are read before the store is opened, so that what cannot be used
//! leaves it untouched, and they are made after it has said that it knows no others.

use crate::signing_keys::{Begin, KeyError, KeyRing, KeyStatus};
use crate::{IdentityError, IdentitySettings};
use argus_core::envelope::Envelope;
use argus_core::pepper::Pepper;
use argus_core::store::OpenError;
use argus_core::{Clock, Store};
use argus_openapi::types::secret::SecretText;
use std::path::{Path, PathBuf};

const PEPPER_FINGERPRINT: &str = "pepper_fingerprint";
const ENVELOPE_KEY_FINGERPRINT: &str = "envelope_key_fingerprint";
const NEWEST_KEY: &str = "newest_signing_key";

/// The secrets of a data directory: signing keys, pepper and envelope key, as far as they exist.
#[derive(Debug)]
pub struct Secrets {
    data_dir: PathBuf,
    clock: Clock,
    keys: Option<KeyRing>,
    pepper: Option<Pepper>,
    envelope: Option<Envelope>,
    /// The envelope key that was said instead of the directory's.
    envelope_key: Option<SecretText>,
}

/// The secrets that the store knows.
pub(crate) struct Confirmed {
    pub(crate) pepper: Pepper,
    pub(crate) envelope: Envelope,
    pub(crate) keys: KeyRing,
}

/// Whose keys count from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The newest key that the store knew until now, if it knew one.
    pub former: Option<String>,
    /// The newest key that counts now.
    pub newest: String,
}

impl Secrets {
    /// Reads the secrets that exist. Blocks.
    pub fn read(settings: &IdentitySettings, clock: &Clock) -> Result<Self, IdentityError> {
        let IdentitySettings { data_dir, envelope_key, .. } = settings;
        Ok(Self {
            data_dir: data_dir.clone(),
            clock: clock.clone(),
            pepper: Pepper::read(data_dir)?,
            envelope: Envelope::read(data_dir, envelope_key.as_ref())?,
            keys: existing_keys(data_dir, clock)?,
            envelope_key: envelope_key.clone(),
        })
    }

    /// The secrets that the store knows; in a fresh one, those that exist or new ones. Blocks.
    pub(crate) fn confirmed_by(self, store: &Store) -> Result<Confirmed, IdentityError> {
        let Self { data_dir, clock, keys, pepper, envelope, envelope_key } = self;
        let pepper = confirmed_pepper(pepper, &data_dir, store)?;
        let envelope = confirmed_envelope(envelope, &data_dir, envelope_key.as_ref(), store)?;
        let keys = match (keys, store.recorded(NEWEST_KEY)?) {
            (Some(keys), _) => keys,
            (None, None) => KeyRing::open(&data_dir, clock)?,
            // A process that shares the directory may have made them meanwhile.
            (None, Some(recorded)) => existing_keys(&data_dir, &clock)?
                .ok_or_else(|| IdentityError::ForeignKeys { data_dir: data_dir.clone(), recorded })?,
        };
        loop {
            let kids = keys.kids();
            match record(store, &kids)? {
                None => return Ok(Confirmed { pepper, envelope, keys }),
                Some(recorded) => {
                    // Nor have the keys been rotated since they were read?
                    keys.refresh()?;
                    if keys.kids() == kids {
                        return Err(IdentityError::ForeignKeys { data_dir, recorded });
                    }
                }
            }
        }
    }

    /// Lets the keys of this directory count from now on, whatever keys the store knows; makes the first one
    /// if there is none. Blocks.
    pub fn adopt_keys(self, store: &Store) -> Result<Adopted, IdentityError> {
        let Self { data_dir, clock, keys, pepper, .. } = self;
        confirmed_pepper(pepper, &data_dir, store)?;
        let keys = match keys {
            Some(keys) => keys,
            None => KeyRing::open(&data_dir, clock)?,
        };
        let newest = newest(&keys.kids()).to_owned();
        loop {
            let former = store.recorded(NEWEST_KEY)?;
            let done = match &former {
                Some(former) => store.record_after(NEWEST_KEY, former, &newest)?,
                None => store.recorded_once(NEWEST_KEY, &newest)? == newest,
            };
            if done {
                return Ok(Adopted { former, newest });
            }
        }
    }
}

/// Rotates the keys, and tells the store. When the store cannot be told, or knows other keys, there was no
/// rotation.
pub(crate) fn rotate(
    keys: &KeyRing,
    begin: Begin,
    store: &Store,
    data_dir: &Path,
) -> Result<KeyStatus, IdentityError> {
    keys.rotate(begin, |kids| match record(store, kids)? {
        None => Ok(()),
        Some(recorded) => Err(IdentityError::ForeignKeys { data_dir: data_dir.to_owned(), recorded }),
    })
}

/// Records the last of these keys as the newest one, unless the store knows a key that is not among them;
/// that one is returned.
fn record(store: &Store, kids: &[String]) -> Result<Option<String>, OpenError> {
    let newest = newest(kids);
    loop {
        let recorded = store.recorded_once(NEWEST_KEY, newest)?;
        if recorded == newest {
            return Ok(None);
        }
        if !kids.contains(&recorded) {
            return Ok(Some(recorded));
        }
        if store.record_after(NEWEST_KEY, &recorded, newest)? {
            return Ok(None);
        }
    }
}

fn newest(kids: &[String]) -> &str {
    kids.last().map_or("", String::as_str)
}

fn existing_keys(data_dir: &Path, clock: &Clock) -> Result<Option<KeyRing>, KeyError> {
    match KeyRing::open_existing(data_dir, clock.clone()) {
        Err(KeyError::Absent(_)) => Ok(None),
        other => other.map(Some),
    }
}

fn confirmed_pepper(pepper: Option<Pepper>, data_dir: &Path, store: &Store) -> Result<Pepper, IdentityError> {
    let foreign = || IdentityError::ForeignPepper(data_dir.to_owned());
    let recorded = store.recorded(PEPPER_FINGERPRINT)?;
    let pepper = match (pepper, &recorded) {
        (Some(pepper), _) => pepper,
        (None, None) => Pepper::open(data_dir)?,
        (None, Some(_)) => Pepper::read(data_dir)?.ok_or_else(foreign)?,
    };
    if is_known(store, PEPPER_FINGERPRINT, recorded, &pepper.fingerprint())? {
        Ok(pepper)
    } else {
        Err(foreign())
    }
}

fn confirmed_envelope(
    envelope: Option<Envelope>,
    data_dir: &Path,
    said: Option<&SecretText>,
    store: &Store,
) -> Result<Envelope, IdentityError> {
    let foreign = || IdentityError::ForeignEnvelopeKey(data_dir.to_owned());
    let recorded = store.recorded(ENVELOPE_KEY_FINGERPRINT)?;
    let envelope = match (envelope, &recorded) {
        (Some(envelope), _) => envelope,
        (None, None) => Envelope::read_or_make(data_dir, said)?,
        (None, Some(_)) => Envelope::read(data_dir, said)?.ok_or_else(foreign)?,
    };
    if is_known(store, ENVELOPE_KEY_FINGERPRINT, recorded, &envelope.fingerprint())? {
        Ok(envelope)
    } else {
        Err(foreign())
    }
}

/// Whether this is the fingerprint that the store knows, or knows from now on. What is recorded stays, so that a start
/// that finds it does not write.
fn is_known(
    store: &Store,
    name: &'static str,
    recorded: Option<String>,
    fingerprint: &str,
) -> Result<bool, OpenError> {
    let recorded = match recorded {
        Some(recorded) => recorded,
        None => store.recorded_once(name, fingerprint)?,
    };
    Ok(recorded == fingerprint)
}
