//! A lane: some connections of one kind, and the tasks that wait for them.

use super::connection::{AnyConnection, Manager};
use super::error::{Error, OpenError};
use diesel::r2d2::{NopErrorHandler, Pool};
use scheduled_thread_pool::ScheduledThreadPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections of one kind. Clones share them.
#[derive(Clone)]
pub(super) struct Lane {
    pool: Pool<Manager>,
    // As many permits as connections: requests wait here as tasks, and not as blocked threads.
    permits: Arc<Semaphore>,
    pub(super) checkout_timeout: Duration,
}

impl Lane {
    /// At most `connections` at a time, the first of which is opened now when `eager`.
    pub(super) fn open(
        manager: Manager,
        connections: u32,
        eager: bool,
        checkout_timeout: Duration,
        threads: &Arc<ScheduledThreadPool>,
    ) -> Result<Self, OpenError> {
        let embedded = manager.location.is_embedded();
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(u32::from(eager)))
            .connection_timeout(checkout_timeout)
            .test_on_check_out(!embedded)
            .error_handler(Box::new(NopErrorHandler))
            .thread_pool(Arc::clone(threads))
            .build(manager)
            .map_err(|error| OpenError::Connect(error.to_string()))?;
        Ok(Self { pool, permits: Arc::new(Semaphore::new(connections as usize)), checkout_timeout })
    }

    pub(super) fn connections(&self) -> u32 {
        self.pool.max_size()
    }

    /// Runs `work` with a connection on the blocking pool.
    pub(super) async fn run<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: From<Error> + Send + 'static,
    {
        let permits = Arc::clone(&self.permits);
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(self.checkout_timeout, permits.acquire_owned())
                .await
                .map_err(Error::unavailable)?
                .map_err(Error::unavailable)?,
        };
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            // The permit ends with the work, even when the caller has gone away meanwhile.
            let _permit = permit;
            let mut connection = pool.get().map_err(Error::unavailable)?;
            work(&mut connection)
        });
        done.await.map_err(Error::permanent)?
    }

    /// Runs `work` on this thread if a connection is free.
    pub(super) fn run_in_place<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> Option<T> {
        let _permit = self.permits.try_acquire().ok()?;
        let mut connection = self.pool.try_get()?;
        Some(work(&mut connection))
    }

    /// Runs `work` on this thread, waiting for a connection. Blocks.
    pub(super) fn block<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> Result<T, OpenError> {
        let mut connection = self.pool.get().map_err(|error| OpenError::Connect(error.to_string()))?;
        Ok(work(&mut connection))
    }
}
