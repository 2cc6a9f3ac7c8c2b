//! The key ring: rotation with overlap, damaged files, and processes that change it together.

use argus_core::Clock;
use argus_openapi::types::common::SecrecyLevel;
use argus_partner::claims::Claims;
use argus_partner::signing_keys::{
    Begin, KEY_SET_MAX_AGE, KeyError, KeyRing, KeyState, KeyStatus, TOKEN_LIFETIME_MAX, TokenError,
};
use argus_tests::place_keys;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A ring whose first key was made beforehand.
pub(crate) fn ring() -> (TempDir, KeyRing) {
    let directory = TempDir::new().unwrap();
    place_keys(directory.path());
    let ring = KeyRing::open(directory.path(), Clock::system()).unwrap();
    (directory, ring)
}

pub(crate) fn claims() -> Claims {
    let now = Utc::now().timestamp();
    Claims {
        iss: "https://auth.knogin.com".to_owned(),
        sub: "app_1".to_owned(),
        aud: "api".to_owned(),
        exp: now + 3_600,
        iat: now,
        nbf: None,
        jti: "01".to_owned(),
        client_id: "app_1".to_owned(),
        scope: "argus:jobs:read".to_owned(),
        tenant_id: "tnt_1".to_owned(),
        organization_id: "org_1".to_owned(),
        secrecy_level: SecrecyLevel::Standard,
        sid: None,
        scenarios: None,
    }
}

/// Rotates without any store.
fn rotate(ring: &KeyRing, begin: Begin) -> Result<KeyStatus, KeyError> {
    ring.rotate(begin, |_| Ok(()))
}

/// Rotates at once, and names the new key.
fn rotated(ring: &KeyRing) -> String {
    rotate(ring, Begin::Now).unwrap().kid
}

/// The key that signs now.
fn signing(ring: &KeyRing) -> String {
    let token = ring.sign(&claims()).unwrap();
    assert!(ring.verify_signature(&token).is_ok());
    jsonwebtoken::decode_header(&token).unwrap().kid.unwrap()
}

fn states(ring: &KeyRing) -> Vec<(String, KeyState)> {
    ring.list().into_iter().map(|key| (key.kid, key.state)).collect()
}

fn manifest(directory: &TempDir) -> PathBuf {
    directory.path().join("keys/manifest.json")
}

fn key_file(directory: &TempDir, kid: &str) -> PathBuf {
    directory.path().join(format!("keys/{kid}.pem"))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("keys")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn another_library_verifies_a_token_with_the_published_key() {
    let (_directory, ring) = ring();
    let token = ring.sign(&claims()).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (jsonwebtoken::Algorithm::RS256, Some("at+jwt")));
    let jwks = ring.jwks();
    let key = jwks.keys.iter().find(|key| Some(&key.kid) == header.kid.as_ref()).unwrap();
    assert_eq!((key.kty.as_str(), key.alg.as_str(), key.key_use.as_str()), ("RSA", "RS256", "sig"));
    assert_eq!(URL_SAFE_NO_PAD.decode(&key.n).unwrap().len(), 256);
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&["api"]);
    let decoding = jsonwebtoken::DecodingKey::from_rsa_components(&key.n, &key.e).unwrap();
    let decoded = jsonwebtoken::decode::<Claims>(&token, &decoding, &rules).unwrap();
    assert_eq!(decoded.claims, ring.verify_signature(&token).unwrap());
}

#[test]
fn the_key_id_is_the_rfc_7638_thumbprint_and_outlives_a_restart() {
    let (directory, ring) = ring();
    let key = ring.jwks().keys.remove(0);
    let text = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, key.e, key.n);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    assert_eq!(key.kid, URL_SAFE_NO_PAD.encode(digest));
    let token = ring.sign(&claims()).unwrap();
    drop(ring);
    let reopened = KeyRing::open(directory.path(), Clock::system()).unwrap();
    assert_eq!(reopened.jwks().keys, [key]);
    assert!(reopened.verify_signature(&token).is_ok());
}

