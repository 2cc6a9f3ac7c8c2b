//! Nodes of one store: they have the same pepper, envelope key and signing keys, or are refused.

use crate::black_box::support::binary;
use argus_core::Clock;
use argus_core::files::{self, Replace};
use argus_core::store::Database;
use argus_openapi::types::secret::SecretText;
use argus_partner::signing_keys::{Begin, KeyError, KeyRing};
use argus_partner::{Identity, IdentityError, IdentitySettings};
use argus_server::service;
use argus_server::settings::Settings;
use argus_tests::{Installation, name_database, on_both_engines, open_command, place_keys};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Barrier};
use std::thread;

on_both_engines! {
    a_node_with_other_keys_is_refused_and_they_are_left_as_they_are
    a_node_without_keys_or_pepper_is_refused_and_makes_none
    a_node_has_the_envelope_key_of_the_others_in_its_file_or_by_its_settings_or_is_refused
    a_copy_of_the_keys_is_refused_once_the_others_have_rotated
    a_rotation_that_ended_before_the_store_was_told_is_completed_by_the_next_start
    a_store_that_knows_no_keys_yet_learns_them
    nodes_that_start_and_rotate_at_the_same_time_agree
    of_two_copies_that_rotate_at_the_same_time_one_is_refused_and_keeps_its_keys
    adopted_keys_count_and_the_others_are_refused
    lost_keys_are_replaced_when_the_operator_says_so
}

/// Another node of the installation's store, with a copy of its pepper and its envelope key, and no signing keys.
fn node(installation: &Installation, name: &str) -> Settings {
    let data_dir = installation.scratch().join(name);
    files::open_directory(&data_dir).unwrap();
    for name in ["secret_pepper", "envelope_key"] {
        fs::copy(installation.data_dir().join(name), data_dir.join(name)).unwrap();
    }
    Settings { identity: IdentitySettings::new(&data_dir), ..installation.settings.clone() }
}

/// The same with a copy of its keys.
fn copy(installation: &Installation, name: &str) -> Settings {
    let node = node(installation, name);
    copy_keys(&installation.data_dir(), &node.identity.data_dir);
    node
}

fn copy_keys(from: &Path, to: &Path) {
    files::open_directory(&to.join("keys")).unwrap();
    for entry in fs::read_dir(from.join("keys")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join("keys").join(path.file_name().unwrap())).unwrap();
    }
}

/// A node with keys of its own.
fn stranger(installation: &Installation, name: &str) -> Settings {
    let node = node(installation, name);
    drop(KeyRing::open(&node.identity.data_dir, Clock::system()).unwrap());
    node
}

fn open(settings: &Settings) -> Result<(Database, Identity), IdentityError> {
    service::open(settings, Clock::system())
}

#[track_caller]
fn assert_foreign(settings: &Settings) {
    let before = content(&settings.identity.data_dir);
    let error = open(settings).unwrap_err();
    assert!(matches!(error, IdentityError::ForeignKeys { .. }), "{error}");
    assert!(error.to_string().contains("argus keys adopt"), "{error}");
    assert_eq!(content(&settings.identity.data_dir), before);
}

/// The files below a directory, without locks.
fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if path.extension().is_some_and(|extension| extension == "pem" || extension == "json") {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

fn command(settings: &Settings, arguments: &[&str]) -> Output {
    let mut command = open_command(binary());
    name_database(&mut command, &settings.store);
    command.args(arguments).env("ARGUS_DATA_DIR", &settings.identity.data_dir).output().unwrap()
}

async fn a_node_with_other_keys_is_refused_and_they_are_left_as_they_are(installation: Installation) {
    drop(installation.identity());
    let stranger = stranger(&installation, "stranger");
    assert_foreign(&stranger);
    for arguments in [&["token", "--scope", "argus:platform:read"][..], &["keys", "rotate"]] {
        let before = content(&stranger.identity.data_dir);
        let refused = command(&stranger, arguments);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.starts_with("argus: ") && said.contains("argus keys adopt"), "{said}");
        assert_eq!(content(&stranger.identity.data_dir), before);
    }
    drop(open(&copy(&installation, "copy")).unwrap());
    drop(installation.identity());
}

