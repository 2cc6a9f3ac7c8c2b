//! Small files that only the owner may read, written whole or not at all, and lock files.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// No file of this module's users is anywhere near this size.
const MAX_LENGTH: u64 = 1 << 20;

/// Creates a directory that only the owner can enter, unless it exists.
pub fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Reads a file, and refuses one that group or others may read.
pub fn read(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "other users can read it; make it owner-only (chmod 600)",
        ));
    }
    if metadata.len() > MAX_LENGTH {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is far too long"));
    }
    fs::read_to_string(path)
}

/// The directory that a file is in, or would be.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits for a lock file and holds it until the returned file is dropped.
pub fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
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
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
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
