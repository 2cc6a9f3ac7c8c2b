//! The key ring on the disk: `keys/<kid>.pem`, and `keys/manifest.json`, which says from when on each key
//! signs and until when it stays published.
//!
//! A key counts only once the manifest names it, and the manifest is replaced in one step. Whoever
//! changes the ring holds the lock file meanwhile, so processes that start or rotate at the same time
//! take turns. Readers need no lock.

use super::error::KeyError;
use super::key::SigningKey;
use argus_core::files::trust::{self, Owner};
use argus_core::files::{self, Replace};
use argus_wire::objects;
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MANIFEST: &str = "manifest.json";
const LOCK: &str = ".lock";
/// Length of a SHA-256 thumbprint in base64url.
const KID_LENGTH: usize = 43;

/// What the manifest says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Manifest {
    /// What the first versions wrote, whose last key signed as soon as it was there.
    #[serde(default, skip_serializing)]
    active: IgnoredAny,
    /// Every key, in the order in which they were made. The last one that has begun to sign signs.
    pub(super) keys: Vec<Entry>,
}

/// One key of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Entry {
    /// Identifier of the key.
    pub(super) kid: String,
    /// When it was made.
    pub(super) created_at: DateTime<Utc>,
    /// When it begins to sign; at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signs_from: Option<DateTime<Utc>>,
    /// Until when it stays published; absent while no other key follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published_until: Option<DateTime<Utc>>,
}

objects!(Manifest, Entry);

impl Entry {
    /// When it begins to sign.
    pub(super) fn signs_from(&self) -> DateTime<Utc> {
        self.signs_from.unwrap_or(self.created_at)
    }

    /// Whether nothing needs it any more.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.published_until.is_some_and(|until| until <= now)
    }
}

/// Tells one version of the manifest file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: (i64, i64),
    inode: u64,
    length: u64,
}

