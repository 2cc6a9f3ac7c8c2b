//! Secrets that have to be read again: each is sealed under a data key of its own, and that under the master key of the
//! installation (envelope encryption). What only has to be recognised is hashed by [`crate::pepper`] instead.
//!
//! The master key lies outside the database, so that a stolen database alone gives nothing away. It is said by the
//! operator, or made at the first start and kept in the data directory. Nodes that share a database share it.
//!
//! A sealed secret is bound to its purpose and its subject: in another row, or in another column, it does not open. It
//! is base64url of a version, what tells the master key from others, the data key and the secret, the last two with
//! AES-256-GCM, each behind a random nonce and before its tag.

use crate::files::{self, Replace};
use crate::ids;
use argus_openapi::types::secret::SecretText;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const FILE: &str = "envelope_key";
const LENGTH: usize = 32;
const TAG: usize = 16;

/// The layout of what is sealed. A later one is told by another first byte.
const VERSION: u8 = 1;
/// How much of the master key's fingerprint a sealed secret has.
const MARK: usize = 8;
/// The version, and so much of the fingerprint.
const HEAD: usize = 1 + MARK;
/// A nonce, a data key and a tag.
const WRAPPED: usize = NONCE_LEN + LENGTH + TAG;
/// What is sealed of an empty secret.
const SHORTEST: usize = HEAD + WRAPPED + NONCE_LEN + TAG;

/// Base64 as the usual tools write it, with its padding or without.
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// Why the master key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold a key.
    #[error("{} is damaged; it was left as it is: restore it from a backup, because no secret that is sealed under it can be read without it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// What the operator said is no key.
    #[error(
        "the envelope key must be {LENGTH} bytes in base64, as `openssl rand -base64 {LENGTH}` makes them"
    )]
    NoKey,
    /// The system has no randomness.
    #[error("the system gave no random bytes")]
    Random,
}

/// Why a secret was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret could not be sealed: the system gave no random bytes")]
pub struct NotSealed;

/// Why what is sealed was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// It was sealed under another master key.
    #[error("the secret was sealed under another envelope key")]
    OtherKey,
    /// It was sealed in a way that this version does not know.
    #[error("the secret was sealed by a newer version")]
    OtherVersion,
    /// It is no sealed secret, was altered, or was sealed for another subject or purpose.
    #[error("the sealed secret is damaged, or is that of another subject")]
    Damaged,
}

/// The master key, and what is sealed under it.
pub struct Envelope {
    master: RandomizedNonceKey,
    fingerprint: [u8; LENGTH],
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envelope")
    }
}