#[test]
fn a_retired_key_stays_published_until_its_last_token_has_expired() {
    let (directory, ring) = ring();
    let old = ring.sign(&claims()).unwrap();
    let old_kid = ring.jwks().keys.remove(0).kid;
    let rotated_at = Utc::now();
    let new_kid = rotated(&ring);
    let new = ring.sign(&claims()).unwrap();
    assert_eq!(jsonwebtoken::decode_header(&new).unwrap().kid.as_ref(), Some(&new_kid));
    assert!(ring.verify_signature(&old).is_ok() && ring.verify_signature(&new).is_ok());
    let published: Vec<_> = ring.jwks().keys.into_iter().map(|key| key.kid).collect();
    assert_eq!(published, [new_kid.clone(), old_kid.clone()]);
    let until = ring.list()[1].published_until.unwrap();
    assert!(until >= rotated_at + TimeDelta::seconds(TOKEN_LIFETIME_MAX), "{until}");
    assert!(until <= rotated_at + TimeDelta::seconds(TOKEN_LIFETIME_MAX + 120), "{until}");

    // A day later: the same ring with the end of the overlap in the past.
    let text = fs::read_to_string(manifest(&directory)).unwrap();
    let past = serde_json::to_string(&(Utc::now() - TimeDelta::seconds(1))).unwrap();
    let end = serde_json::to_value(until).unwrap().to_string();
    assert!(text.contains(&end));
    fs::write(manifest(&directory), text.replace(&end, &past)).unwrap();
    ring.refresh().unwrap();
    assert_eq!(ring.verify_signature(&old), Err(TokenError::UnknownKey));
    assert!(ring.public_key(&old_kid).is_none() && ring.public_key(&new_kid).is_some());
    assert_eq!(ring.jwks().keys.len(), 1);
    assert!(ring.verify_signature(&new).is_ok());
    assert!(key_file(&directory, &old_kid).exists());
    rotated(&ring);
    assert!(!key_file(&directory, &old_kid).exists(), "a key of no use is removed at the next rotation");
    assert!(ring.verify_signature(&new).is_ok());
}

#[test]
fn a_retired_key_ends_on_time_without_any_change_on_the_disk() {
    let (directory, ring) = ring();
    let old = ring.sign(&claims()).unwrap();
    rotated(&ring);
    let end = serde_json::to_value(ring.list()[1].published_until).unwrap().to_string();
    let soon = serde_json::to_string(&(Utc::now() + TimeDelta::milliseconds(200))).unwrap();
    let text = fs::read_to_string(manifest(&directory)).unwrap();
    fs::write(manifest(&directory), text.replace(&end, &soon)).unwrap();
    ring.refresh().unwrap();
    let give_up = Instant::now() + Duration::from_secs(20);
    while ring.verify_signature(&old) != Err(TokenError::UnknownKey) {
        assert!(Instant::now() < give_up, "the key is still in use");
    }
    assert_eq!(ring.jwks().keys.len(), 1);
}

#[test]
fn a_retired_key_ends_when_the_clock_says_so() {
    let directory = TempDir::new().unwrap();
    place_keys(directory.path());
    let clock = Clock::standing(Utc::now());
    let ring = KeyRing::open(directory.path(), clock.clone()).unwrap();
    let old = ring.sign(&claims()).unwrap();
    rotated(&ring);
    let until = ring.list()[1].published_until.unwrap();
    clock.advance(until - clock.now() - TimeDelta::microseconds(1));
    assert!(ring.verify_signature(&old).is_ok());
    clock.advance(TimeDelta::microseconds(1));
    assert_eq!(ring.verify_signature(&old), Err(TokenError::UnknownKey));
    assert_eq!(ring.jwks().keys.len(), 1);
}

