//! Data that cannot be opened is named and left as it was, and what is kept is for its owner alone.

use crate::black_box::support::binary;
use argus_core::Clock;
use argus_core::store::{Database, DatabaseUrl, OpenError, StoreSettings};
use argus_core::tenants;
use argus_partner::IdentityError;
use argus_server::service::PRODUCTS;
use argus_tests::{Installation, on_both_engines, open_command, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

on_both_engines! {
    a_data_directory_with_another_pepper_is_refused
}

/// Opens the store at a URL or path.
pub(crate) fn open(url: &str) -> Result<(), OpenError> {
    Database::open(&StoreSettings::new(DatabaseUrl::from(url.to_owned())), PRODUCTS).map(drop)
}

/// Brings the store at a URL or path up to date.
fn migrate(url: &str) -> Result<(), OpenError> {
    Database::migrate(&StoreSettings::new(DatabaseUrl::from(url.to_owned())), PRODUCTS).map(drop)
}

async fn a_data_directory_with_another_pepper_is_refused(installation: Installation) {
    drop(installation.identity());
    let pepper = installation.data_dir().join("secret_pepper");
    let original = fs::read(&pepper).unwrap();
    fs::write(&pepper, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n").unwrap();
    let error = installation.open(Clock::system()).unwrap_err();
    assert!(matches!(error, IdentityError::ForeignPepper(_)), "{error}");
    fs::write(&pepper, original).unwrap();
    drop(installation.open(Clock::system()).unwrap());
}

#[test]
fn a_file_that_is_not_a_database_is_named_and_left_as_it_was() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notes.db");
    let content = "these are notes, and not a database at all\n".repeat(200);
    fs::write(&path, &content).unwrap();
    for result in [open(path.to_str().unwrap()), migrate(path.to_str().unwrap())] {
        let error = result.unwrap_err();
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");
        assert!(error.to_string().contains("notes.db"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_was() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("argus.db");
    let url = format!("sqlite://{}", path.display());
    migrate(&url).unwrap();
    let mut content = fs::read(&path).unwrap();
    content[100..].fill(0xa5);
    fs::write(&path, &content).unwrap();
    let error = open(&url).unwrap_err();
    assert!(error.to_string().contains("argus.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), content);
}

#[test]
fn a_pepper_that_is_damaged_is_named_and_left_as_it_was() {
    let installation = Installation::sqlite();
    drop(installation.identity());
    let path = installation.data_dir().join("secret_pepper");
    for content in ["", "short", "!!!!", "c2hvcnQ\n"] {
        fs::write(&path, content).unwrap();
        let error = installation.open(Clock::system()).unwrap_err();
        assert!(matches!(error, IdentityError::Pepper(_)), "{error}");
        assert!(error.to_string().contains("secret_pepper"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn an_envelope_key_that_is_damaged_is_named_and_left_as_it_was() {
    let installation = Installation::sqlite();
    drop(installation.identity());
    let path = installation.data_dir().join("envelope_key");
    for content in ["", "short", "!!!!", "c2hvcnQ\n"] {
        fs::write(&path, content).unwrap();
        let error = installation.open(Clock::system()).unwrap_err();
        assert!(matches!(error, IdentityError::EnvelopeKey(_)), "{error}");
        assert!(error.to_string().contains("envelope_key"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_process_is_told_the_envelope_key_by_its_environment_and_shows_it_nowhere() {
    const KEY: &str = "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ=";
    let installation = Installation::sqlite();
    installation.place_keys();
    let token = |key: &str| {
        let mut command = open_command(binary());
        command.args(["token", "--scope", "argus:platform:admin"]);
        command.env("ARGUS_DATA_DIR", installation.data_dir()).env("ARGUS_ENVELOPE_KEY", key);
        command.output().unwrap()
    };
    assert!(token(KEY).status.success());
    assert!(!installation.data_dir().join("envelope_key").exists());
    for (key, expected) in [
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ARGUS_ENVELOPE_KEY"),
        ("hunter2", "base64"),
        ("", "base64"),
    ] {
        let refused = token(key);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.starts_with("argus: ") && said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(token(KEY).status.success());
}

#[test]
fn everything_that_is_kept_is_owner_only() {
    run(async {
        let installation = Installation::sqlite();
        let identity = installation.identity();
        tenants::create(identity.store(), identity.clock(), &"Example tenant".parse().unwrap())
            .await
            .unwrap();
        let data = installation.data_dir();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut seen = Vec::new();
        for directory in [data.clone(), data.join("keys")] {
            assert_eq!(mode(&directory), 0o700, "{directory:?}");
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    assert_eq!(mode(&path), 0o600, "{path:?}");
                    seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        for name in
            ["argus.db", "argus.db-wal", "argus.db-shm", "secret_pepper", "envelope_key", "manifest.json"]
        {
            assert!(seen.iter().any(|file| file == name), "{name} is not among {seen:?}");
        }
        assert!(seen.iter().any(|file| file.ends_with(".pem")));
    });
}

#[test]
fn a_database_file_that_others_could_read_is_made_owner_only() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("open.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    migrate(path.to_str().unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