async fn a_node_without_keys_or_pepper_is_refused_and_makes_none(installation: Installation) {
    drop(installation.identity());
    let node = node(&installation, "node");
    assert_foreign(&node);
    let keys = node.identity.data_dir.join("keys");
    assert!(!keys.exists());
    let pepper = node.identity.data_dir.join("secret_pepper");
    fs::remove_file(&pepper).unwrap();
    let error = open(&node).unwrap_err();
    assert!(matches!(error, IdentityError::ForeignPepper(_)), "{error}");
    assert!(!pepper.exists() && !keys.exists());
}

async fn a_node_has_the_envelope_key_of_the_others_in_its_file_or_by_its_settings_or_is_refused(
    installation: Installation,
) {
    let identity = installation.identity();
    let sealed = identity.envelope().seal("purpose", "subject", "secret").unwrap();
    let mut node = copy(&installation, "node");
    let opened = |node: &Settings| {
        let (_database, identity) = open(node).unwrap();
        identity.envelope().open("purpose", "subject", &sealed).unwrap().to_string()
    };
    assert_eq!(opened(&node), "secret");
    let file = node.identity.data_dir.join("envelope_key");
    let key = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let error = open(&node).unwrap_err();
    assert!(matches!(error, IdentityError::ForeignEnvelopeKey(_)), "{error}");
    let said = error.to_string();
    assert!(said.contains("envelope_key") && said.contains("ARGUS_ENVELOPE_KEY"), "{said}");
    assert!(!file.exists());
    node.identity.envelope_key = Some(SecretText::from(key));
    assert_eq!(opened(&node), "secret");
    assert!(!file.exists());
    let other = SecretText::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned());
    node.identity.envelope_key = Some(other);
    let error = open(&node).unwrap_err();
    assert!(matches!(error, IdentityError::ForeignEnvelopeKey(_)), "{error}");
}

async fn a_copy_of_the_keys_is_refused_once_the_others_have_rotated(installation: Installation) {
    let (_database, identity) = installation.database_and_identity();
    let copy = copy(&installation, "copy");
    drop(open(&copy).unwrap());
    identity.rotate_keys(Begin::OncePublished).unwrap();
    assert_foreign(&copy);
    // Who shares the directory is up to date, and so is a new copy.
    drop(installation.identity());
    copy_keys(&installation.data_dir(), &copy.identity.data_dir);
    drop(open(&copy).unwrap());
}

async fn a_rotation_that_ended_before_the_store_was_told_is_completed_by_the_next_start(
    installation: Installation,
) {
    drop(installation.identity());
    let before = copy(&installation, "before");
    let ring = KeyRing::open(&installation.data_dir(), Clock::system()).unwrap();
    for _ in 0..2 {
        ring.rotate(Begin::OncePublished, |_| Ok::<_, KeyError>(())).unwrap();
    }
    drop(open(&before).unwrap());
    let identity = installation.identity();
    assert_eq!(identity.keys().jwks().keys.len(), 3);
    assert_foreign(&before);
    identity.rotate_keys(Begin::OncePublished).unwrap();
    drop(installation.identity());
}

async fn a_store_that_knows_no_keys_yet_learns_them(installation: Installation) {
    drop(installation.identity());
    let forget = "DELETE FROM installation WHERE name = 'newest_signing_key'";
    argus_tests::sql::execute(&mut installation.connect(), forget).unwrap();
    drop(installation.identity());
    assert_foreign(&stranger(&installation, "stranger"));
}