#[test]
fn a_new_key_is_published_at_once_and_signs_when_nobody_holds_a_key_set_without_it() {
    let directory = TempDir::new().unwrap();
    place_keys(directory.path());
    let clock = Clock::standing(Utc::now());
    let [operator, node] = [(); 2].map(|()| KeyRing::open(directory.path(), clock.clone()).unwrap());
    let old = signing(&node);
    let rotated_at = clock.now();
    let new = rotate(&operator, Begin::OncePublished).unwrap();
    assert_eq!((new.state, new.created_at), (KeyState::Published, rotated_at));
    let wait = new.signs_from - rotated_at;
    assert!(wait > TimeDelta::seconds(KEY_SET_MAX_AGE.into()), "{wait}");
    assert!(wait <= TimeDelta::seconds(i64::from(KEY_SET_MAX_AGE) + 60), "{wait}");
    node.refresh().unwrap();
    for ring in [&operator, &node] {
        assert_eq!(states(ring), [(old.clone(), KeyState::Signing), (new.kid.clone(), KeyState::Published)]);
        let published: Vec<String> = ring.jwks().keys.into_iter().map(|key| key.kid).collect();
        assert_eq!(published, [old.clone(), new.kid.clone()]);
        assert_eq!(signing(ring), old);
    }
    clock.advance(wait - TimeDelta::microseconds(1));
    assert_eq!((signing(&operator), signing(&node)), (old.clone(), old.clone()));
    let last = node.sign(&claims()).unwrap();
    // Nothing changes on the disk: each node sees by its clock that the time has come.
    clock.advance(TimeDelta::microseconds(1));
    let reopened = KeyRing::open(directory.path(), clock.clone()).unwrap();
    for ring in [&operator, &node, &reopened] {
        assert_eq!(states(ring), [(new.kid.clone(), KeyState::Signing), (old.clone(), KeyState::Retired)]);
        assert_eq!(signing(ring), new.kid);
    }
    // The last token of the old key is good to its end.
    clock.advance(TimeDelta::seconds(TOKEN_LIFETIME_MAX));
    assert!(node.verify_signature(&last).is_ok() && reopened.verify_signature(&last).is_ok());
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(node.verify_signature(&last), Err(TokenError::UnknownKey));
    assert_eq!(states(&node), [(new.kid, KeyState::Signing)]);
}

#[test]
fn in_an_emergency_a_key_signs_at_once_even_while_another_one_waits() {
    let directory = TempDir::new().unwrap();
    place_keys(directory.path());
    let clock = Clock::standing(Utc::now());
    let ring = KeyRing::open(directory.path(), clock.clone()).unwrap();
    let first = signing(&ring);
    let waiting = rotate(&ring, Begin::OncePublished).unwrap();
    let urgent = rotate(&ring, Begin::Now).unwrap();
    assert_eq!((urgent.state, urgent.signs_from), (KeyState::Signing, clock.now()));
    assert_eq!(signing(&ring), urgent.kid);
    clock.advance(waiting.signs_from - clock.now() + TimeDelta::seconds(1));
    assert_eq!(signing(&ring), urgent.kid, "a key that has been overtaken never signs");
    let expected =
        [(urgent.kid, KeyState::Signing), (waiting.kid, KeyState::Retired), (first, KeyState::Retired)];
    assert_eq!(states(&ring), expected);
    assert_eq!(states(&KeyRing::open(directory.path(), clock).unwrap()), expected);
}

#[test]
fn keys_that_wait_sign_one_after_the_other() {
    let directory = TempDir::new().unwrap();
    place_keys(directory.path());
    let clock = Clock::standing(Utc::now());
    let ring = KeyRing::open(directory.path(), clock.clone()).unwrap();
    let first = signing(&ring);
    let second = rotate(&ring, Begin::OncePublished).unwrap();
    clock.advance(TimeDelta::seconds(100));
    let third = rotate(&ring, Begin::OncePublished).unwrap();
    assert_eq!(signing(&ring), first);
    clock.advance(second.signs_from - clock.now());
    assert_eq!(signing(&ring), second.kid);
    clock.advance(third.signs_from - clock.now());
    assert_eq!(signing(&ring), third.kid);
    let retired = &ring.list()[1];
    assert_eq!(retired.kid, second.kid);
    assert!(retired.published_until.unwrap() >= third.signs_from + TimeDelta::seconds(TOKEN_LIFETIME_MAX));
}

#[test]
fn the_first_key_signs_at_once_and_a_clock_before_it_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::standing("2026-11-25T12:00:00Z".parse().unwrap());
    let ring = KeyRing::open(directory.path(), clock.clone()).unwrap();
    let kid = signing(&ring);
    assert_eq!(states(&ring), [(kid.clone(), KeyState::Signing)]);
    clock.advance(TimeDelta::days(-1));
    assert_eq!(signing(&ring), kid);
    assert_eq!(signing(&KeyRing::open(directory.path(), clock).unwrap()), kid);
}

#[test]
fn a_rotation_that_cannot_be_recorded_did_not_happen() {
    let (directory, ring) = ring();
    // The lock stays where it is.
    drop(fs::File::create(directory.path().join("keys/.lock")).unwrap());
    let before = (names(directory.path()), fs::read(manifest(&directory)).unwrap(), states(&ring));
    let mut told = Vec::new();
    let outcome = ring.rotate(Begin::Now, |kids| {
        told = kids.to_vec();
        Err(KeyError::Absent(directory.path().to_owned()))
    });
    assert!(matches!(outcome, Err(KeyError::Absent(_))), "{outcome:?}");
    assert_eq!((told.len(), &told[0]), (2, &before.2[0].0), "the new key is the last one");
    ring.refresh().unwrap();
    let after = (names(directory.path()), fs::read(manifest(&directory)).unwrap(), states(&ring));
    assert_eq!(after, before);
}

