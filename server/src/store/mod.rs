//! Diesel models and queries, one file per resource, on SQLite or PostgreSQL.
//!
//! Queries block, so they run on tokio's blocking pool behind [`Store::run`]. Every query of tenant
//! data takes the caller's tenant. Rules of the domain do not live here.

pub mod apps;
pub mod audit;
pub mod connection;
mod error;
pub mod installation;
mod location;
mod migrations;
pub mod schema;
pub mod tenants;

pub use connection::AnyConnection;
pub use error::StoreError;

use crate::problem::{Outcome, Problem};
use chrono::{NaiveDateTime, SubsecRound, Utc};
use connection::Manager;
use diesel::r2d2::{Pool, R2D2Connection};
use location::Location;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a request waits for a free connection before it is answered with 503.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(3);
/// SQLite has one writer at a time; a few more connections serve readers.
const SQLITE_CONNECTIONS: u32 = 4;
/// PostgreSQL connections per node.
const POSTGRES_CONNECTIONS: u32 = 16;

/// The store: a pool of connections to one database. Clones share the pool.
#[derive(Clone)]
pub struct Store {
    pool: Pool<Manager>,
    // As many permits as connections: requests wait here as tasks, and not as blocked threads.
    permits: Arc<Semaphore>,
    checkout_timeout: Duration,
    embedded: bool,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("connections", &self.pool.max_size()).finish()
    }
}

impl Store {
    /// Opens the store at `url` (`postgres://…`, `sqlite://path` or a plain path), creates the file
    /// if need be, and brings the schema up to date. Blocks.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let location = Location::parse(url)?;
        migrate(&location)?;
        let connections = match location {
            Location::Postgres(_) => POSTGRES_CONNECTIONS,
            Location::Sqlite(_) => SQLITE_CONNECTIONS,
        };
        let embedded = matches!(location, Location::Sqlite(_));
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(CHECKOUT_TIMEOUT)
            .test_on_check_out(!embedded)
            .error_handler(Box::new(diesel::r2d2::NopErrorHandler))
            .build(Manager(location))
            .map_err(|error| StoreError::Connect(error.to_string()))?;
        let permits = Arc::new(Semaphore::new(connections as usize));
        Ok(Self { pool, permits, checkout_timeout: CHECKOUT_TIMEOUT, embedded })
    }

    /// Changes how long a request waits while every connection is busy; 3 seconds by default.
    #[must_use]
    pub fn with_checkout_timeout(mut self, timeout: Duration) -> Self {
        self.checkout_timeout = timeout;
        self
    }

    /// How many pieces of work can run at the same time.
    pub fn connections(&self) -> u32 {
        self.pool.max_size()
    }

    /// Brings the schema at `url` up to date and names the migrations that were applied. Blocks.
    pub fn migrate(url: &str) -> Result<Vec<String>, StoreError> {
        migrate(&Location::parse(url)?)
    }

    /// Runs `work` with a connection on the blocking pool.
    pub async fn run<T, F>(&self, work: F) -> Outcome<T>
    where
        F: FnOnce(&mut AnyConnection) -> Outcome<T> + Send + 'static,
        T: Send + 'static,
    {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(self.checkout_timeout, Arc::clone(&self.permits).acquire_owned())
                .await
                .map_err(Problem::unavailable)?
                .map_err(Problem::unavailable)?,
        };
        let pool = self.pool.clone();
        tokio::task::spawn_blocking(move || {
            // The permit ends with the work, even when the caller has gone away meanwhile.
            let _permit = permit;
            let mut connection = pool.get().map_err(Problem::unavailable)?;
            work(&mut connection)
        })
        .await
        .map_err(Problem::internal)?
    }

    /// Records `value` under `name` unless a value is there already, and returns the one that is.
    /// Blocks.
    pub fn recorded_once(&self, name: &str, value: &str) -> Result<String, StoreError> {
        let mut connection = self.pool.get().map_err(|error| StoreError::Connect(error.to_string()))?;
        Ok(installation::record_once(&mut connection, name, value)?)
    }

    /// Runs one indexed read of a few rows. On SQLite that takes less time than the way to the blocking
    /// pool and back, and in WAL mode no writer makes it wait, so it runs in place when a connection is
    /// free; otherwise as in [`Store::run`].
    pub async fn read<T, F>(&self, work: F) -> Outcome<T>
    where
        F: FnOnce(&mut AnyConnection) -> Outcome<T> + Send + 'static,
        T: Send + 'static,
    {
        if self.embedded
            && let Ok(_permit) = self.permits.try_acquire()
            && let Some(mut connection) = self.pool.try_get()
        {
            return work(&mut connection);
        }
        self.run(work).await
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Outcome<()> {
        self.run(|connection| connection.ping().map_err(Problem::unavailable)).await
    }
}

fn migrate(location: &Location) -> Result<Vec<String>, StoreError> {
    location.prepare()?;
    migrations::run(&mut location.connect()?)
}

/// The current time as both engines keep it: UTC, to the microsecond.
pub fn now() -> NaiveDateTime {
    Utc::now().naive_utc().trunc_subsecs(6)
}