impl Envelope {
    /// The master key that was said; without one that of the data directory, which is made at the first start.
    pub fn read_or_make(data_dir: &Path, said: Option<&SecretText>) -> Result<Self, KeyError> {
        if let Some(envelope) = Self::read(data_dir, said)? {
            return Ok(envelope);
        }
        let path = data_dir.join(FILE);
        let failed = |source| KeyError::File { path: path.clone(), source };
        files::open_directory(data_dir).map_err(failed)?;
        let fresh = Zeroizing::new(ids::random::<LENGTH>().map_err(|_| KeyError::Random)?);
        let line = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(*fresh)));
        match files::write(&path, line.as_bytes(), Replace::Never) {
            // Another process was first; its key is the one that counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(failed)?,
        }
        Self::read(data_dir, None)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }

    /// The master key that was said; without one that of the data directory, if it has one.
    pub fn read(data_dir: &Path, said: Option<&SecretText>) -> Result<Option<Self>, KeyError> {
        if let Some(said) = said {
            return Self::from_text(said.expose()).map(Some).ok_or(KeyError::NoKey);
        }
        let path = data_dir.join(FILE);
        let text = match files::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(KeyError::Damaged { path });
            }
            other => Zeroizing::new(other.map_err(|source| KeyError::File { path: path.clone(), source })?),
        };
        Self::from_text(&text).map(Some).ok_or(KeyError::Damaged { path })
    }

    /// Whether a text is a master key.
    pub fn is_key(text: &SecretText) -> bool {
        Self::from_text(text.expose()).is_some()
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let decoded = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
        let key = Zeroizing::new(decoded.ok()?);
        if key.len() != LENGTH {
            return None;
        }
        let mut fingerprint = [0; LENGTH];
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), b"envelope_key_fingerprint");
        fingerprint.copy_from_slice(tag.as_ref());
        Some(Self { master: self::key(&key).ok()?, fingerprint })
    }

    /// What tells two master keys apart and reveals neither.
    pub fn fingerprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.fingerprint)
    }

    /// Seals the secret of a subject, for `purpose` alone.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn seal(&self, purpose: &str, subject_id: &str, secret: &str) -> Result<String, NotSealed> {
        let sealed = || {
            let head = self.head();
            let bound = bound(&head, purpose, subject_id);
            let data_key = Zeroizing::new(ids::random::<LENGTH>()?);
            // In one piece from the beginning: one that grew would leave the secret where it was.
            let mut sealed = Zeroizing::new(Vec::with_capacity(SHORTEST + secret.len()));
            sealed.extend_from_slice(&head);
            append(&mut sealed, &self.master, &bound, &*data_key)?;
            append(&mut sealed, &key(&*data_key)?, &bound, secret.as_bytes())?;
            Ok::<_, Unspecified>(URL_SAFE_NO_PAD.encode(&*sealed))
        };
        sealed().map_err(|_| NotSealed)
    }

    /// The secret of a subject that was sealed for this purpose.
    ///
    /// # Errors
    ///
    /// When it was not, was altered, or was sealed under another master key.
    pub fn open(
        &self,
        purpose: &str,
        subject_id: &str,
        sealed: &str,
    ) -> Result<Zeroizing<String>, NotOpened> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| NotOpened::Damaged)?;
        let mut sealed = Zeroizing::new(sealed);
        if sealed.first().is_some_and(|version| *version != VERSION) {
            return Err(NotOpened::OtherVersion);
        }
        if sealed.len() < SHORTEST {
            return Err(NotOpened::Damaged);
        }
        let head = self.head();
        let (its_head, rest) = sealed.split_at_mut(HEAD);
        if *its_head != head {
            return Err(NotOpened::OtherKey);
        }
        let bound = bound(&head, purpose, subject_id);
        let (wrapped, secret) = rest.split_at_mut(WRAPPED);
        let secret = opened(&self.master, &bound, wrapped)
            .and_then(|data_key| opened(&key(data_key)?, &bound, secret))
            .map_err(|_| NotOpened::Damaged)?;
        let secret = str::from_utf8(secret).map_err(|_| NotOpened::Damaged)?;
        Ok(Zeroizing::new(secret.to_owned()))
    }

    fn head(&self) -> [u8; HEAD] {
        let mut head = [VERSION; HEAD];
        head[1..].copy_from_slice(&self.fingerprint[..MARK]);
        head
    }
}

fn key(bytes: &[u8]) -> Result<RandomizedNonceKey, Unspecified> {
    RandomizedNonceKey::new(&AES_256_GCM, bytes)
}

