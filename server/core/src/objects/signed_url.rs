//! URLs that this service signs itself: who holds one may do one thing with one object until it expires,
//! without a token. The seal is made under the installation's pepper, so that every node of the store takes
//! it, and covers all that the URL says. A URL is taken in the one form in which it was given out: what
//! cannot be spelt in two ways cannot be altered and still be good.

use super::key::{DownloadName, ObjectKey};
use crate::Clock;
use crate::pepper::Pepper;
use argus_openapi::headers::SIGNED_URL_INVALID;
use argus_openapi::types::secret::SecretText;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What every path of an object begins with.
pub const PATH: &str = "/objects/";
/// What the pepper seals these for.
const PURPOSE: &str = "object_url";

/// What the holder of a URL may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the object, under this name if it is saved.
    Read {
        /// The name.
        name: Option<DownloadName>,
    },
    /// Put the object there.
    Write {
        /// How many bytes it may have.
        max_bytes: u64,
    },
}

impl Action {
    /// The method of the request that does it; `HEAD` goes with `GET`.
    const fn method(&self) -> &'static str {
        match self {
            Self::Read { .. } => "GET",
            Self::Write { .. } => "PUT",
        }
    }
}

/// What a URL allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// With which object.
    pub key: ObjectKey,
    /// What.
    pub action: Action,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// A URL that opens an object to whoever has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedUrl {
    /// The URL.
    pub url: SecretText,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Why a URL is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is not one that this service has signed, for this method.
    #[error("{SIGNED_URL_INVALID}")]
    Invalid,
    /// Its time is over.
    #[error("the URL has expired; ask for a new one")]
    Expired,
}

/// Makes and reads the URLs.
#[derive(Clone)]
pub struct UrlSigner {
    base_url: String,
    pepper: Arc<Pepper>,
    clock: Clock,
}

impl fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlSigner").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl UrlSigner {
    /// URLs below this base URL.
    pub fn new(base_url: String, pepper: Arc<Pepper>, clock: Clock) -> Self {
        Self { base_url, pepper, clock }
    }

    /// A URL that allows this for so long.
    pub fn sign(&self, key: &ObjectKey, action: &Action, lifetime: Duration) -> SignedUrl {
        let (expires_at, _) = whole_seconds(&self.clock, lifetime);
        let said = said(action, expires_at);
        let seal = self.seal(key.as_str(), action.method(), &said);
        let url = format!("{}{PATH}{key}?{said}&signature={seal}", self.base_url);
        SignedUrl { url: url.into(), expires_at }
    }

    /// What a request for this path with this query and method may do. `HEAD` counts as `GET`.
    pub fn verify(&self, method: &str, path: &str, query: &str) -> Result<Grant, NotTaken> {
        let key = path.strip_prefix(PATH).ok_or(NotTaken::Invalid)?;
        let (said, seal) = query.rsplit_once("&signature=").ok_or(NotTaken::Invalid)?;
        let method = if method == "HEAD" { "GET" } else { method };
        // Before anything is read of it.
        if !bool::from(self.seal(key, method, said).as_bytes().ct_eq(seal.as_bytes())) {
            return Err(NotTaken::Invalid);
        }
        let grant = read(key, said).filter(|grant| grant.action.method() == method);
        let grant = grant.ok_or(NotTaken::Invalid)?;
        if grant.expires_at <= self.clock.now() {
            return Err(NotTaken::Expired);
        }
        Ok(grant)
    }

    fn seal(&self, key: &str, method: &str, said: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.pepper.seal(PURPOSE, &[method, key, said]))
    }
}

/// Until when something lasts that begins now, and for how many seconds.
pub(super) fn whole_seconds(clock: &Clock, lifetime: Duration) -> (DateTime<Utc>, u64) {
    let seconds = lifetime.as_secs();
    let now = clock.now().timestamp();
    let end = now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
    (DateTime::from_timestamp(end, 0).unwrap_or(DateTime::<Utc>::MAX_UTC), seconds)
}

/// The query before its signature.
fn said(action: &Action, expires_at: DateTime<Utc>) -> String {
    let expires = expires_at.timestamp();
    match action {
        Action::Read { name: None } => format!("expires={expires}"),
        Action::Read { name: Some(name) } => format!("expires={expires}&name={}", name.as_str()),
        Action::Write { max_bytes } => format!("expires={expires}&max_bytes={max_bytes}"),
    }
}

