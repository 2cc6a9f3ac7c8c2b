//! The one place where the time is read, so that a test can set it.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

/// Tells the time: that of the system, or one that a test sets.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still at `moment` until it is moved; clones move together.
    pub fn standing(moment: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(AtomicI64::new(moment.timestamp_micros()))))
    }

    /// Moves a standing clock; the system's clock does not move.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(micros) = &self.0 {
            micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// The time in UTC, to the microsecond: what both database engines keep.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros()).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Microseconds since 1970. Cheaper than `Utc::now`, and every request asks.
    fn micros(&self) -> i64 {
        match &self.0 {
            None => {
                let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
            }
            Some(micros) => micros.load(Ordering::Relaxed),
        }
    }

    /// The time as it is stored.
    pub fn timestamp(&self) -> NaiveDateTime {
        self.now().naive_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_it_is_moved_and_its_clones_with_it() {
        let clock = Clock::standing(DateTime::UNIX_EPOCH);
        let clone = clock.clone();
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(clone.now().timestamp(), 90);
        assert_eq!(clone.now(), clock.now());
    }
}
