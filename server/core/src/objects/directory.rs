//! Objects in a directory that only its owner may enter. Files are synced, and so are the directories that
//! name them: `object_store` does neither unless it is told to.

use super::error::{Error, OpenError};
use crate::files;
use bytes::Bytes;
use futures::Stream;
use futures::stream::try_unfold;
use object_store::local::LocalFileSystem;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;

/// What is read of a file at a time, in bytes.
const BLOCK: u64 = 64 * 1024;
/// What stands between the name of a file that is not whole yet and its number.
const UNFINISHED: char = '#';
/// A file that is not whole and was not written to for so long is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// The store of a directory, which is made unless it is there.
pub(super) fn open(path: &Path) -> Result<LocalFileSystem, OpenError> {
    let failed = |source| OpenError::Directory { path: path.to_owned(), source };
    files::open_directory(path).map_err(failed)?;
    Ok(LocalFileSystem::new_with_prefix(path)?.with_fsync(true))
}

/// A part of a file, as it is read. A file that has become shorter is an error: the reader was promised more.
pub(super) fn read(file: File, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Error>> {
    try_unfold((file, range.start), move |(file, at)| async move {
        if at >= range.end {
            return Ok(None);
        }
        let length = usize::try_from(BLOCK.min(range.end - at)).unwrap_or_default();
        let read = spawn_blocking(move || {
            let mut block = vec![0; length];
            file.read_exact_at(&mut block, at).map(|()| (block, file))
        });
        let (block, file) = read.await.map_err(|error| Error::Store(error.into()))??;
        Ok(Some((Bytes::from(block), (file, at + length as u64))))
    })
}

/// Removes what processes that were killed left unfinished. Blocks.
pub(super) fn remove_unfinished(directory: &Path) -> std::io::Result<usize> {
    remove_unfinished_since(directory, SystemTime::now() - ABANDONED)
}

fn remove_unfinished_since(directory: &Path, moment: SystemTime) -> std::io::Result<usize> {
    let mut removed = 0;
    let mut directories: Vec<PathBuf> = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().contains(UNFINISHED) {
                // Another node may be at it, or be done with it meanwhile.
                let is_old = entry.metadata().and_then(|file| file.modified()).is_ok_and(|at| at <= moment);
                removed += usize::from(is_old && std::fs::remove_file(entry.path()).is_ok());
            }
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_is_removed_once_nobody_writes_to_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let tenant = directory.path().join("results/tnt_1");
        std::fs::create_dir_all(&tenant).expect("a directory");
        let (whole, left) = (tenant.join("a"), tenant.join("a#1"));
        for file in [&whole, &left] {
            std::fs::write(file, "").expect("a file");
        }
        assert_eq!(remove_unfinished(directory.path()).expect("a walk"), 0);
        assert!(left.exists());
        let later = SystemTime::now() + Duration::from_secs(1);
        assert_eq!(remove_unfinished_since(directory.path(), later).expect("a walk"), 1);
        assert!(whole.exists() && !left.exists());
    }
}
