//! How many statements this process has sent to databases.

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use std::sync::atomic::{AtomicU64, Ordering};

static SENT: AtomicU64 = AtomicU64::new(0);

/// Counts the statements of connections that are opened from now on.
pub fn begin() {
    #[allow(clippy::needless_pass_by_value, reason = "diesel hands it over by value")]
    fn count(event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            SENT.fetch_add(1, Ordering::Relaxed);
        }
    }
    // Fails only where another thread has panicked while it did the same.
    let _ = set_default_instrumentation(|| Some(Box::new(count) as Box<dyn Instrumentation>));
}

/// How many there were.
pub fn count() -> u64 {
    SENT.load(Ordering::Relaxed)
}
