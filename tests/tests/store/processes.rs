//! Processes of one installation that start at the same moment.

use crate::black_box::support::binary;
use crate::identity::oauth::authenticates;
use crate::identity::support::{admin, app};
use argus_core::store::{Database, DatabaseUrl, StoreSettings};
use argus_core::{Clock, tenants};
use argus_openapi::types::scopes::Scope;
use argus_partner::IdentitySettings;
use argus_server::service;
use argus_tests::{Installation, name_database, on_both_engines, open_command, run};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

on_both_engines! {
    processes_that_start_together_share_one_schema_one_key_and_one_pepper
    what_a_killed_first_start_left_unfinished_is_removed_by_the_next_one
}

const DATA_DIR: &str = "ARGUS_TEST_CHILD_DATA_DIR";
/// Where requests, the worker and the owner connect; on SQLite the first one alone.
const DATABASE_URLS: &str = "ARGUS_TEST_CHILD_DATABASE_URLS";
const MARK: &str = "key of this process: ";

async fn processes_that_start_together_share_one_schema_one_key_and_one_pepper(installation: Installation) {
    let store = &installation.settings.store;
    let urls = [&store.url].into_iter().chain(&store.worker_url).chain(&store.owner_url);
    let urls = urls.map(DatabaseUrl::expose).collect::<Vec<_>>().join(" ");
    let mut processes: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store::processes::a_process_opens_a_fresh_installation", "--nocapture"])
                .env(DATA_DIR, installation.data_dir())
                .env(DATABASE_URLS, &urls)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut kids = Vec::new();
    let mut outputs = Vec::new();
    for process in &mut processes {
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mark = |line: String| line.strip_prefix(MARK).map(str::to_owned);
        kids.push(lines.by_ref().find_map(|line| mark(line.unwrap())));
        outputs.push(lines);
    }
    for process in processes {
        // Its standard input closes, so that it ends.
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    drop(outputs);
    let identity = installation.identity();
    let published = identity.keys().jwks().keys;
    assert_eq!(published.len(), 1);
    assert!(kids.iter().all(|kid| kid.as_ref() == Some(&published[0].kid)), "{kids:?}");
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    assert!(
        authenticates(&identity, &created.app.client_id, created.client_secret.as_ref().unwrap().expose())
            .await
    );
}

/// Unfinished files in a directory.
fn unfinished(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".new-")).collect()
}

async fn what_a_killed_first_start_left_unfinished_is_removed_by_the_next_one(installation: Installation) {
    let (data_dir, keys) = (installation.data_dir(), installation.data_dir().join("keys"));
    let mint = |limit: &str| {
        // A process that writes more to a file than it may is killed in the middle.
        let mut command = open_command("sh".as_ref());
        name_database(&mut command, &installation.settings.store);
        command
            .args(["-c", &format!("ulimit -c 0; ulimit -f {limit}; exec \"$0\" \"$@\"")])
            .arg(binary())
            .args(["token", "--scope", "argus:platform:read"])
            .env("ARGUS_DATA_DIR", &data_dir)
            .output()
            .unwrap()
    };
    installation.migrate();
    let killed = mint("0");
    assert!(killed.status.signal().is_some(), "{killed:?}");
    if installation.is_sqlite() {
        // It was killed while SQLite wrote, before it came to its own files.
        fs::write(data_dir.join(".new-pepper"), "").unwrap();
    }
    assert_eq!(unfinished(&data_dir).len(), 1);
    // The same while the first key is written, and a process that is still at it.
    fs::create_dir_all(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(keys.join(".new-key"), "-----BEGIN").unwrap();
    let live = keys.join(".new-live");
    let held = fs::File::create(&live).unwrap();
    held.lock().unwrap();
    let whole = mint("unlimited");
    assert!(whole.status.success(), "{whole:?}");
    assert_eq!((unfinished(&data_dir), unfinished(&keys)), (Vec::new(), vec![live.clone()]));
    drop(held);
    let whole = mint("unlimited");
    assert!(whole.status.success(), "{whole:?}");
    assert!(unfinished(&keys).is_empty() && keys.join("manifest.json").exists());
}

/// On its own it opens an installation of its own; as a child of the test above, the shared one, which it
/// keeps open until all of them have it.
#[test]
fn a_process_opens_a_fresh_installation() {
    run(async {
        let own = Installation::sqlite();
        let mut settings = own.settings.clone();
        let shared = std::env::var_os(DATA_DIR).zip(std::env::var(DATABASE_URLS).ok());
        let is_child = shared.is_some();
        if let Some((data_dir, urls)) = shared {
            settings.identity = IdentitySettings::new(Path::new(&data_dir));
            let mut urls = urls.split(' ').map(|url| DatabaseUrl::from(url.to_owned()));
            settings.store = StoreSettings::new(urls.next().unwrap());
            (settings.store.worker_url, settings.store.owner_url) = (urls.next(), urls.next());
            Database::migrate(&settings.store, service::PRODUCTS).unwrap();
        }
        let (_database, identity) = service::open(&settings, Clock::system()).unwrap();
        tenants::create(identity.store(), identity.clock(), &"From this process".parse().unwrap())
            .await
            .unwrap();
        if is_child {
            let line = format!("\n{MARK}{}\n", identity.keys().list()[0].kid);
            std::io::stdout().write_all(line.as_bytes()).unwrap();
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
    });
}
