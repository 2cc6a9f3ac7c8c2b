//! Why the key ring cannot be used, said to an operator.

use std::path::{Path, PathBuf};

/// Why signing keys cannot be used. Nothing on the disk was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file or directory cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} is damaged: {reason}; it was left as it is: {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What the operator should do.
        remedy: &'static str,
    },
    /// There is no key ring yet.
    #[error("no signing keys in {}", .0.display())]
    Absent(PathBuf),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed to {0}")]
    Crypto(&'static str),
}

impl KeyError {
    pub(super) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
            remedy: "restore it from a backup; without one, move the whole `keys` directory away and run \
                     `argus keys adopt`, which makes every issued token invalid",
        }
    }
}
