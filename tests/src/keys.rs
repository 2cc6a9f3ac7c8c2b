//! Signing keys for servers under test. Making an RSA key takes long in a debug build, so one is made
//! for each test process and laid into every data directory.

use argus_core::Clock;
use argus_partner::signing_keys::KeyRing;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Lays a complete `keys` directory into a data directory that has none.
pub fn place_keys(data_dir: &Path) {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let directory = TempDir::new().unwrap();
        KeyRing::open(directory.path(), Clock::system()).unwrap();
        let entries = fs::read_dir(directory.path().join("keys")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect()
    });
    let keys = data_dir.join("keys");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).unwrap();
    for (name, content) in files {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(keys.join(name)).unwrap();
        file.write_all(content).unwrap();
    }
}
