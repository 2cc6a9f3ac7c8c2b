//! The object store of `argus-core`, as the domains call it: in a directory, and in a bucket of a server that
//! the tests start themselves.

mod bucket;
mod directory;
mod either;

use argus_core::objects::{Collection, ObjectKey, ObjectSettings, Objects};
use argus_core::pepper::Pepper;
use argus_core::{Clock, ids::TenantId};
use argus_tests::S3Server;
use std::sync::Arc;
use tempfile::TempDir;

/// A store of a test, and what ends with it.
struct Store {
    objects: Objects,
    directory: TempDir,
    server: Option<S3Server>,
}

impl Store {
    fn in_a_directory() -> Self {
        let directory = TempDir::new().unwrap();
        let settings = ObjectSettings::embedded(&directory.path().join("data"));
        Self::opened(&settings, directory, None)
    }

    async fn in_a_bucket() -> Self {
        let server = S3Server::start().await;
        Self::opened(&server.settings(), TempDir::new().unwrap(), Some(server))
    }

    fn opened(settings: &ObjectSettings, directory: TempDir, server: Option<S3Server>) -> Self {
        let pepper = Arc::new(Pepper::open(&directory.path().join("data")).unwrap());
        let objects = Objects::open(settings, pepper, Clock::system()).unwrap();
        let objects = objects.under("https://api.example".to_owned());
        Self { objects, directory, server }
    }

    /// The names of all files of the store, wherever they are.
    fn files(&self) -> Vec<String> {
        let root = match &self.server {
            Some(server) => server.directory().to_owned(),
            None => self.directory.path().join("data/objects"),
        };
        let (mut files, mut directories) = (Vec::new(), vec![root]);
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                match entry.file_type().unwrap().is_dir() {
                    true => directories.push(entry.path()),
                    false => files.push(entry.file_name().into_string().unwrap()),
                }
            }
        }
        files
    }
}

fn tenant(name: &str) -> TenantId {
    format!("tnt_{name}").parse().unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(Collection::Results, &tenant("a"), name).unwrap()
}

/// So many bytes that are not all alike.
fn bytes(length: usize) -> bytes::Bytes {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}
