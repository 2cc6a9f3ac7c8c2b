//! Why the store could not be opened, said to an operator; and how a failed query becomes a
//! [`Problem`]. No connection URL is ever part of a message, because it may hold a password.

use crate::problem::Problem;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use std::path::PathBuf;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database URL is not one that this server understands.
    #[error("the database URL is not usable: {0}")]
    Url(&'static str),
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
    /// A statement failed.
    #[error("the database refused a statement: {0}")]
    Query(#[from] QueryError),
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        if is_transient(&error) { Problem::unavailable(error) } else { Problem::internal(error) }
    }
}

/// Whether the same statement may succeed a moment later.
fn is_transient(error: &QueryError) -> bool {
    match error {
        QueryError::DatabaseError(
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::SerializationFailure,
            _,
        )
        | QueryError::BrokenTransactionManager => true,
        // SQLite's busy time-out has no kind of its own, nor has a server that is shutting down.
        QueryError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            let message = information.message();
            message.contains("database is locked")
                || message.contains("terminating connection")
                || message.contains("server closed the connection")
        }
        _ => false,
    }
}