async fn nodes_that_start_and_rotate_at_the_same_time_agree(installation: Installation) {
    installation.place_keys();
    installation.migrate();
    let barrier = Arc::new(Barrier::new(6));
    let nodes: Vec<_> = (0..6)
        .map(|index| {
            let (settings, barrier) = (installation.settings.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                let (_database, identity) = open(&settings).unwrap();
                (index < 3).then(|| identity.rotate_keys(Begin::OncePublished).unwrap().kid)
            })
        })
        .collect();
    let made: Vec<_> = nodes.into_iter().filter_map(|node| node.join().unwrap()).collect();
    let identity = installation.identity();
    let kids = identity.keys().kids();
    assert_eq!(kids.len(), 4);
    assert!(made.iter().all(|kid| kids.contains(kid)), "{made:?} of {kids:?}");
    let recorded = "SELECT value AS line FROM installation WHERE name = 'newest_signing_key'";
    let recorded = argus_tests::sql::lines(&mut installation.connect(), recorded).unwrap();
    assert_eq!(recorded, kids[3..]);
}

async fn of_two_copies_that_rotate_at_the_same_time_one_is_refused_and_keeps_its_keys(
    installation: Installation,
) {
    drop(installation.identity());
    let copies = ["one", "two"].map(|name| copy(&installation, name));
    let opened = copies.clone().map(|settings| open(&settings).unwrap());
    let before = copies.each_ref().map(|settings| content(&settings.identity.data_dir));
    let barrier = Arc::new(Barrier::new(2));
    let rotations = opened.map(|(database, identity)| {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || {
            barrier.wait();
            let outcome = identity.rotate_keys(Begin::OncePublished);
            drop(database);
            outcome
        })
    });
    let outcomes = rotations.map(|rotation| rotation.join().unwrap());
    let [one, two] = outcomes.each_ref().map(Result::is_ok);
    assert_ne!(one, two, "{outcomes:?}");
    let refused = usize::from(one);
    assert!(matches!(outcomes[refused], Err(IdentityError::ForeignKeys { .. })), "{outcomes:?}");
    assert_eq!(content(&copies[refused].identity.data_dir), before[refused]);
    assert_foreign(&copies[refused]);
    drop(open(&copies[1 - refused]).unwrap());
}

async fn adopted_keys_count_and_the_others_are_refused(installation: Installation) {
    let former = installation.identity().keys().kids();
    let stranger = stranger(&installation, "stranger");
    let adopted = command(&stranger, &["keys", "adopt"]);
    let said = String::from_utf8(adopted.stdout).unwrap();
    assert!(adopted.status.success(), "{said}");
    assert!(said.contains(&former[0]) && said.contains("  signing "), "{said}");
    let (_database, identity) = open(&stranger).unwrap();
    assert_ne!(identity.keys().kids(), former);
    assert_foreign(&installation.settings);
    let again = command(&stranger, &["keys", "adopt"]);
    assert!(String::from_utf8(again.stdout).unwrap().contains("knows these keys already"));
    // With another pepper it would not be a node of this store at all.
    let pepper = stranger.identity.data_dir.join("secret_pepper");
    files::write(&pepper, b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", Replace::Existing).unwrap();
    let refused = command(&stranger, &["keys", "adopt"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("pepper"));
}

async fn lost_keys_are_replaced_when_the_operator_says_so(installation: Installation) {
    drop(installation.identity());
    let keys = installation.data_dir().join("keys");
    fs::remove_dir_all(&keys).unwrap();
    assert_foreign(&installation.settings);
    assert!(!keys.exists());
    let adopted = command(&installation.settings, &["keys", "adopt"]);
    assert!(adopted.status.success(), "{adopted:?}");
    let (_database, identity) = open(&installation.settings).unwrap();
    assert_eq!(identity.keys().jwks().keys.len(), 1);
}

#[test]
fn a_rotation_or_adoption_makes_no_store() {
    let directory = tempfile::TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    place_keys(&data_dir);
    let before = content(&data_dir);
    for action in ["rotate", "adopt"] {
        let refused = argus_tests::argus(binary(), &data_dir, &["keys", action]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("--database-url") && said.contains("argus.db"), "{said}");
        assert_eq!(content(&data_dir), before);
        assert!(!data_dir.join("argus.db").exists());
    }
}
