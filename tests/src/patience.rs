//! Looking again and again: what another process or a server in the background does cannot be awaited
//! otherwise.

use std::time::{Duration, Instant};

/// How long it may take; only a broken one needs so long.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(2);

/// Looks until there is something, or none when patience is at its end.
pub fn look_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let found = look();
        if found.is_some() || started.elapsed() > PATIENCE {
            return found;
        }
        std::thread::park_timeout(PAUSE);
    }
}
