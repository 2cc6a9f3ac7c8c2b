//! Why an object could not be kept, found or given out.

use std::path::PathBuf;

/// Why the store of objects cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The setting names no place.
    #[error("`objects`: {0}")]
    Location(&'static str),
    /// The directory cannot be used.
    #[error("cannot use the directory of objects {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The client of the store does not take these settings.
    #[error("the store of objects cannot be used: {0}")]
    Store(#[from] object_store::Error),
}

/// Why work on an object did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object, or not any more.
    #[error("no such object")]
    NotFound,
    /// It was replaced while it was read.
    #[error("the object was replaced meanwhile")]
    Replaced,
    /// The credentials that would sign a URL are of no use any more.
    #[error("the credentials of the object store have ended")]
    CredentialsEnded,
    /// The store did not do it: the disk is full, the server is out of reach, or the like.
    #[error("the object store did not do it: {0}")]
    Store(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// What is wrong with the store, for whoever cannot see it: without a path or an address.
    pub fn reason(&self) -> &'static str {
        use std::io::ErrorKind as Kind;
        let Self::Store(error) = self else { return "the object cannot be used" };
        let causes = std::iter::successors(Some(&**error as &dyn std::error::Error), |error| error.source());
        let kinds =
            causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
        match kinds.filter(|kind| *kind != Kind::Other).last() {
            Some(Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge) => {
                "no room is left where objects are kept"
            }
            Some(Kind::ReadOnlyFilesystem | Kind::PermissionDenied | Kind::NotADirectory) => {
                "the place where objects are kept cannot be written"
            }
            _ => "the place where objects are kept is out of reach",
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            object_store::Error::Precondition { .. } => Self::Replaced,
            other => Self::Store(other.into()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Store(error.into())
    }
}
