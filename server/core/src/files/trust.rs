//! Whose files these are. A file counts only when the user who runs this owns it, or root where an
//! administrator may have written it, and nobody else may write it; otherwise another user of the machine
//! could say what it holds. Symbolic links are followed to what they name, which must hold this itself.

use rustix::process::geteuid;
use std::fmt::Display;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whom a file is shut to, besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// To everybody who would write it.
    ToWriters,
    /// To everybody who would read it, too: it holds a secret.
    ToReaders,
}

/// Who may own a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The user who runs this: it is data of this service.
    Service,
    /// That user, or root: it is what an administrator says to this service.
    Administrator,
}

/// Asserts that nobody else owns the directory or may put files into it.
pub fn check_directory(path: &Path, owner: Owner) -> io::Result<()> {
    check_link(path)?;
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("it is not a directory"));
    }
    check_owner(path, &metadata, owner)?;
    if metadata.mode() & 0o022 != 0 {
        let remedy = format!("run `chmod go-w {}`, or name a directory of your own", quoted(path));
        return Err(refused(&format!("other users can write it (mode {:04o})", mode(&metadata)), remedy));
    }
    Ok(())
}

/// Asserts the same of a file that is open, and returns what it is.
pub fn check_file(path: &Path, file: &File, owner: Owner, shut: Shut) -> io::Result<Metadata> {
    check_link(path)?;
    let metadata = file.metadata()?;
    check_owner(path, &metadata, owner)?;
    if metadata.mode() & 0o022 != 0 {
        let reason = format!("other users can write it (mode {:04o})", mode(&metadata));
        let remedy = format!("run `chmod {} {}`", private_mode(&metadata), quoted(path));
        return Err(refused(&reason, format!("{remedy}, once you know that nobody has changed it")));
    }
    if shut == Shut::ToReaders {
        check_readers(path, &metadata)?;
    }
    Ok(metadata)
}

/// Asserts that only those can read the file who must.
pub fn check_readers(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let others = if is_own(metadata) { 0o077 } else { 0o007 };
    if metadata.mode() & others != 0 {
        let reason = format!("other users can read it (mode {:04o})", mode(metadata));
        return Err(refused(&reason, format!("run `chmod {} {}`", private_mode(metadata), quoted(path))));
    }
    Ok(())
}

/// A link is its owner's word for another place.
fn check_link(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return check_owner(path, &metadata, Owner::Administrator);
    }
    Ok(())
}

fn check_owner(path: &Path, metadata: &Metadata, may_be: Owner) -> io::Result<()> {
    let (owner, own) = (metadata.uid(), geteuid().as_raw());
    if is_own(metadata) || may_be == Owner::Administrator && owner == 0 {
        return Ok(());
    }
    let link = if metadata.is_symlink() { "-h " } else { "" };
    let remedy =
        format!("run `chown {link}{own} {}`, once you know what it holds, or run as its owner", quoted(path));
    Err(refused(&format!("it belongs to user {owner} and this runs as user {own}"), remedy))
}

fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw()
}

/// The mode that shuts a file to everybody but this process, which reads root's files through their group.
fn private_mode(metadata: &Metadata) -> &'static str {
    if is_own(metadata) { "600" } else { "640" }
}

fn mode(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o7777
}

fn refused(reason: &str, remedy: impl Display) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{reason}; {remedy}"))
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,%=".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