/// What is authenticated beside the secret.
fn bound(head: &[u8], purpose: &str, subject_id: &str) -> Vec<u8> {
    let mut bound = head.to_vec();
    for part in [purpose, subject_id] {
        // Length first: no two pairs run together into the same bytes.
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound
}

/// Appends a nonce, what is plain under the key, and a tag.
fn append(
    sealed: &mut Vec<u8>,
    key: &RandomizedNonceKey,
    bound: &[u8],
    plain: &[u8],
) -> Result<(), Unspecified> {
    let start = sealed.len();
    sealed.extend_from_slice(&[0; NONCE_LEN]);
    sealed.extend_from_slice(plain);
    let (place, body) = sealed[start..].split_at_mut(NONCE_LEN);
    let (nonce, tag) = key.seal_in_place_separate_tag(Aad::from(bound), body)?;
    place.copy_from_slice(nonce.as_ref());
    sealed.extend_from_slice(tag.as_ref());
    Ok(())
}

/// What [`append`] has appended, made plain in its place.
fn opened<'a>(key: &RandomizedNonceKey, bound: &[u8], sealed: &'a mut [u8]) -> Result<&'a [u8], Unspecified> {
    let (nonce, body) = sealed.split_at_mut(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(nonce)?;
    key.open_in_place(nonce, Aad::from(bound), body).map(|plain| &*plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(byte: u8) -> SecretText {
        SecretText::from(STANDARD.encode([byte; LENGTH]))
    }

    fn envelope(byte: u8) -> Envelope {
        let nowhere = Path::new("/nowhere");
        Envelope::read(nowhere, Some(&said(byte))).expect("a key").expect("a key")
    }

    #[test]
    fn a_secret_opens_for_its_subject_and_purpose_alone() {
        let envelope = envelope(1);
        let sealed = envelope.seal("signing_secret", "whk_1", "whsec_a").expect("randomness");
        let open = |purpose, id| envelope.open(purpose, id, &sealed).map(|secret| secret.to_string());
        assert_eq!(open("signing_secret", "whk_1").as_deref(), Ok("whsec_a"));
        for (purpose, id) in
            [("signing_secret", "whk_2"), ("other", "whk_1"), ("signing_secretw", "hk_1"), ("", "")]
        {
            assert_eq!(open(purpose, id), Err(NotOpened::Damaged), "{purpose} {id}");
        }
    }

    #[test]
    fn a_secret_is_never_sealed_in_the_same_way_twice_and_does_not_show() {
        let envelope = envelope(1);
        let [one, other] = [(); 2].map(|()| envelope.seal("a", "b", "hunter2").expect("randomness"));
        assert_ne!(one, other);
        let bytes = URL_SAFE_NO_PAD.decode(one).expect("base64");
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(format!("{envelope:?}"), "Envelope");
    }

    #[test]
    fn what_is_altered_anywhere_does_not_open() {
        let envelope = envelope(1);
        let sealed = envelope.seal("a", "b", "secret").expect("randomness");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                0 => NotOpened::OtherVersion,
                1..HEAD => NotOpened::OtherKey,
                _ => NotOpened::Damaged,
            };
            let opened = envelope.open("a", "b", &URL_SAFE_NO_PAD.encode(altered));
            assert_eq!(opened.err(), Some(expected), "bit {bit}");
        }
        for length in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert_eq!(envelope.open("a", "b", &cut).err(), Some(NotOpened::Damaged), "{length} bytes");
        }
        for text in ["", "no base64!", &format!("{sealed}A"), &format!("{sealed}=")] {
            assert!(envelope.open("a", "b", text).is_err(), "{text}");
        }
    }

    #[test]
    fn another_master_key_is_named_as_such() {
        let sealed = envelope(1).seal("a", "b", "secret").expect("randomness");
        assert_eq!(envelope(2).open("a", "b", &sealed).err(), Some(NotOpened::OtherKey));
        assert_ne!(envelope(1).fingerprint(), envelope(2).fingerprint());
        assert_eq!(envelope(1).fingerprint(), envelope(1).fingerprint());
    }

    #[test]
    fn a_key_may_be_said_in_any_base64_and_nothing_else_is_one() {
        let bytes = [0xfb; LENGTH];
        let fingerprint = envelope(0xfb).fingerprint();
        for text in [
            STANDARD.encode(bytes),
            URL_SAFE.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            format!(" {}\n", STANDARD.encode(bytes)),
        ] {
            let read = Envelope::read(Path::new("/nowhere"), Some(&SecretText::from(text)));
            assert_eq!(read.expect("a key").expect("a key").fingerprint(), fingerprint);
        }
        for text in [String::new(), "hunter2".to_owned(), STANDARD.encode([1; 31]), STANDARD.encode([1; 33])]
        {
            let text = SecretText::from(text);
            let error = Envelope::read(Path::new("/nowhere"), Some(&text)).expect_err("no key");
            assert!(matches!(error, KeyError::NoKey) && !format!("{error} {error:?}").contains("hunter2"));
            assert!(!Envelope::is_key(&text));
        }
    }

    #[test]
    fn a_key_is_made_once_and_what_is_damaged_is_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let data_dir = directory.path();
        assert!(Envelope::read(data_dir, None).expect("no key yet").is_none());
        let made = Envelope::read_or_make(data_dir, None).expect("a key").fingerprint();
        assert_eq!(Envelope::read_or_make(data_dir, None).expect("a key").fingerprint(), made);
        let path = data_dir.join(FILE);
        files::write(&path, b"damaged", Replace::Existing).expect("a file");
        let error = Envelope::read_or_make(data_dir, None).expect_err("no key");
        assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
        assert_eq!(files::read(&path).expect("a file"), "damaged");
        // What was said counts, and nothing is made or read.
        Envelope::read_or_make(data_dir, Some(&said(1))).expect("a key");
    }
}
