//! Which engine a database URL names. What a URL that cannot be used says is not repeated: it may hold a
//! password in any place.

use super::connection::AnyConnection;
use super::engine::{Use, sqlite};
use super::error::OpenError;
use super::postgres_url::PostgresUrl;
use super::settings::Deadlines;
use std::path::PathBuf;

/// Longest scheme that is named in an error, in bytes.
const SCHEME_MAX_LENGTH: usize = 32;
/// Names that libpq's `key=value` form begins with.
const KEYWORDS: [&str; 8] = ["host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service"];

/// Where a store is.
#[derive(Clone, Debug)]
pub(super) enum Location {
    /// A PostgreSQL server.
    Postgres(PostgresUrl),
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl Location {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite://path`, `sqlite:path` or a plain path.
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        if url.chars().any(char::is_control) {
            return Err(OpenError::Url("it holds a control character"));
        }
        let Some((scheme, rest)) = split_scheme(url) else { return plain_path(url) };
        match scheme.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => match rest.strip_prefix("//") {
                Some(rest) => PostgresUrl::parse(rest).map(Self::Postgres),
                None => Err(OpenError::Url("a server is named with two slashes: postgres://…")),
            },
            "sqlite" => sqlite_path(rest.strip_prefix("//").unwrap_or(rest)),
            // SQLite would read such a name as a URI with options of its own.
            "file" => Err(OpenError::Url("`file:` URIs are not supported; name the path")),
            _ if url == ":memory:" => Err(IN_MEMORY),
            _ => Err(OpenError::Scheme(scheme.chars().take(SCHEME_MAX_LENGTH).collect())),
        }
    }

    /// Whether this is the embedded engine.
    pub(super) fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// The port that connections to a server lead to; none for a file.
    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Postgres(url) => Some(url.port()),
            Self::Sqlite(_) => None,
        }
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
    pub(super) fn connect(&self, purpose: Use, deadlines: &Deadlines) -> Result<AnyConnection, OpenError> {
        match self {
            Self::Postgres(url) => url.connect(purpose, deadlines).map(AnyConnection::Pg),
            Self::Sqlite(path) => sqlite::connect(path, purpose, deadlines).map(AnyConnection::Sqlite),
        }
    }
}

const IN_MEMORY: OpenError = OpenError::Url("a store in memory would be lost at the end; name a file");

/// What stands before and after the first colon, where the part before could be a scheme (RFC 3986,
/// section 3.1).
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(fits);
    is_scheme.then_some((scheme, rest))
}

/// A path without a scheme. Nothing that could be meant for a server becomes a file.
fn plain_path(path: &str) -> Result<Location, OpenError> {
    let is_keyword = |word: &str| word.split_once('=').is_some_and(|(key, _)| KEYWORDS.contains(&key));
    let has_keywords = path.split_whitespace().any(is_keyword);
    if has_keywords || path.contains('=') && path.contains("password") {
        return Err(OpenError::Url("libpq's `key=value` form is not supported; use postgres://…"));
    }
    if path.contains("//") {
        return Err(OpenError::Url("it begins with no scheme; use postgres://… or sqlite://PATH"));
    }
    sqlite_path(path)
}

fn sqlite_path(path: &str) -> Result<Location, OpenError> {
    let has_password =
        |segment: &str| segment.split_once(':').is_some_and(|(_, behind)| behind.contains('@'));
    match path {
        "" => Err(OpenError::Url("the path is empty")),
        ":memory:" => Err(IN_MEMORY),
        _ if path.starts_with("file:") => {
            Err(OpenError::Url("`file:` URIs are not supported; name the path"))
        }
        _ if path.split('/').any(has_password) => {
            Err(OpenError::Url("the path looks like user, password and host; a server is postgres://…"))
        }
        _ if path.contains('?') => Err(OpenError::Url("a SQLite path has no options (`?`)")),
        _ => Ok(Location::Sqlite(PathBuf::from(path))),
    }
}
