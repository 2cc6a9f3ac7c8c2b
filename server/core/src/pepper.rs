//! The server's secret key for keyed hashes, and what is made with it: client secrets, their hashes,
//! and seals on opaque values.
//!
//! Client secrets are hashed with HMAC-SHA256 under this key and not with argon2. A slow hash protects
//! guessable passwords; nobody guesses 256 random bits, and a slow hash on each token request would cap
//! minting at tens per second. The key lies outside the database, so a stolen database alone does not
//! even allow a candidate secret to be checked. Nodes that share a database share this file.

use crate::files::{self, Replace};
use crate::ids;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

const FILE: &str = "secret_pepper";
const LENGTH: usize = 32;
const SECRET_PREFIX: &str = "argus_secret_";

/// Why the pepper cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PepperError {
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold a pepper.
    #[error("{} is damaged; it was left as it is: restore it from a backup, because no client secret can be checked without it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness.
    #[error("the system gave no random bytes")]
    Random,
}

/// The key for keyed hashes.
pub struct Pepper(hmac::Key);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

impl Pepper {
    /// Loads the pepper of a data directory, or makes it at the first start.
    pub fn open(data_dir: &Path) -> Result<Self, PepperError> {
        if let Some(pepper) = Self::read(data_dir)? {
            return Ok(pepper);
        }
        let path = data_dir.join(FILE);
        let failed = |source| PepperError::File { path: path.clone(), source };
        files::open_directory(data_dir).map_err(failed)?;
        let fresh = Zeroizing::new(ids::random::<LENGTH>().map_err(|_| PepperError::Random)?);
        let line = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(*fresh)));
        match files::write(&path, line.as_bytes(), Replace::Never) {
            // Another process was first; its pepper is the one that counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(failed)?,
        }
        Self::read(data_dir)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }

    /// Loads the pepper of a data directory, if it has one.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, PepperError> {
        let path = data_dir.join(FILE);
        let text = match files::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(PepperError::Damaged { path });
            }
            other => {
                Zeroizing::new(other.map_err(|source| PepperError::File { path: path.clone(), source })?)
            }
        };
        match URL_SAFE_NO_PAD.decode(text.trim_end()).map(Zeroizing::new) {
            Ok(key) if key.len() == LENGTH => Ok(Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))),
            _ => Err(PepperError::Damaged { path }),
        }
    }

    /// What tells two peppers apart and reveals neither.
    pub fn fingerprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.mac("pepper_fingerprint", &[]))
    }

    /// The hash of a client secret, bound to its client.
    pub fn hash_secret(&self, client_id: &str, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac("client_secret", &[client_id, secret]))
    }

    /// Whether `secret` is the one behind one of the hashes `expected`: of the present secret, and of the former one.
    /// Where there is none (no such client, no former secret) the same work is done, so that the time tells neither
    /// which clients exist nor which of the two it was.
    pub fn secret_matches(&self, client_id: &str, secret: &str, expected: [Option<&str>; 2]) -> bool {
        const NO_HASH: &str = "-------------------------------------------";
        let actual = self.hash_secret(client_id, secret);
        let [present, former] = expected.map(|hash| {
            let matches = actual.as_bytes().ct_eq(hash.unwrap_or(NO_HASH).as_bytes());
            matches & Choice::from(u8::from(hash.is_some()))
        });
        bool::from(present | former)
    }

    /// A seal that only this installation can make, for `purpose` alone.
    pub fn seal(&self, purpose: &str, parts: &[&str]) -> [u8; LENGTH] {
        self.mac(purpose, parts)
    }

    fn mac(&self, purpose: &str, parts: &[&str]) -> [u8; LENGTH] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&purpose).chain(parts) {
            // Length first: no two lists of parts run together into the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut tag = [0; LENGTH];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

/// A fresh client secret of 256 random bits.
pub fn fresh_secret() -> Result<String, Unspecified> {
    let bytes = Zeroizing::new(ids::random::<LENGTH>()?);
    Ok(format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(*bytes)))
}
