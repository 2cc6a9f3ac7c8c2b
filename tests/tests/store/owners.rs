//! Files that another user of the machine owns or may write say nothing that this service believes. Only
//! root can give a file away, so that for other users the half with modes is run alone, and said so.

use crate::black_box::support::binary;
use argus_core::Clock;
use argus_tests::{Installation, argus, run};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Once;
use tempfile::TempDir;

/// Nobody in particular.
const STRANGER: u32 = 54_321;

/// Whether this process may give files away.
fn is_root() -> bool {
    let is_root = fs::metadata(TempDir::new().unwrap().path()).unwrap().uid() == 0;
    static ALOUD: Once = Once::new();
    if !is_root {
        ALOUD.call_once(|| {
            let text =
                "\nSKIPPED: files of other owners, because only root can make them; modes are tested\n\n";
            std::io::stderr().write_all(text.as_bytes()).unwrap();
        });
    }
    is_root
}

/// An installation that a command has used, and its files.
fn used() -> (Installation, Vec<PathBuf>) {
    let installation = Installation::sqlite();
    drop(installation.identity());
    let data_dir = installation.data_dir();
    let kept = argus(binary(), &data_dir, &["token", "--scope", "argus:platform:admin"]);
    assert!(kept.status.success(), "{kept:?}");
    let keys = fs::read_dir(data_dir.join("keys")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = keys.collect();
    files.extend(["secret_pepper", "argus.db", ".lock"].map(|name| data_dir.join(name)));
    for name in ["manifest.json", ".pem", "secret_pepper", "argus.db"] {
        assert!(files.iter().any(|file| file.to_str().unwrap().ends_with(name)), "{name}: {files:?}");
    }
    (installation, files)
}

/// Asserts that each command is refused, and that it names the path and what to run.
#[track_caller]
fn assert_refused(data_dir: &Path, commands: &[&[&str]], path: &Path, remedy: &str) {
    for command in commands {
        let output = argus(binary(), data_dir, command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?} with {}: {said}", path.display());
        assert!(said.starts_with("argus: ") && said.lines().count() == 1, "{said}");
        assert!(said.contains(path.to_str().unwrap()) && said.contains(remedy), "{command:?}: {said}");
    }
}

const EVERY: [&[&str]; 4] = [
    &["token", "--scope", "argus:platform:read"],
    &["serve", "--auth-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0"],
    &["dev", "--auth-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0"],
    &["migrate"],
];

#[test]
fn a_directory_that_others_own_or_may_write_is_refused_by_every_command() {
    let (installation, _) = used();
    let data_dir = installation.data_dir();
    let list: &[&[&str]] = &[&["keys", "list"]];
    for directory in [data_dir.clone(), data_dir.join("keys")] {
        // Nothing in `keys` matters to a migration.
        let commands = if directory == data_dir { &EVERY[..] } else { &EVERY[..3] };
        for mode in [0o770, 0o702, 0o1777] {
            fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
            assert_refused(&data_dir, commands, &directory, "chmod go-w ");
            assert_refused(&data_dir, list, &directory, "chmod go-w ");
        }
        // That others may look is no danger: what they must not read is a file.
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        drop(installation.open(Clock::system()).unwrap());
        if is_root() {
            chown(&directory, Some(STRANGER), None).unwrap();
            assert_refused(&data_dir, commands, &directory, "chown 0 ");
            assert_refused(&data_dir, list, &directory, "chown 0 ");
            chown(&directory, Some(0), None).unwrap();
        }
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    }
    drop(installation.open(Clock::system()).unwrap());
}

#[test]
fn a_file_that_others_own_or_may_write_is_refused() {
    let (installation, files) = used();
    let data_dir = installation.data_dir();
    for file in files {
        if file.file_name().unwrap() == ".lock" && file.parent().unwrap() != data_dir {
            // The lock of the keys is taken by a rotation alone.
            continue;
        }
        let command: &[&[&str]] = &EVERY[..1];
        for mode in [0o620, 0o602, 0o666] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_refused(&data_dir, command, &file, "chmod 600 ");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            chown(&file, Some(STRANGER), None).unwrap();
            assert_refused(&data_dir, command, &file, "chown 0 ");
            chown(&file, Some(0), None).unwrap();
        }
    }
    drop(installation.open(Clock::system()).unwrap());
}

