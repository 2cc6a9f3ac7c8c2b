//! A lane: some connections of one kind, and the tasks that wait for them.

use super::connection::AnyConnection;
use super::error::{Error, Failure, Kind, OpenError};
use super::manager::Manager;
use super::settings::Deadlines;
use deadpool::Runtime;
use deadpool::managed::{Object, Pool};
use std::time::Instant;

/// How the connections of a lane are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// How many there may be.
    pub most: usize,
    /// How many are lent.
    pub busy: usize,
    /// How many tasks wait for one.
    pub waiting: usize,
}

/// A connection that somebody has for a while.
pub(super) type Lent = Object<Manager>;

/// Connections of one kind. Clones share them.
#[derive(Clone)]
pub(super) struct Lane(Pool<Manager>);

impl Lane {
    /// At most `connections` at a time. None is opened before it is needed.
    pub(super) fn new(manager: Manager, connections: u32) -> Result<Self, OpenError> {
        let pool = Pool::builder(manager).max_size(connections as usize).runtime(Runtime::Tokio1).build();
        pool.map(Self).map_err(|error| OpenError::Connect(error.to_string()))
    }

    pub(super) fn connections(&self) -> usize {
        self.0.status().max_size
    }

    /// How its connections are used now.
    pub(super) fn occupancy(&self) -> Occupancy {
        let status = self.0.status();
        let (open, idle) = (status.size, status.available.min(status.size));
        Occupancy { most: status.max_size, busy: open - idle, waiting: status.waiting }
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.0.manager().deadlines
    }

    /// A connection outside of the lane. Blocks.
    pub(super) fn connect_apart(&self) -> Result<AnyConnection, OpenError> {
        self.0.manager().connect_apart()
    }

    /// A connection, which goes back when it is dropped.
    pub(super) async fn lend(&self) -> Result<Lent, Error> {
        match tokio::time::timeout(self.deadlines().check_out, self.0.get()).await {
            Ok(lent) => lent.map_err(Error::unavailable),
            Err(_) => Err(Error::unavailable("no connection was free in time")),
        }
    }

    /// Runs `work` with a connection on the blocking pool.
    pub(super) async fn run<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        self.run_until(move |connection, _| work(connection)).await
    }

    /// The same, of work that wants to know when it is given up.
    pub(super) async fn run_until<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: FnOnce(&mut AnyConnection, Instant) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        let connection = self.lend().await?;
        let (pool, limit) = (self.0.clone(), self.deadlines().work);
        // On a task of its own, because the work goes on when its caller has gone: the connection is back
        // in the pool when the work is done, and not before.
        let done = tokio::spawn(async move {
            let end = Instant::now() + limit;
            let work = move |connection: &mut AnyConnection| work(connection, end);
            let outcome = connection.run(limit, work).await.map_err(X::from).flatten();
            let is_unavailable =
                |error: &X| error.store_error().is_some_and(|error| error.kind() == Kind::Unavailable);
            // It may have been this work alone that took too long.
            if outcome.as_ref().is_err_and(is_unavailable) && !connection.answers().await {
                pool.manager().note_loss();
            }
            outcome
        });
        done.await.map_err(Error::permanent)?
    }
}
