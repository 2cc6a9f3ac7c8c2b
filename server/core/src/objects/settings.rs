//! Where objects are kept: a directory of this node, a directory that all nodes share, or a bucket. Secrets
//! are not shown.

use super::error::OpenError;
use super::key::is_part;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::uri::base_url_path;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};

/// The directory's name in the data directory.
const DIRECTORY: &str = "objects";

/// What the store of objects needs to know to open.
#[derive(Clone, Debug)]
pub struct ObjectSettings {
    /// Where objects are kept.
    pub place: Place,
    /// How a bucket is reached.
    pub s3: S3Settings,
}

/// Where objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A directory.
    Directory {
        /// Its path.
        path: PathBuf,
        /// Whether every node sees the same files there.
        is_shared: bool,
    },
    /// A bucket of S3, R2 or their kin.
    Bucket {
        /// Its name.
        bucket: String,
        /// What every key there begins with; empty for nothing.
        prefix: String,
    },
}

/// How a bucket is reached. Without an access key the credentials are those of the machine or the pod: of its
/// instance, its container or its web identity.
#[derive(Clone, Debug, Default)]
pub struct S3Settings {
    /// URL of the service, where it is not AWS.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Id of the access key.
    pub access_key_id: Option<String>,
    /// The access key's secret.
    pub secret_access_key: Option<SecretText>,
    /// What goes with temporary credentials.
    pub session_token: Option<SecretText>,
    /// When temporary credentials end.
    pub credentials_end: Option<DateTime<Utc>>,
}

impl ObjectSettings {
    /// A directory of this node alone, in the data directory.
    pub fn embedded(data_dir: &Path) -> Self {
        let place = Place::Directory { path: data_dir.join(DIRECTORY), is_shared: false };
        Self { place, s3: S3Settings::default() }
    }

    /// Whether every node finds what another one has put there.
    pub fn is_shared(&self) -> bool {
        match &self.place {
            Place::Directory { is_shared, .. } => *is_shared,
            Place::Bucket { .. } => true,
        }
    }

    /// Whether the settings fit together.
    pub fn check(&self) -> Result<(), OpenError> {
        let S3Settings { endpoint, access_key_id, secret_access_key, session_token, credentials_end, .. } =
            &self.s3;
        let Place::Bucket { .. } = self.place else { return Ok(()) };
        if endpoint.as_deref().is_some_and(|endpoint| base_url_path(endpoint).is_none()) {
            return Err(OpenError::Location(
                "the endpoint must be an http or https URL without user, password, query or closing slash",
            ));
        }
        if access_key_id.is_some() != secret_access_key.is_some() {
            return Err(OpenError::Location("an access key has an id and a secret; one of them is missing"));
        }
        if session_token.is_some() && (access_key_id.is_none() || credentials_end.is_none()) {
            return Err(OpenError::Location(
                "a session token needs its access key and the end of the credentials \
                 (AWS_CREDENTIAL_EXPIRATION), because no URL may be promised for longer",
            ));
        }
        Ok(())
    }
}

impl Place {
    /// Reads `file://PATH`, `file://PATH?shared=true` or `s3://BUCKET[/PREFIX]`.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        const FORMS: &str = "use file://PATH, file://PATH?shared=true or s3://BUCKET[/PREFIX]";
        if text.chars().any(char::is_control) {
            return Err(OpenError::Location("it holds a control character"));
        }
        match text.split_once("://") {
            Some(("file", rest)) => {
                let (path, is_shared) = match rest.split_once('?') {
                    None => (rest, false),
                    Some((path, "shared=true")) => (path, true),
                    Some((path, "shared=false")) => (path, false),
                    Some(_) => return Err(OpenError::Location("a directory has one option, `shared`")),
                };
                if path.is_empty() {
                    return Err(OpenError::Location("the path is empty"));
                }
                Ok(Self::Directory { path: PathBuf::from(path), is_shared })
            }
            Some(("s3", rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                let prefix = prefix.trim_end_matches('/');
                if !is_part(bucket) || !prefix.is_empty() && !prefix.split('/').all(is_part) {
                    return Err(OpenError::Location(FORMS));
                }
                Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
            }
            _ => Err(OpenError::Location(FORMS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(s3: S3Settings) -> ObjectSettings {
        ObjectSettings { place: Place::parse("s3://argus").expect("a bucket"), s3 }
    }

    #[test]
    fn a_place_is_a_directory_a_shared_one_or_a_bucket() {
        let directory = |path: &str, is_shared| Place::Directory { path: path.into(), is_shared };
        let bucket =
            |bucket: &str, prefix: &str| Place::Bucket { bucket: bucket.into(), prefix: prefix.into() };
        for (text, place) in [
            ("file:///srv/objects", directory("/srv/objects", false)),
            ("file:///srv/objects?shared=true", directory("/srv/objects", true)),
            ("file://objects?shared=false", directory("objects", false)),
            ("s3://argus-jobs", bucket("argus-jobs", "")),
            ("s3://argus-jobs/a/b/", bucket("argus-jobs", "a/b")),
        ] {
            assert_eq!(Place::parse(text).expect(text), place);
        }
        for text in [
            "",
            "objects",
            "/srv/objects",
            "file://",
            "file:///a?shared=yes",
            "file:///a?b",
            "s3://",
            "s3:///a",
            "s3://a//b",
            "s3://a/../b",
            "s3://user@a",
            "https://a.example",
            "file:///a\n",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn half_a_key_and_a_token_without_an_end_are_refused() {
        let id = Some("id".to_owned());
        let secret = Some(SecretText::from("hunter2".to_owned()));
        let whole = S3Settings {
            access_key_id: id.clone(),
            secret_access_key: secret.clone(),
            ..S3Settings::default()
        };
        bucket(whole.clone()).check().expect("a key");
        bucket(S3Settings::default()).check().expect("the machine's own credentials");
        bucket(S3Settings { access_key_id: id, ..S3Settings::default() }).check().expect_err("half a key");
        let endless = S3Settings { session_token: secret.clone(), ..whole.clone() };
        bucket(endless.clone()).check().expect_err("no end");
        bucket(S3Settings { credentials_end: Some(Utc::now()), ..endless }).check().expect("an end");
        let nowhere =
            S3Settings { endpoint: Some("https://user:hunter2@r2.example".to_owned()), ..whole.clone() };
        let error = bucket(nowhere).check().expect_err("a password").to_string();
        assert!(!error.contains("hunter2") && !format!("{whole:?}").contains("hunter2"), "{error}");
    }
}
