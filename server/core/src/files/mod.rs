//! Small files that only the owner may read, written whole or not at all, lock files, and the directories
//! of both. Whom a file must belong to is [`trust`]'s business.

pub mod trust;

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use trust::{Owner, Shut};

/// No file of this module's users is anywhere near this size.
const MAX_LENGTH: u64 = 1 << 20;
/// What the name of a file begins with until it is whole.
const UNFINISHED: &str = ".new-";

/// Creates a directory that only the owner can enter, unless it exists. One that is there must not be in
/// the hands of others; what a process that was killed left unfinished in it is removed.
pub fn open_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    trust::check_directory(path, Owner::Service)?;
    remove_unfinished(path)
}

/// Reads a file, and refuses one that others own, may write or may read.
pub fn read(path: &Path) -> io::Result<String> {
    read_checked(path, Owner::Service, Shut::ToReaders).map(|(text, _)| text)
}

/// Reads what an administrator wrote, who may be root, and refuses it when others own or may write it. Who may
/// read it is for the caller to judge, by what it says and with what is returned beside it.
pub fn read_configuration(path: &Path) -> io::Result<(String, Metadata)> {
    read_checked(path, Owner::Administrator, Shut::ToWriters)
}

fn read_checked(path: &Path, owner: Owner, shut: Shut) -> io::Result<(String, Metadata)> {
    // A pipe would never open.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = File::open(path)?;
    let metadata = trust::check_file(path, &file, owner, shut)?;
    if metadata.len() > MAX_LENGTH {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is far too long"));
    }
    let mut text = String::new();
    file.take(MAX_LENGTH).read_to_string(&mut text)?;
    Ok((text, metadata))
}

/// The directory that a file is in, or would be.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits for a lock file and holds it until the returned file is dropped.
pub fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    trust::check_file(path, &file, Owner::Service, Shut::ToWriters)?;
    file.lock()?;
    Ok(file)
}

/// Whether [`write`] may replace a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// An existing file is an error (`AlreadyExists`).
    Never,
    /// An existing file is replaced in one step.
    Existing,
}

/// Writes a file with mode 0600 beside its final place and moves it there once it is on the disk.
pub fn write(path: &Path, content: &[u8], replace: Replace) -> io::Result<()> {
    let directory = directory_of(path);
    let mut file = begin(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    match replace {
        Replace::Never => file.persist_noclobber(path),
        Replace::Existing => file.persist(path),
    }
    .map_err(|error| error.error)?;
    // The name is only durable once the directory is.
    File::open(directory)?.sync_all()
}

/// A file that is written bit by bit and has its name once it is whole, or never.
pub struct Unfinished {
    out: io::BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
}

impl Unfinished {
    /// Begins a file with mode 0600 beside its final place.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let out = io::BufWriter::new(begin(directory_of(path))?);
        Ok(Self { out, path: path.to_owned() })
    }

    /// Gives it its name once it is on the disk. A file that has the name is replaced.
    pub fn finish(self) -> io::Result<()> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        File::open(directory_of(&self.path))?.sync_all()
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An unfinished file, locked for as long as somebody is at it.
fn begin(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    loop {
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(directory)?;
        file.as_file().lock()?;
        // Before it was locked, another process may have taken it for one that was left.
        if file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// Removes the unfinished files of processes that were killed: those that nobody holds.
pub fn remove_unfinished(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
            || !entry.file_type()?.is_file()
        {
            continue;
        }
        let removed =
            OpenOptions::new().write(true).open(entry.path()).and_then(|file| match file.try_lock() {
                Ok(()) => fs::remove_file(entry.path()),
                Err(TryLockError::WouldBlock) => Ok(()),
                Err(TryLockError::Error(error)) => Err(error),
            });
        match removed {
            // It has got its name meanwhile, or another process was first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_is_removed_unless_somebody_is_at_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let live = begin(directory.path()).expect("an unfinished file");
        let left = directory.path().join(".new-left");
        let others = [".new", "new-a", "a.new-"].map(|name| directory.path().join(name));
        for path in others.iter().chain([&left]) {
            fs::write(path, "").expect("a file");
        }
        fs::create_dir(directory.path().join(".new-directory")).expect("a directory");
        open_directory(directory.path()).expect("an open directory");
        assert!(!left.exists() && live.path().exists() && others.iter().all(|path| path.exists()));
        let path = directory.path().join("whole");
        live.persist(&path).expect("a name");
        write(&path, b"content", Replace::Existing).expect("a whole file");
        assert_eq!(read(&path).expect("a readable file"), "content");
    }
}
