//! Objects in a bucket of S3, R2 or their kin, and the URLs by which it gives them out itself.
//!
//! A URL that was signed with temporary credentials dies with them, whatever it says. So none is given out
//! for longer: the end of credentials from the configuration is known; those of the machine or the pod are
//! renewed by the client five minutes before their end, which it does not tell.

use super::error::{Error, OpenError};
use super::key::{DownloadName, ObjectKey};
use super::settings::S3Settings;
use super::signed_url::{SignedUrl, whole_seconds};
use crate::Clock;
use argus_openapi::types::secret::SecretText;
use chrono::{DateTime, Utc};
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the store may be silent. There is no limit for the whole of a transfer: a slow one that flows is
/// a good one.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest that the signature of a URL can be good for (AWS Signature Version 4).
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The longest that a URL is good for whose credentials end at an unknown time, but not within five minutes.
const LONGEST_OF_A_ROLE: Duration = Duration::from_secs(4 * 60);

/// A bucket, and how long its credentials last.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) store: Arc<AmazonS3>,
    /// What references to its objects begin with.
    pub(super) reference: String,
    lifetime: Lifetime,
}

/// How long credentials last.
#[derive(Clone, Copy, Debug)]
enum Lifetime {
    /// Until they are withdrawn.
    Lasting,
    /// Until then.
    Until(DateTime<Utc>),
    /// They are renewed by the client.
    Renewed,
}

impl Bucket {
    pub(super) fn open(bucket: &str, settings: &S3Settings) -> Result<Self, OpenError> {
        let S3Settings { endpoint, region, access_key_id, secret_access_key, session_token, credentials_end } =
            settings;
        let timeouts = ClientOptions::new()
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE)
            .with_allow_http(endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")));
        // The environment says where the machine's own credentials come from.
        let mut builder = match access_key_id {
            Some(_) => AmazonS3Builder::new(),
            None => AmazonS3Builder::from_env(),
        };
        builder = builder.with_bucket_name(bucket).with_client_options(timeouts);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        if let (Some(id), Some(secret)) = (access_key_id, secret_access_key) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose());
        }
        if let Some(token) = session_token {
            builder = builder.with_token(token.expose());
        }
        let lifetime = match (access_key_id, credentials_end) {
            (None, _) => Lifetime::Renewed,
            (Some(_), Some(end)) => Lifetime::Until(*end),
            (Some(_), None) => Lifetime::Lasting,
        };
        let is_r2 =
            endpoint.as_deref().is_some_and(|endpoint| endpoint.ends_with(".r2.cloudflarestorage.com"));
        let reference = format!("{}://{bucket}/", if is_r2 { "r2" } else { "s3" });
        Ok(Self { store: Arc::new(builder.build()?), reference, lifetime })
    }

    /// A URL by which the bucket gives out an object for so long, or for as long as the credentials allow.
    pub(super) async fn sign(
        &self,
        path: &Path,
        key: &ObjectKey,
        name: Option<&DownloadName>,
        lifetime: Duration,
        clock: &Clock,
    ) -> Result<SignedUrl, Error> {
        let (expires_at, seconds) = whole_seconds(clock, self.allowed(lifetime, clock)?);
        let mut answer = vec![
            ("response-cache-control", "private, no-store".to_owned()),
            ("response-content-type", key.media_type().to_owned()),
        ];
        answer.extend(name.map(|name| ("response-content-disposition", name.disposition())));
        let options = SignedUrlOptions::new().with_query(answer);
        let lifetime = Duration::from_secs(seconds);
        let url = self.store.signed_url_opts(Method::GET, path, lifetime, &options).await?;
        Ok(SignedUrl { url: SecretText::from(String::from(url)), expires_at })
    }

    fn allowed(&self, lifetime: Duration, clock: &Clock) -> Result<Duration, Error> {
        let most = match self.lifetime {
            Lifetime::Lasting => LONGEST,
            Lifetime::Renewed => LONGEST_OF_A_ROLE,
            Lifetime::Until(end) => (end - clock.now()).to_std().map_err(|_| Error::CredentialsEnded)?,
        };
        let allowed = lifetime.min(most).min(LONGEST);
        if allowed < Duration::from_secs(1) { Err(Error::CredentialsEnded) } else { Ok(allowed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn settings(credentials_end: Option<DateTime<Utc>>) -> S3Settings {
        S3Settings {
            endpoint: Some("https://0123.r2.cloudflarestorage.com".to_owned()),
            access_key_id: Some("id".to_owned()),
            secret_access_key: Some("secret".to_owned().into()),
            session_token: credentials_end.map(|_| "token".to_owned().into()),
            credentials_end,
            ..S3Settings::default()
        }
    }

    async fn signed(settings: &S3Settings, clock: &Clock, lifetime: u64) -> Result<SignedUrl, Error> {
        let bucket = Bucket::open("argus", settings).expect("a bucket");
        let key: ObjectKey = "results/tnt_1/a.csv".parse().expect("a key");
        let name = "export.csv".parse().expect("a name");
        let path = Path::from(key.as_str());
        bucket.sign(&path, &key, Some(&name), Duration::from_secs(lifetime), clock).await
    }

    #[tokio::test]
    async fn no_url_is_promised_for_longer_than_its_credentials_last() {
        let clock = Clock::standing(Utc::now());
        let now = clock.now();
        for (left, asked, given) in [(600, 3_600, 600), (600, 60, 60), (10_000_000, 5_000_000, 604_800)] {
            let url = signed(&settings(Some(now + TimeDelta::seconds(left))), &clock, asked).await;
            let url = url.expect("credentials that last");
            assert!(url.url.expose().contains(&format!("X-Amz-Expires={given}&")), "{asked}");
            assert_eq!(url.expires_at.timestamp() - now.timestamp(), given, "{asked}");
        }
        for end in [now, now - TimeDelta::hours(1)] {
            let refused = signed(&settings(Some(end)), &clock, 60).await;
            assert!(matches!(refused, Err(Error::CredentialsEnded)), "{refused:?}");
        }
        let url = signed(&settings(None), &clock, 3_600).await.expect("credentials that last");
        assert_eq!(url.expires_at.timestamp() - now.timestamp(), 3_600);
    }

    #[tokio::test]
    async fn the_signature_covers_the_name_of_the_download() {
        let url = signed(&settings(None), &Clock::system(), 60).await.expect("a URL");
        let disposition = "response-content-disposition=attachment%3B%20filename%3D%22export.csv%22";
        assert!(url.url.expose().contains(disposition), "{}", url.url.expose());
    }
}
