//! Which engine a database URL names, and how one connection to it is opened.

use super::connection::AnyConnection;
use super::error::StoreError;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use std::fmt;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

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

/// SQLite waits this long for another writer before it gives up.
const SQLITE_BUSY_TIMEOUT_MS: u32 = 5_000;

impl Location {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite://path`, `sqlite:path` or a plain path.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url);
        if path.contains("://") {
            return Err(StoreError::Url("use postgres://…, sqlite://path or a plain path"));
        }
        match path {
            "" => Err(StoreError::Url("the path is empty")),
            ":memory:" => Err(StoreError::Url("a store in memory would be lost at the end; name a file")),
            _ if path.contains('\0') => Err(StoreError::Url("the path holds a zero byte")),
            // SQLite would read such a name as a URI with options of its own.
            _ if path.starts_with("file:") => {
                Err(StoreError::Url("`file:` URIs are not supported; name the path"))
            }
            _ => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// Makes sure that the SQLite file exists and that nobody but the owner can read it. SQLite gives
    /// its journal files the same mode.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(path) => {
                prepare_file(path).map_err(|source| StoreError::File { path: path.clone(), source })
            }
        }
    }

    /// Opens one connection, set up for this server.
    pub(super) fn connect(&self) -> Result<AnyConnection, StoreError> {
        match self {
            Self::Postgres(url) => {
                let mut connection =
                    PgConnection::establish(url).map_err(|error| StoreError::Connect(error.to_string()))?;
                connection.batch_execute("SET TIME ZONE 'UTC'")?;
                Ok(AnyConnection::Pg(connection))
            }
            Self::Sqlite(path) => connect_sqlite(path).map(AnyConnection::Sqlite),
        }
    }
}

fn prepare_file(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn connect_sqlite(path: &Path) -> Result<SqliteConnection, StoreError> {
    let name = path.to_str().ok_or(StoreError::Url("the path is not UTF-8"))?;
    let mut connection =
        SqliteConnection::establish(name).map_err(|error| StoreError::Connect(error.to_string()))?;
    // The time-out comes first: switching to WAL may have to wait for another process already.
    connection
        .batch_execute(&format!("PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS};"))
        .and_then(|()| connection.batch_execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"))
        .map_err(|error| sqlite_open_error(path, error))?;
    Ok(connection)
}

fn sqlite_open_error(path: &Path, error: diesel::result::Error) -> StoreError {
    let reason = error.to_string();
    if reason.contains("not a database") || reason.contains("malformed") {
        StoreError::NotADatabase { path: path.to_owned(), reason }
    } else {
        StoreError::Query(error)
    }
}
