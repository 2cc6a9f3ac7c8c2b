//! What the store needs to know to open.

use super::error::OpenError;
use super::location::Location;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A database URL, which may hold a password and is therefore not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The SQLite file of a data directory.
    pub fn embedded(data_dir: &Path) -> Self {
        Self(format!("sqlite://{}", data_dir.join("argus.db").display()))
    }

    /// Whether the URL names an engine and a place that this server understands. Touches nothing.
    pub fn check(&self) -> Result<(), OpenError> {
        Location::parse(&self.0).map(drop)
    }

    /// The file of a SQLite URL, and none of a server's.
    pub fn file(&self) -> Result<Option<PathBuf>, OpenError> {
        Ok(match Location::parse(&self.0)? {
            Location::Sqlite(path) => Some(path),
            Location::Postgres(_) => None,
        })
    }

    /// Whether it holds a password, or could: of one that cannot be read nobody knows.
    pub fn may_hold_password(&self) -> bool {
        match Location::parse(&self.0) {
            Ok(Location::Postgres(url)) => url.has_secret(),
            Ok(Location::Sqlite(_)) => false,
            Err(_) => true,
        }
    }

    /// Whether this is the embedded engine, which has one node.
    pub fn is_embedded(&self) -> bool {
        Location::parse(&self.0).is_ok_and(|location| location.is_embedded())
    }

    /// The URL, password included.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(..)")
    }
}

/// How many connections each kind of work may hold at a time. They are separate, so that work never
/// starves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// For requests.
    pub requests: u32,
    /// For the workers of jobs.
    pub workers: u32,
    /// For deliveries.
    pub deliveries: u32,
}

impl Default for Connections {
    fn default() -> Self {
        Self { requests: 16, workers: 4, deliveries: 4 }
    }
}

/// What the store needs to know to open.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where the database is: `postgres://…`, `sqlite://path` or a plain path. On PostgreSQL its role serves
    /// requests.
    pub url: DatabaseUrl,
    /// The same database for the machinery, which serves every tenant. On PostgreSQL alone.
    pub worker_url: Option<DatabaseUrl>,
    /// The same database for migrations. On PostgreSQL alone.
    pub owner_url: Option<DatabaseUrl>,
    /// Whether a role is refused that row-level security does not hold.
    pub require_wall: bool,
    /// How many connections there may be.
    pub connections: Connections,
    /// How long what may take.
    pub deadlines: Deadlines,
}

/// How long what may take, so that nobody waits without end for a database that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// A new connection.
    pub connect: Duration,
    /// The acknowledgement of what was sent to a server; TCP gives the connection up then. What the URL says as
    /// `tcp_user_timeout` counts before it.
    pub acknowledgement: Duration,
    /// A free connection, new or not.
    pub check_out: Duration,
    /// One statement; PostgreSQL ends it. What the URL or the role says counts before it.
    pub statement: Duration,
    /// All that is done with a connection before it is given back; it is cut then.
    pub work: Duration,
    /// What limits ask of nodes' shared buckets; whoever is charged does not wait longer, and his node counts alone
    /// for twenty times as long.
    pub limits: Duration,
}

impl Deadlines {
    /// How long work may wait for other transactions, and be tried again because of them: twice this ends
    /// before the work has to.
    pub(super) fn lock_wait(&self) -> Duration {
        self.work * 2 / 5
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            acknowledgement: Duration::from_secs(10),
            check_out: Duration::from_secs(3),
            statement: Duration::from_secs(5),
            work: Duration::from_secs(10),
            limits: Duration::from_millis(250),
        }
    }
}

impl StoreSettings {
    /// The settings of a database at `url`, and the defaults for everything else.
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            worker_url: None,
            owner_url: None,
            require_wall: false,
            connections: Connections::default(),
            deadlines: Deadlines::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_the_database_without_end_unless_told_to() {
        let Deadlines { connect, acknowledgement, check_out, statement, work, limits } =
            StoreSettings::new(DatabaseUrl::from("argus.db".to_owned())).deadlines;
        let zero = Duration::ZERO;
        assert!(connect > zero && acknowledgement > zero && check_out > zero && statement > zero);
        // A statement ends before the work that it is a part of, and all of it before clients give up.
        assert!(statement < work && check_out + work < Duration::from_secs(15));
        assert!(zero < limits && limits < statement, "limits go on without the database");
        assert!(connect <= check_out, "whoever waits for a new connection gets it");
    }

    #[test]
    fn a_database_url_holds_no_password_only_when_that_is_certain() {
        for (url, may) in [
            ("argus.db", false),
            ("sqlite:///data/argus.db", false),
            ("postgres://argus@db/argus", false),
            ("postgres://argus:hunter2@db/argus", true),
            ("postgres:///argus?host=db&password=hunter2", true),
            ("mysql://argus:hunter2@db/argus", true),
            ("host=db password=hunter2", true),
        ] {
            assert_eq!(DatabaseUrl::from(url.to_owned()).may_hold_password(), may, "{url}");
        }
    }
}
