//! Files that another user of the machine owns or may write say nothing that this service believes. Only
//! root can give a file away, so that for other users the half with modes is run alone, and said so.

use crate::black_box::support::binary;
use argus_core::Clock;
use argus_tests::{Installation, argus, open_command, run};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
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
    files.extend(["secret_pepper", "envelope_key", "argus.db", ".lock"].map(|name| data_dir.join(name)));
    for name in ["manifest.json", ".pem", "secret_pepper", "envelope_key", "argus.db"] {
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
    for name in ["keys", "secret_pepper", "envelope_key"] {
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

/// A file of this text and mode.
fn place(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_configuration_that_others_own_or_may_write_is_refused() {
    let directory = TempDir::new().unwrap();
    let (data_dir, config) = (directory.path().join("data"), directory.path().join("argus.toml"));
    let migrate = ["migrate", "--config", config.to_str().unwrap()];
    place(&config, "[log]\nlevel = \"warn\"\n", 0o644);
    for mode in [0o664, 0o602, 0o666] {
        fs::set_permissions(&config, Permissions::from_mode(mode)).unwrap();
        assert_refused(&data_dir, &[&migrate], &config, "chmod 600 ");
    }
    fs::set_permissions(&config, Permissions::from_mode(0o644)).unwrap();
    if is_root() {
        chown(&config, Some(STRANGER), None).unwrap();
        assert_refused(&data_dir, &[&migrate], &config, "chown 0 ");
        chown(&config, Some(0), None).unwrap();
    }
    assert!(!data_dir.exists(), "nothing was touched");
    let taken = argus(binary(), &data_dir, &migrate);
    assert!(taken.status.success(), "{taken:?}");
}

#[test]
fn a_configuration_with_a_password_that_others_may_read_is_refused() {
    let directory = TempDir::new().unwrap();
    let (data_dir, config) = (directory.path().join("data"), directory.path().join("argus.toml"));
    let migrate = ["migrate", "--config", config.to_str().unwrap()];
    for url in ["postgres://argus:hunter2@127.0.0.1:1/argus", "postgres://127.0.0.1:1/a?password=hunter2"] {
        for mode in [0o640, 0o604] {
            place(&config, &format!("[store]\ndatabase_url = \"{url}\"\n"), mode);
            assert_refused(&data_dir, &[&migrate], &config, "holds the password of the database");
            assert_refused(&data_dir, &[&migrate], &config, "chmod 600 ");
        }
        fs::set_permissions(&config, Permissions::from_mode(0o600)).unwrap();
        let taken = argus(binary(), &data_dir, &migrate);
        let said = String::from_utf8_lossy(&taken.stderr);
        assert!(said.contains("cannot connect") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_configuration_that_is_no_file_or_far_too_long_is_refused() {
    let directory = TempDir::new().unwrap();
    let (data_dir, config) = (directory.path().join("data"), directory.path().join("argus.toml"));
    for path in ["/dev/zero", directory.path().to_str().unwrap()] {
        let migrate = ["migrate", "--config", path];
        assert_refused(&data_dir, &[&migrate], Path::new(path), "not a regular file");
    }
    place(&config, &"#".repeat((1 << 20) + 1), 0o600);
    let migrate = ["migrate", "--config", config.to_str().unwrap()];
    assert_refused(&data_dir, &[&migrate], &config, "far too long");
}

#[test]
fn what_root_wrote_configures_a_service_of_another_user() {
    if !is_root() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (data_dir, config, argus) = (path("data"), path("argus.toml"), path("argus"));
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(&data_dir).unwrap();
    fs::set_permissions(&data_dir, Permissions::from_mode(0o700)).unwrap();
    chown(&data_dir, Some(STRANGER), Some(STRANGER)).unwrap();
    // Where that user can reach it.
    fs::hard_link(binary(), &argus).or_else(|_| fs::copy(binary(), &argus).map(drop)).unwrap();
    let migrate = || {
        let mut command = open_command(&argus);
        command.args(["migrate", "--config"]).arg(&config).env("ARGUS_DATA_DIR", &data_dir);
        command.current_dir(directory.path()).uid(STRANGER).gid(STRANGER).output().unwrap()
    };
    place(&config, "[log]\nlevel = \"warn\"\n", 0o644);
    let taken = migrate();
    assert!(taken.status.success(), "{taken:?}");
    // Its group is how that user reads a password that root keeps for it.
    place(&config, "[store]\ndatabase_url = \"postgres://argus:hunter2@127.0.0.1:1/argus\"\n", 0o640);
    chown(&config, None, Some(STRANGER)).unwrap();
    let taken = migrate();
    assert!(String::from_utf8_lossy(&taken.stderr).contains("cannot connect"), "{taken:?}");
    fs::set_permissions(&config, Permissions::from_mode(0o644)).unwrap();
    let refused = migrate();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("chmod 640 "), "{refused:?}");
}

#[test]
fn scenarios_that_others_own_or_may_write_are_refused() {
    let directory = TempDir::new().unwrap();
    let (data_dir, scenarios) = (directory.path().join("data"), directory.path().join("scenarios"));
    let scenario = scenarios.join("own.json");
    fs::create_dir(&scenarios).unwrap();
    fs::set_permissions(&scenarios, Permissions::from_mode(0o755)).unwrap();
    place(&scenario, "{}", 0o644);
    let serve = [EVERY[1], &["--scenario-dir", scenarios.to_str().unwrap()]].concat();
    for (path, right, wrong, remedy) in
        [(&scenarios, 0o755, [0o775, 0o757], "chmod go-w "), (&scenario, 0o644, [0o664, 0o646], "chmod 600 ")]
    {
        for mode in wrong {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            assert_refused(&data_dir, &[&serve], path, remedy);
        }
        fs::set_permissions(path, Permissions::from_mode(right)).unwrap();
        if is_root() {
            chown(path, Some(STRANGER), None).unwrap();
            assert_refused(&data_dir, &[&serve], path, "chown 0 ");
            chown(path, Some(0), None).unwrap();
        }
    }
    fs::remove_file(&scenario).unwrap();
    fs::create_dir(&scenario).unwrap();
    assert_refused(&data_dir, &[&serve], &scenario, "not a regular file");
    assert!(!data_dir.exists(), "nothing was touched");
}