/// The directory of the ring.
#[derive(Clone, Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// The directory under `data_dir`, if there is one. Nobody else may own or write either. What killed
    /// processes left unfinished in it is removed.
    pub(super) fn existing(data_dir: &Path) -> Result<Option<Self>, KeyError> {
        let directory = Self(data_dir.join("keys"));
        for path in [data_dir, &directory.0] {
            match trust::check_directory(path, Owner::Service) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                other => other.map_err(|source| KeyError::file(path, source))?,
            }
        }
        files::remove_unfinished(&directory.0).map_err(|source| KeyError::file(&directory.0, source))?;
        Ok(Some(directory))
    }

    /// Creates the directory under `data_dir` unless it exists. Nobody else may own or write either.
    pub(super) fn open(data_dir: &Path) -> Result<Self, KeyError> {
        let directory = Self(data_dir.join("keys"));
        for path in [data_dir, &directory.0] {
            files::open_directory(path).map_err(|source| KeyError::file(path, source))?;
        }
        Ok(directory)
    }

    /// Waits for the lock and holds it until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, KeyError> {
        let path = self.0.join(LOCK);
        files::lock(&path).map_err(|source| KeyError::file(&path, source))
    }

    /// What tells the current manifest from an earlier one; none when there is no manifest.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::metadata(self.0.join(MANIFEST)).ok()?;
        Some(Stamp {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
            length: metadata.len(),
        })
    }

    /// The manifest, or none before the first start.
    pub(super) fn read_manifest(&self) -> Result<Option<Manifest>, KeyError> {
        let path = self.0.join(MANIFEST);
        let text = match files::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(KeyError::damaged(&path, error.to_string()));
            }
            other => other.map_err(|source| KeyError::file(&path, source))?,
        };
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| KeyError::damaged(&path, error.to_string()))?;
        match manifest.fault() {
            Some(fault) => Err(KeyError::damaged(&path, fault)),
            None => Ok(Some(manifest)),
        }
    }

    /// Replaces the manifest in one step.
    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<(), KeyError> {
        let path = self.0.join(MANIFEST);
        let text = serde_json::to_vec_pretty(manifest).map_err(|_| KeyError::Crypto("write the manifest"))?;
        files::write(&path, &text, Replace::Existing).map_err(|source| KeyError::file(&path, source))
    }

    /// Reads the key `kid`.
    pub(super) fn read_key(&self, kid: &str) -> Result<SigningKey, KeyError> {
        let path = self.key_path(kid);
        let text = match files::read(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::NotFound) => {
                return Err(KeyError::damaged(&path, error.to_string()));
            }
            other => Zeroizing::new(other.map_err(|source| KeyError::file(&path, source))?),
        };
        let key = SigningKey::from_pem(&text).map_err(|reason| KeyError::damaged(&path, reason))?;
        if key.public().kid() != kid {
            return Err(KeyError::damaged(&path, "it holds another key than its name says"));
        }
        Ok(key)
    }

    /// Makes a key and writes its file; it does not count before the manifest names it.
    pub(super) fn create_key(&self) -> Result<SigningKey, KeyError> {
        let (key, text) = SigningKey::generate()?;
        let path = self.key_path(key.public().kid());
        files::write(&path, text.as_bytes(), Replace::Never)
            .map_err(|source| KeyError::file(&path, source))?;
        Ok(key)
    }

    /// Removes the file of a key that nothing needs any more.
    pub(super) fn remove_key(&self, kid: &str) -> Result<(), KeyError> {
        let path = self.key_path(kid);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|source| KeyError::file(&path, source)),
        }
    }

    /// Removes the files of keys that the manifest does not name: those whose time is over, and those of
    /// rotations that were killed before their key counted.
    pub(super) fn remove_unlisted(&self, manifest: &Manifest) -> Result<(), KeyError> {
        let listed: HashSet<String> = manifest.kids().collect();
        let kids = self.key_files()?;
        kids.iter()
            .filter(|kid| is_kid(kid) && !listed.contains(*kid))
            .try_for_each(|kid| self.remove_key(kid))
    }

    /// What the files with keys are called, without their ending.
    fn key_files(&self) -> Result<Vec<String>, KeyError> {
        let failed = |source| KeyError::file(&self.0, source);
        let mut kids = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension() == Some(OsStr::new("pem")) {
                kids.extend(path.file_stem().and_then(OsStr::to_str).map(str::to_owned));
            }
        }
        Ok(kids)
    }

    /// The one key file of a ring without a manifest: a first start that was cut short leaves such a
    /// ring. With several key files nobody can tell which one signed, so that is an error.
    pub(super) fn adopt_only_key(&self) -> Result<Option<SigningKey>, KeyError> {
        match self.key_files()?.as_slice() {
            [] => Ok(None),
            [kid] => self.read_key(kid).map(Some),
            _ => Err(self.damaged_manifest("it is missing, but there are several keys")),
        }
    }

    /// The error for a manifest that cannot be used.
    pub(super) fn damaged_manifest(&self, reason: &str) -> KeyError {
        KeyError::damaged(&self.0.join(MANIFEST), reason)
    }

    fn key_path(&self, kid: &str) -> PathBuf {
        self.0.join(format!("{kid}.pem"))
    }
}

impl Manifest {
    /// The manifest of these keys, the newest one last.
    pub(super) fn of(keys: Vec<Entry>) -> Self {
        Self { active: IgnoredAny, keys }
    }

    /// The identifier of every key, the newest one last.
    pub(super) fn kids(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|entry| entry.kid.clone())
    }

    /// What makes this manifest unusable. A `kid` becomes a file name, so that its form is checked.
    fn fault(&self) -> Option<String> {
        if let Some(entry) = self.keys.iter().find(|entry| !is_kid(&entry.kid)) {
            return Some(format!("`{}` is not a key id", entry.kid.escape_debug()));
        }
        let kids: HashSet<&str> = self.keys.iter().map(|entry| entry.kid.as_str()).collect();
        if kids.len() < self.keys.len() {
            return Some("it names a key twice".to_owned());
        }
        match self.keys.last() {
            Some(entry) if entry.published_until.is_none() => None,
            _ => Some("its last key is not one that is in force".to_owned()),
        }
    }
}

/// Whether this has the form of a key's identifier.
fn is_kid(text: &str) -> bool {
    text.len() == KID_LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