/// What was said, from what was sealed.
fn read(key: &str, said: &str) -> Option<Grant> {
    let (expires, rest) = said.split_once('&').map_or((said, None), |(first, rest)| (first, Some(rest)));
    let seconds = expires.strip_prefix("expires=")?.parse().ok()?;
    let action = match rest.map(|rest| rest.split_once('=')) {
        None => Action::Read { name: None },
        Some(Some(("name", name))) => Action::Read { name: Some(name.parse().ok()?) },
        Some(Some(("max_bytes", most))) => Action::Write { max_bytes: most.parse().ok()? },
        Some(_) => return None,
    };
    Some(Grant { key: key.parse().ok()?, action, expires_at: DateTime::from_timestamp(seconds, 0)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const BASE: &str = "https://api.example";
    const HOUR: Duration = Duration::from_secs(3_600);

    struct Scene {
        signer: UrlSigner,
        clock: Clock,
        key: ObjectKey,
        _directory: tempfile::TempDir,
    }

    fn scene() -> Scene {
        let directory = tempfile::tempdir().expect("a directory");
        let pepper = Arc::new(Pepper::open(&directory.path().join("data")).expect("a pepper"));
        let clock = Clock::standing(DateTime::from_timestamp(1_800_000_000, 500).expect("a moment"));
        let signer = UrlSigner::new(BASE.to_owned(), pepper, clock.clone());
        let key = "results/tnt_1/01HFXY.csv".parse().expect("a key");
        Scene { signer, clock, key, _directory: directory }
    }

    fn reading(name: Option<&str>) -> Action {
        Action::Read { name: name.map(|name| name.parse().expect("a name")) }
    }

    fn parts(url: &SignedUrl) -> (String, String) {
        let target = url.url.expose().strip_prefix(BASE).expect("the base URL");
        let (path, query) = target.split_once('?').expect("a query");
        (path.to_owned(), query.to_owned())
    }

    #[test]
    fn a_url_allows_what_it_was_signed_for_until_it_expires() {
        let Scene { signer, clock, key, .. } = scene();
        for action in [reading(None), reading(Some("export.csv")), Action::Write { max_bytes: 1024 }] {
            let signed = signer.sign(&key, &action, HOUR);
            let (path, query) = parts(&signed);
            let grant = Grant { key: key.clone(), action: action.clone(), expires_at: signed.expires_at };
            assert_eq!(signer.verify(action.method(), &path, &query), Ok(grant));
        }
        let (path, query) = parts(&signer.sign(&key, &reading(None), HOUR));
        clock.advance(TimeDelta::seconds(3_599));
        signer.verify("HEAD", &path, &query).expect("still good");
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(signer.verify("GET", &path, &query), Err(NotTaken::Expired));
    }

    #[test]
    fn a_url_is_good_for_no_other_method_and_no_other_installation() {
        let Scene { signer, key, .. } = scene();
        let (path, query) = parts(&signer.sign(&key, &reading(None), HOUR));
        for method in ["PUT", "POST", "DELETE", "get", ""] {
            assert_eq!(signer.verify(method, &path, &query), Err(NotTaken::Invalid), "{method}");
        }
        let (path, query) = parts(&signer.sign(&key, &Action::Write { max_bytes: 1 }, HOUR));
        assert_eq!(signer.verify("GET", &path, &query), Err(NotTaken::Invalid));
        assert_eq!(scene().signer.verify("PUT", &path, &query), Err(NotTaken::Invalid));
    }

    /// Every URL that differs from a good one in one place.
    fn altered(text: &str) -> impl Iterator<Item = String> {
        let places = (0..=text.len()).collect::<Vec<_>>();
        let signs = b"0a9Z&=%/?._-+ \0".map(char::from);
        places.into_iter().flat_map(move |at| {
            let (before, after) = text.split_at(at);
            let rest = after.get(1..).unwrap_or_default();
            let inserted = signs.map(|sign| format!("{before}{sign}{after}"));
            let replaced = signs.map(|sign| format!("{before}{sign}{rest}"));
            let doubled = format!("{before}{}{after}", &after[..after.len().min(1)]);
            let others = [format!("{before}{rest}"), before.to_owned(), doubled];
            inserted.into_iter().chain(replaced).chain(others).collect::<Vec<_>>()
        })
    }

    #[test]
    fn no_url_that_was_altered_anywhere_is_taken() {
        let Scene { signer, key, .. } = scene();
        let actions = [reading(Some("export.csv")), Action::Write { max_bytes: 1024 }];
        let mut tried = 0;
        for action in actions {
            let (path, query) = parts(&signer.sign(&key, &action, HOUR));
            let good = format!("{path}?{query}");
            for url in altered(&good).filter(|url| *url != good) {
                let (path, query) = url.split_once('?').unwrap_or((&url, ""));
                for method in ["GET", "PUT"] {
                    assert_eq!(signer.verify(method, path, query), Err(NotTaken::Invalid), "{url}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 5_000, "{tried}");
    }

    #[test]
    fn a_signed_url_shows_nothing_when_it_is_formatted() {
        let Scene { signer, key, .. } = scene();
        let signed = signer.sign(&key, &reading(None), HOUR);
        assert!(!format!("{signed:?} {signer:?}").contains("signature="));
    }
}
