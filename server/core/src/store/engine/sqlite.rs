//! What only SQLite does: the file, its pragmas, the one writer, `INSERT OR IGNORE`.

use super::super::error::{Kind, OpenError};
use super::super::schema::{argus_now_utils, installation};
use super::super::settings::Deadlines;
use super::{Name, Use};
use crate::Clock;
use crate::files;
use crate::files::trust::{self, Owner, Shut};
use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel::{QueryResult, SqliteConnection};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Messages of a database that another connection holds.
pub(super) const BUSY: &[&str] =
    &["database is locked", "database table is locked", "database schema is locked"];

/// How long SQLite itself waits for another writer, which has no turns: it looks again after 1, 2, 5 and 10 ms and
/// from then on ever more rarely, so that of many processes one may never be there at the right moment. Who writes
/// begins anew after this time instead, and looks more often.
const WRITER_BUSY_TIMEOUT: Duration = Duration::from_millis(20);

/// A log that begins anew is cut at this length: twice what it usually comes to.
const LOG_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Messages of a file that cannot be written, read or opened for now.
pub(super) const NO_FILE: &[&str] =
    &["database or disk is full", "disk I/O error", "unable to open database file"];

/// Makes sure that the file exists, that others can neither write it nor put files beside it, and that
/// nobody but the owner can read it. SQLite gives its journal files the same mode.
pub(in super::super) fn prepare(path: &Path) -> io::Result<()> {
    let directory = files::directory_of(path);
    if !directory.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    trust::check_directory(directory, Owner::Service).map_err(|error| {
        io::Error::new(error.kind(), format!("its directory {}: {error}", directory.display()))
    })?;
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let metadata = trust::check_file(path, &file, Owner::Service, Shut::ToWriters)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    // What was there before the directory was shut counts as well: SQLite would read it.
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match File::open(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => {
                trust::check_file(Path::new(&name), &other?, Owner::Service, Shut::ToWriters).map(drop)?
            }
        }
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Opens a connection.
pub(in super::super) fn connect(
    path: &Path,
    purpose: Use,
    deadlines: &Deadlines,
) -> Result<SqliteConnection, OpenError> {
    let name = path.to_str().ok_or(OpenError::Url("the path is not UTF-8"))?;
    let mut connection =
        SqliteConnection::establish(name).map_err(|error| OpenError::Connect(error.to_string()))?;
    let patience = if purpose == Use::ReadInPlace { Duration::ZERO } else { deadlines.lock_wait() };
    let (busy_timeout, may) = match purpose {
        Use::SetUp => (patience, "OFF"),
        Use::Write | Use::EveryTenant => (WRITER_BUSY_TIMEOUT, "OFF"),
        Use::Read | Use::ReadInPlace => (patience, "ON"),
    };
    let pragmas = format!(
        "PRAGMA busy_timeout = {}; PRAGMA query_only = {may}; PRAGMA journal_size_limit = {LOG_MAX_BYTES};",
        busy_timeout.as_millis()
    );
    begin_journal(&mut connection, patience)
        .and_then(|()| connection.batch_execute(&pragmas))
        .and_then(|()| argus_now_utils::register_nondeterministic_impl(&connection, now))
        .map_err(|error| open_error(path, error))?;
    Ok(connection)
}

/// Sees to it that the file has a write-ahead log. SQLite does not wait by itself while another process makes the
/// log, or removes it because it was the last one.
fn begin_journal(connection: &mut SqliteConnection, limit: Duration) -> QueryResult<()> {
    const PAUSE: Duration = Duration::from_millis(5);
    let began = Instant::now();
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;") {
            Err(error) if super::kind(&error) == Kind::Conflict && began.elapsed() < limit => {
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// The database is a file of this machine, so that its clock is the system's.
fn now() -> i64 {
    Clock::system().now().timestamp_micros()
}

fn open_error(path: &Path, error: diesel::result::Error) -> OpenError {
    let reason = error.to_string();
    if reason.contains("not a database") || reason.contains("malformed") {
        OpenError::NotADatabase { path: path.to_owned(), reason }
    } else {
        OpenError::Query(error)
    }
}

/// Begins a transaction and takes the write lock at once: a transaction that reads first and writes
/// later could otherwise fail at once when another writer came between, whatever the busy time-out.
pub(super) fn begin_write(connection: &mut SqliteConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
}

pub(super) fn tables(connection: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    let tables: Vec<Name> =
        diesel::sql_query("SELECT name FROM sqlite_master WHERE type = 'table'").load(connection)?;
    Ok(tables.into_iter().map(|table| table.name).collect())
}

/// Committed: only then does anything get to the disk.
pub(super) fn write_probe(connection: &mut SqliteConnection) -> QueryResult<()> {
    let replace = "INSERT OR REPLACE INTO installation VALUES ('write_probe', hex(randomblob(2048)))";
    diesel::sql_query(replace).execute(connection).map(drop)
}

/// How long the log is. A reader that holds a snapshot keeps it from beginning anew.
pub(in super::super) fn log_bytes(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // There is none before the first write.
    std::fs::metadata(log).map_or(0, |log| log.len())
}

pub(super) fn insert_fact_once(
    connection: &mut SqliteConnection,
    name: &str,
    value: &str,
) -> QueryResult<usize> {
    diesel::insert_or_ignore_into(installation::table)
        .values((installation::name.eq(name), installation::value.eq(value)))
        .execute(connection)
}
