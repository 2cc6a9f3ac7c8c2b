//! Work of the machinery on the rows of all tenants, or of none: claims, leases, sweeping, limits. Nothing that a
//! caller asks for comes here.

use super::connection::AnyConnection;
use super::engine;
use super::error::{Error, Failure, OpenError};
use super::lane::{Lane, Occupancy};
use super::settings::Deadlines;
use super::transaction::{again_after_conflicts, end};
use diesel::QueryResult;
use std::time::Instant;

/// The database for every tenant at once. Clones share the connections.
#[derive(Clone)]
pub struct EveryTenant(Lane);

impl EveryTenant {
    pub(super) fn new(lane: Lane) -> Self {
        Self(lane)
    }

    /// Runs work with a connection outside of the lane, for what is asked once in a process. Blocks.
    pub fn run_apart<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, OpenError> {
        Ok(work(&mut self.0.connect_apart()?)?)
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        self.0.occupancy()
    }

    pub(crate) fn deadlines(&self) -> Deadlines {
        self.0.deadlines()
    }

    /// Runs work, and again when another transaction was in the way. On SQLite it is one transaction; on
    /// PostgreSQL each statement is, which saves two round trips.
    pub async fn run<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: Fn(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        self.begin(false, work).await
    }

    /// Runs work that is one transaction on either engine.
    pub async fn transaction<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: Fn(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        self.begin(true, work).await
    }

    async fn begin<T, X, F>(&self, whole: bool, work: F) -> Result<T, X>
    where
        F: Fn(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        let lock_wait = self.0.deadlines().lock_wait();
        let run = move |connection: &mut AnyConnection, end| {
            // As in a write of a tenant's: nothing is committed that was given up before.
            let in_time = |connection: &mut AnyConnection| match work(connection)? {
                value if Instant::now() < end => Ok(value),
                _ => Err(Error::unavailable("it was given up").into()),
            };
            again_after_conflicts(lock_wait, || attempt(connection, whole, in_time))
        };
        self.0.run_until(run).await
    }
}

fn attempt<T, X: Failure>(
    connection: &mut AnyConnection,
    whole: bool,
    work: impl Fn(&mut AnyConnection) -> Result<T, X>,
) -> Result<T, X> {
    if !engine::begin_every_tenant(connection, whole).map_err(Error::from)? {
        return work(connection);
    }
    let outcome = work(connection);
    end(connection, outcome)
}
