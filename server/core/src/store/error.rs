//! Why the store did not do what it was asked, said to the code above (may it try again?), and why a
//! store cannot be opened, said to an operator. No connection URL is ever part of a message, because it
//! may hold a password.

use super::engine;
use diesel::result::Error as QueryError;
use std::panic::Location;
use std::path::PathBuf;

/// What the code above can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another transaction was in the way and nothing was done: the same work may succeed at once.
    Conflict,
    /// The database is out of reach or has no time: the same work may succeed later.
    Unavailable,
    /// The same work would fail again.
    Permanent,
}

/// A failure of the store, with the place where it arose.
#[derive(Debug, thiserror::Error)]
#[error("{source} (at {place})")]
pub struct Error {
    kind: Kind,
    place: &'static Location<'static>,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Error {
    /// The database is out of reach.
    #[track_caller]
    pub(crate) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Unavailable, place: Location::caller(), source: source.into() }
    }

    /// The same work would fail again.
    #[track_caller]
    pub(super) fn permanent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Permanent, place: Location::caller(), source: source.into() }
    }

    /// What the code above can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same work may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        self.kind != Kind::Permanent
    }
}

impl From<QueryError> for Error {
    #[track_caller]
    fn from(error: QueryError) -> Self {
        Self { kind: engine::kind(&error), place: Location::caller(), source: error.into() }
    }
}

/// An error of the work that is done in a transaction: it tells whether the store was the cause, so that
/// a conflict can be tried again.
pub trait Failure: From<Error> {
    /// The store's failure, if it was one.
    fn store_error(&self) -> Option<&Error>;

    /// Whether another transaction was in the way.
    fn is_conflict(&self) -> bool {
        self.store_error().is_some_and(|error| error.kind == Kind::Conflict)
    }
}

impl Failure for Error {
    fn store_error(&self) -> Option<&Error> {
        Some(self)
    }
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database URL is not one that this server understands.
    #[error("the database URL is not usable: {0}")]
    Url(&'static str),
    /// The database URL names an engine that there is none of.
    #[error("the scheme `{0}` of the database URL is not known; use postgres://… or sqlite://PATH")]
    Scheme(String),
    /// The database file cannot be created or read.
    #[error("cannot open the database file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else, or is damaged.
    #[error("{} is not a usable SQLite database ({reason}); it was left as it is: restore it from a backup, or name another file", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
    /// The database cannot be reached.
    #[error("cannot connect to the database: {0}")]
    Connect(String),
    /// A newer server has migrated the store.
    #[error("the store was written by a newer version of argus (unknown schema versions: {}); nothing was changed: run that version, or restore an older backup", versions.join(", "))]
    NewerSchema {
        /// Applied migrations that this binary does not know.
        versions: Vec<String>,
    },
    /// A migration failed and was rolled back.
    #[error("the schema could not be brought up to date, nothing was changed: {0}")]
    Migration(String),
    /// Migrations are missing, and nobody here may make them.
    #[error(
        "the database is not of this version ({0}): run `argus migrate`, which connects as its owner (ARGUS_DATABASE_OWNER_URL)"
    )]
    Behind(String),
    /// The machinery has no role, or migrations have no owner, or a URL names nobody.
    #[error("{0}; server/deploy/README.md has the lines that make the three roles")]
    Unsaid(&'static str),
    /// A role that cannot have its part.
    #[error(
        "the database role `{role}` {fault}: requests and worker need roles that row-level security holds; server/deploy/README.md has the lines that make them"
    )]
    Role {
        /// The role.
        role: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Policies or privileges are not what they should be.
    #[error("the database does not keep tenants apart as this version wants it: {0}")]
    Wall(String),
    /// A backfill did not reach the rows that it found.
    #[error(
        "a backfill of `{table}` found {found} rows and changed {changed}; nothing was changed: let the role that migrates own the table"
    )]
    Backfill {
        /// The table.
        table: &'static str,
        /// How many rows were to be changed.
        found: usize,
        /// How many were.
        changed: usize,
    },
    /// A statement failed.
    #[error("the database refused a statement: {0}")]
    Query(#[from] QueryError),
}
