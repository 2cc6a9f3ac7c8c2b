//! Reads on the thread that asks, of a file alone: a few indexed rows are there before another thread would have
//! begun.
//!
//! One connection, which is handed from thread to thread. With several, the threads would wait for each other inside
//! of SQLite, which locks its part of shared memory with two calls of the system for each read and lets whoever finds
//! it locked go to sleep; here they wait as long as a read takes, without sleeping.

use super::connection::AnyConnection;
use super::engine::Use;
use super::location::Location;
use super::settings::Deadlines;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

/// Longer than a few reads of others take.
const PATIENCE: Duration = Duration::from_micros(50);
/// How often the lock is looked at between two looks at the time.
const LOOKS: usize = 32;

/// The connection. It is opened when it is first needed.
pub(super) struct InPlace {
    location: Location,
    deadlines: Deadlines,
    connection: Mutex<Option<AnyConnection>>,
}

impl InPlace {
    pub(super) fn new(location: Location, deadlines: Deadlines) -> Self {
        Self { location, deadlines, connection: Mutex::new(None) }
    }

    /// Runs `work` on this thread, unless that would make it wait.
    pub(super) fn run<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> Option<T> {
        let mut connection = self.lock()?;
        if connection.as_mut().is_none_or(AnyConnection::is_broken) {
            *connection = self.location.connect(Use::ReadInPlace, &self.deadlines).ok();
        }
        connection.as_mut().map(work)
    }

    /// The connection, once nobody else has it. To sleep until then would take longer.
    fn lock(&self) -> Option<MutexGuard<'_, Option<AnyConnection>>> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            for _ in 0..LOOKS {
                match self.connection.try_lock() {
                    Ok(connection) => return Some(connection),
                    Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
                    // Who panicked has left the connection in a state that nobody knows.
                    Err(TryLockError::Poisoned(poisoned)) => {
                        let mut connection = poisoned.into_inner();
                        *connection = None;
                        self.connection.clear_poison();
                        return Some(connection);
                    }
                }
            }
        }
        None
    }
}