#[test]
fn a_key_that_a_killed_rotation_left_is_removed_at_the_next_one() {
    let (directory, ring) = ring();
    let kid = signing(&ring);
    // What was written before the rotation was killed; the manifest does not name it.
    let left = key_file(&directory, &"A".repeat(43));
    fs::copy(key_file(&directory, &kid), &left).unwrap();
    // These are somebody else's.
    let others = ["notes.txt", "backup.pem"].map(|name| directory.path().join("keys").join(name));
    for path in &others {
        fs::write(path, "").unwrap();
    }
    let reopened = KeyRing::open(directory.path(), Clock::system()).unwrap();
    assert_eq!(states(&reopened), [(kid.clone(), KeyState::Signing)], "it does not count");
    assert!(left.exists(), "a rotation could be at it");
    let new = rotated(&ring);
    assert!(!left.exists() && others.iter().all(|path| path.exists()));
    assert_eq!(states(&ring), [(new, KeyState::Signing), (kid, KeyState::Retired)]);
}

#[test]
fn a_ring_of_the_first_version_is_read_and_rotated() {
    let (directory, ring) = ring();
    let kid = signing(&ring);
    let text =
        format!(r#"{{"active":"{kid}","keys":[{{"kid":"{kid}","created_at":"2026-11-22T12:00:00Z"}}]}}"#);
    fs::write(manifest(&directory), text).unwrap();
    ring.refresh().unwrap();
    assert_eq!(states(&ring), [(kid.clone(), KeyState::Signing)]);
    let new = rotated(&ring);
    assert_eq!(states(&ring), [(new, KeyState::Signing), (kid, KeyState::Retired)]);
}

#[test]
fn a_running_server_notices_a_rotation_by_another_process() {
    let (directory, server) = ring();
    let old_kid = server.jwks().keys.remove(0).kid;
    let operator = KeyRing::open(directory.path(), Clock::system()).unwrap();
    let new_kid = rotated(&operator);
    // A token of a key that it has not seen makes it look at once.
    let token = operator.sign(&claims()).unwrap();
    assert!(server.verify_signature(&token).is_ok());
    let own = server.sign(&claims()).unwrap();
    assert_eq!(jsonwebtoken::decode_header(&own).unwrap().kid, Some(new_kid.clone()));
    assert!(server.is_healthy());

    let newest = rotated(&operator);
    server.refresh().unwrap();
    let kids: Vec<_> = server.jwks().keys.into_iter().map(|key| key.kid).collect();
    assert_eq!(kids, [newest, new_kid, old_kid]);
}

#[test]
fn rotations_at_the_same_time_all_count() {
    let (directory, ring) = ring();
    let token = ring.sign(&claims()).unwrap();
    let barrier = Arc::new(Barrier::new(3));
    let rotations: Vec<_> = (0..3)
        .map(|_| {
            let (path, barrier) = (directory.path().to_owned(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let ring = KeyRing::open(&path, Clock::system()).unwrap();
                barrier.wait();
                rotated(&ring)
            })
        })
        .collect();
    let mut made: Vec<_> = rotations.into_iter().map(|rotation| rotation.join().unwrap()).collect();
    ring.refresh().unwrap();
    let listed = ring.list();
    assert_eq!(listed.len(), 4);
    assert_eq!(listed.iter().filter(|key| key.published_until.is_none()).count(), 1);
    assert!(listed[0].published_until.is_none() && made.contains(&listed[0].kid));
    made.retain(|kid| !listed.iter().any(|key| &key.kid == kid));
    assert!(made.is_empty(), "lost: {made:?}");
    assert!(ring.verify_signature(&token).is_ok());
}

/// Damages the ring of a directory, whose only key has this id.
type Damage = fn(&TempDir, &str);

#[test]
fn a_damaged_ring_is_named_and_left_as_it_was() {
    let damage: [(&str, Damage); 10] = [
        (".pem", |directory, kid| fs::write(key_file(directory, kid), "").unwrap()),
        (".pem", |directory, kid| {
            let text = fs::read_to_string(key_file(directory, kid)).unwrap();
            fs::write(key_file(directory, kid), &text[..text.len() / 2]).unwrap();
        }),
        (".pem", |directory, kid| {
            let text = fs::read_to_string(key_file(directory, kid)).unwrap();
            let (head, tail) = text.split_at(text.len() / 2);
            fs::write(key_file(directory, kid), format!("{head}AAAA{}", &tail[4..])).unwrap();
        }),
        (".pem", |directory, kid| fs::remove_file(key_file(directory, kid)).unwrap()),
        ("manifest.json", |directory, _| fs::write(manifest(directory), "{").unwrap()),
        ("manifest.json", |directory, kid| {
            let text = fs::read_to_string(manifest(directory)).unwrap();
            fs::write(manifest(directory), text.replace(kid, "../../../../etc/ssl/private/key")).unwrap();
        }),
        ("manifest.json", |directory, _| {
            let text = fs::read_to_string(manifest(directory)).unwrap();
            let over = r#""published_until": "2020-01-01T00:00:00Z", "kid""#;
            fs::write(manifest(directory), text.replace(r#""kid""#, over)).unwrap();
        }),
        ("manifest.json", |directory, kid| {
            let entry = format!(r#"{{"kid":"{kid}","created_at":"2026-01-01T00:00:00Z"}}"#);
            fs::write(manifest(directory), format!(r#"{{"keys":[{entry},{entry}]}}"#)).unwrap();
        }),
        ("manifest.json", |directory, _| fs::write(manifest(directory), r#"{"keys":[]}"#).unwrap()),
        ("manifest.json", |directory, kid| {
            let entry = format!(r#"["{kid}","2026-01-01T00:00:00Z",null,null]"#);
            fs::write(manifest(directory), format!(r#"{{"keys":[{entry}]}}"#)).unwrap();
        }),
    ];
    for (index, (file, damage)) in damage.into_iter().enumerate() {
        let (directory, ring) = ring();
        let kid = ring.jwks().keys.remove(0).kid;
        let token = ring.sign(&claims()).unwrap();
        damage(&directory, &kid);
        let names_before = names(directory.path());
        let manifest_before = fs::read(manifest(&directory)).unwrap();
        let key_before = fs::read(key_file(&directory, &kid)).ok();

        let error = KeyRing::open(directory.path(), Clock::system()).unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }), "case {index}: {error}");
        assert!(error.to_string().contains(file), "case {index}: {error}");
        assert!(error.to_string().contains("backup"), "case {index}: {error}");
        assert!(!format!("{error:?}").contains("PRIVATE KEY"));
        assert_eq!(names(directory.path()), names_before, "case {index}");
        assert_eq!(fs::read(manifest(&directory)).unwrap(), manifest_before, "case {index}");
        assert_eq!(fs::read(key_file(&directory, &kid)).ok(), key_before, "case {index}");

        // A server that runs already goes on with the keys that it has, and says that it is not well.
        if file == "manifest.json" {
            assert!(ring.refresh().is_err() && !ring.is_healthy(), "case {index}");
            assert!(rotate(&ring, Begin::Now).is_err(), "case {index}");
        }
        assert!(ring.verify_signature(&token).is_ok(), "case {index}");
    }
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let (directory, ring) = ring();
    let path = key_file(&directory, &ring.jwks().keys[0].kid);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = KeyRing::open(directory.path(), Clock::system()).unwrap_err();
    assert!(matches!(error, KeyError::File { .. }), "{error}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("chmod 600"), "{error}");
}

#[test]
fn a_first_start_that_was_cut_short_is_completed() {
    let (directory, first) = ring();
    let kid = first.jwks().keys.remove(0).kid;
    fs::remove_file(manifest(&directory)).unwrap();
    let reopened = KeyRing::open(directory.path(), Clock::system()).unwrap();
    assert_eq!(reopened.jwks(), first.jwks());
    // With two keys and no manifest nobody knows which one signed.
    rotated(&reopened);
    fs::remove_file(manifest(&directory)).unwrap();
    let before = names(directory.path());
    let error = KeyRing::open(directory.path(), Clock::system()).unwrap_err();
    assert!(error.to_string().contains("manifest.json"), "{error}");
    assert_eq!(names(directory.path()), before);
    assert!(key_file(&directory, &kid).exists());
}
