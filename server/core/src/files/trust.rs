//! Whose files these are. A file counts only when the user who runs this owns it and nobody else may
//! write it; otherwise another user of the machine could say what it holds. Symbolic links are followed to
//! what they name, which must hold this itself.

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

/// Asserts that nobody else owns the directory or may put files into it.
pub fn check_directory(path: &Path) -> io::Result<()> {
    check_link(path)?;
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("it is not a directory"));
    }
    check_owner(path, &metadata)?;
    if metadata.mode() & 0o022 != 0 {
        let remedy = format!("run `chmod go-w {}`, or name a directory of your own", quoted(path));
        return Err(refused(&format!("other users can write it (mode {:04o})", mode(&metadata)), remedy));
    }
    Ok(())
}

/// Asserts the same of a file that is open, and returns what it is.
pub fn check_file(path: &Path, file: &File, shut: Shut) -> io::Result<Metadata> {
    check_link(path)?;
    let metadata = file.metadata()?;
    check_owner(path, &metadata)?;
    let (bits, can) = match (shut, metadata.mode() & 0o022) {
        (Shut::ToReaders, 0) => (0o077, "read"),
        _ => (0o022, "write"),
    };
    if metadata.mode() & bits != 0 {
        let reason = format!("other users can {can} it (mode {:04o})", mode(&metadata));
        let look = if can == "write" { ", once you know that nobody has changed it" } else { "" };
        return Err(refused(&reason, format!("run `chmod 600 {}`{look}", quoted(path))));
    }
    Ok(metadata)
}

/// A link is its owner's word for another place.
fn check_link(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() && metadata.uid() != 0 {
        return check_owner(path, &metadata);
    }
    Ok(())
}

fn check_owner(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let (owner, own) = (metadata.uid(), geteuid().as_raw());
    if owner == own {
        return Ok(());
    }
    let link = if metadata.is_symlink() { "-h " } else { "" };
    let remedy =
        format!("run `chown {link}{own} {}`, once you know what it holds, or run as its owner", quoted(path));
    Err(refused(&format!("it belongs to user {owner} and this runs as user {own}"), remedy))
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
