//! Passwords: which are taken, and their hashes. Hashing is slow and takes 19 MiB on purpose, so it runs on the blocking
//! pool, few at a time; who finds no turn for long is told that the service is busy.

use crate::error::{Error, Fault};
use crate::ids;
use crate::store;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use argus_openapi::types::secret::SecretText;
use std::str::FromStr;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The shortest password, in characters. NIST SP 800-63B asks for 8 and no rules about what is in it; 12 is what its
/// readers have settled on.
pub const PASSWORD_MIN_LENGTH: usize = 12;
/// The longest, in characters.
pub const PASSWORD_MAX_LENGTH: usize = 256;
/// How many are hashed at a time, however many processors there are.
const TURNS_MAX: usize = 4;
/// How long somebody waits for a turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password that somebody may choose.
#[derive(Clone, Debug)]
pub struct Password(SecretText);

impl Password {
    pub(super) fn secret(&self) -> &SecretText {
        &self.0
    }
}

impl FromStr for Password {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.chars().count() {
            PASSWORD_MIN_LENGTH..=PASSWORD_MAX_LENGTH => Ok(Self(SecretText::from(text.to_owned()))),
            _ => Err(Error::Invalid(format!(
                "a password has {PASSWORD_MIN_LENGTH} to {PASSWORD_MAX_LENGTH} characters"
            ))),
        }
    }
}

/// Hashes passwords. The parameters are the usual ones of the library, which are those of OWASP: argon2id, 19 MiB, two
/// passes, one lane.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(processors.min(TURNS_MAX))) }
    }

    /// The hash of a password, as a PHC string.
    pub(super) async fn hash(&self, password: &SecretText) -> Result<String, Error> {
        let (turn, password) = (self.turn().await?, password.clone());
        self.run(turn, move || hash(&password)).await
    }

    /// Whether a password is the one behind a hash. Without a hash the same work is done in vain.
    pub(super) async fn matches(
        &self,
        password: SecretText,
        expected: Option<String>,
    ) -> Result<bool, Error> {
        let turn = self.turn().await?;
        let check = move || match expected {
            Some(expected) => {
                let expected = PasswordHash::new(&expected).map_err(|error| Fault::new(error.to_string()))?;
                Ok(Argon2::default().verify_password(password.expose().as_bytes(), &expected).is_ok())
            }
            None => hash(&password).map(|_| false),
        };
        self.run(turn, check).await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        match timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => {
                Err(store::Error::unavailable("too many passwords are being checked").into())
            }
        }
    }

    /// The turn ends with the work, also where nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turned = move || {
            let outcome = work();
            drop(turn);
            outcome
        };
        spawn_blocking(turned).await.map_err(Fault::new)?
    }
}

fn hash(password: &SecretText) -> Result<String, Error> {
    let salt = ids::random::<16>().map_err(Fault::new)?;
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.expose().as_bytes(), &salt)
        .map_err(|error| Fault::new(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone_and_nothing_where_there_is_none() {
        let (passwords, right) = (Passwords::new(), SecretText::from("correct horse battery".to_owned()));
        let hash = passwords.hash(&right).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let wrong = SecretText::from("Correct horse battery".to_owned());
        let outcomes = [(&right, Some(&hash), true), (&wrong, Some(&hash), false), (&right, None, false)];
        for (password, hash, expected) in outcomes {
            let matches = passwords.matches(password.clone(), hash.cloned()).await.expect("an outcome");
            assert_eq!(matches, expected);
        }
        assert_ne!(passwords.hash(&right).await.expect("a hash"), hash, "each hash has a salt of its own");
    }

    #[test]
    fn a_password_is_counted_in_characters() {
        assert!("é".repeat(PASSWORD_MIN_LENGTH).parse::<Password>().is_ok());
        assert!("é".repeat(PASSWORD_MIN_LENGTH - 1).parse::<Password>().is_err());
        assert!("a".repeat(PASSWORD_MAX_LENGTH + 1).parse::<Password>().is_err());
    }
}