#[test]
fn a_journal_that_others_own_or_may_write_is_refused() {
    let (installation, _) = used();
    let data_dir = installation.data_dir();
    for suffix in ["wal", "shm", "journal"] {
        let journal = data_dir.join(format!("argus.db-{suffix}"));
        fs::write(&journal, "").unwrap();
        fs::set_permissions(&journal, Permissions::from_mode(0o666)).unwrap();
        assert_refused(&data_dir, &EVERY[3..], &data_dir.join("argus.db"), "chmod 600 ");
        if is_root() {
            fs::set_permissions(&journal, Permissions::from_mode(0o600)).unwrap();
            chown(&journal, Some(STRANGER), None).unwrap();
            assert_refused(&data_dir, &EVERY[3..], &data_dir.join("argus.db"), "chown 0 ");
        }
        fs::remove_file(&journal).unwrap();
    }
}

#[test]
fn the_credentials_of_dev_are_refused_when_others_own_or_may_write_them() {
    let (installation, _) = used();
    let data_dir = installation.data_dir();
    let kept = data_dir.join("dev.json");
    fs::write(&kept, "{}").unwrap();
    fs::set_permissions(&kept, Permissions::from_mode(0o660)).unwrap();
    assert_refused(&data_dir, &EVERY[2..3], &kept, "chmod 600 ");
    if is_root() {
        fs::set_permissions(&kept, Permissions::from_mode(0o600)).unwrap();
        chown(&kept, Some(STRANGER), None).unwrap();
        assert_refused(&data_dir, &EVERY[2..3], &kept, "chown 0 ");
    }
}

#[test]
fn a_database_in_a_directory_that_others_may_write_is_refused() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    let url = format!("sqlite://{}/argus.db", open.display());
    assert_refused(&data_dir, &[&["migrate", "--database-url", &url]], &open, "chmod go-w ");
    assert!(fs::read_dir(&open).unwrap().next().is_none());
}

#[test]
fn a_link_counts_as_what_it_names_and_only_its_owner_may_have_made_it() {
    let (installation, _) = used();
    let (data_dir, elsewhere) = (installation.data_dir(), installation.scratch().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o700)).unwrap();
    for name in ["keys", "secret_pepper"] {
        let (link, target) = (data_dir.join(name), elsewhere.join(name));
        fs::rename(&link, &target).unwrap();
        symlink(&target, &link).unwrap();
        drop(installation.open(Clock::system()).unwrap());
        let mode = fs::metadata(&target).unwrap().permissions();
        fs::set_permissions(&target, Permissions::from_mode(0o777)).unwrap();
        assert_refused(&data_dir, &EVERY[..1], &link, "chmod ");
        fs::set_permissions(&target, mode).unwrap();
        if is_root() {
            lchown(&link, Some(STRANGER), None).unwrap();
            assert_refused(&data_dir, &EVERY[..1], &link, "chown -h 0 ");
            lchown(&link, Some(0), None).unwrap();
            chown(&target, Some(STRANGER), None).unwrap();
            assert_refused(&data_dir, &EVERY[..1], &link, "chown 0 ");
            chown(&target, Some(0), None).unwrap();
        }
        fs::remove_file(&link).unwrap();
        fs::rename(&target, &link).unwrap();
    }
    drop(installation.open(Clock::system()).unwrap());
}

#[test]
fn a_running_service_does_not_take_keys_that_others_put_there() {
    run(async {
        let installation = Installation::sqlite();
        let identity = installation.identity();
        let manifest = installation.data_dir().join("keys/manifest.json");
        let text = fs::read(&manifest).unwrap();
        // Another file, so that it is looked at again.
        fs::remove_file(&manifest).unwrap();
        fs::write(&manifest, text).unwrap();
        fs::set_permissions(&manifest, Permissions::from_mode(0o606)).unwrap();
        assert!(identity.keys().refresh().is_err() && !identity.keys().is_healthy());
        assert_eq!(identity.keys().jwks().keys.len(), 1, "it goes on with the keys that it has");
        fs::set_permissions(&manifest, Permissions::from_mode(0o600)).unwrap();
        identity.keys().refresh().unwrap();
        assert!(identity.keys().is_healthy());
    });
}
