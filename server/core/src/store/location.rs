//! Which engine a database URL names.

use super::connection::AnyConnection;
use super::engine::{postgres, sqlite};
use super::error::OpenError;
use sqlite::Use;
use std::fmt;
use std::path::PathBuf;

/// Where a store is.
#[derive(Clone)]
pub(super) enum Location {
    /// A PostgreSQL server. The URL may hold a password, hence no `Debug` that shows it.
    Postgres(String),
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("Postgres"),
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
        }
    }
}

impl Location {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite://path`, `sqlite:path` or a plain path.
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url);
        if path.contains("://") {
            return Err(OpenError::Url("use postgres://…, sqlite://path or a plain path"));
        }
        match path {
            "" => Err(OpenError::Url("the path is empty")),
            ":memory:" => Err(OpenError::Url("a store in memory would be lost at the end; name a file")),
            _ if path.contains('\0') => Err(OpenError::Url("the path holds a zero byte")),
            // SQLite would read such a name as a URI with options of its own.
            _ if path.starts_with("file:") => {
                Err(OpenError::Url("`file:` URIs are not supported; name the path"))
            }
            _ => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// Whether this is the embedded engine.
    pub(super) fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Makes what must be there before the first connection.
    pub(super) fn prepare(&self) -> Result<(), OpenError> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(path) => {
                sqlite::prepare(path).map_err(|source| OpenError::File { path: path.clone(), source })
            }
        }
    }

    /// Opens one connection, set up for this server.
    pub(super) fn connect(&self, purpose: Use) -> Result<AnyConnection, OpenError> {
        match self {
            Self::Postgres(url) => postgres::connect(url).map(AnyConnection::Pg),
            Self::Sqlite(path) => sqlite::connect(path, purpose).map(AnyConnection::Sqlite),
        }
    }
}
