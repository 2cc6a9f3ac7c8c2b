//! The arithmetic of a token bucket, in whole microseconds, so that nothing is lost to rounding. Of a bucket one
//! number is enough: when it will be full again.

use std::time::Duration;

/// The most tokens that a bucket may have.
const CAPACITY_MAX: i64 = 1_000_000_000;
/// The longest that a token may take to come back.
const INTERVAL_MAX: i64 = 3_600_000_000;

/// What a bucket holds, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many tokens a full bucket has.
    capacity: i64,
    /// After how many microseconds it has one more.
    interval: i64,
}

impl Rate {
    /// So many at once, and one more after each `interval`.
    pub fn new(capacity: u32, interval: Duration) -> Self {
        let interval = i64::try_from(interval.as_micros()).unwrap_or(INTERVAL_MAX);
        Self {
            capacity: i64::from(capacity).clamp(1, CAPACITY_MAX),
            interval: interval.clamp(1, INTERVAL_MAX),
        }
    }

    /// So many in a minute, and as many as in two minutes at once.
    pub fn per_minute(times: u32) -> Self {
        Self::new(times.saturating_mul(2), Duration::from_secs(60) / times.max(1))
    }

    /// How many tokens there are at once.
    pub fn capacity(&self) -> u32 {
        u32::try_from(self.capacity).unwrap_or(u32::MAX)
    }

    /// How long a token takes to come back.
    pub fn interval(&self) -> Duration {
        Duration::from_micros(self.interval.unsigned_abs())
    }

    /// The same, in microseconds.
    pub(super) fn interval_micros(self) -> i64 {
        self.interval
    }

    /// How long an empty bucket takes to be full, in microseconds.
    pub(super) fn span(self) -> i64 {
        self.capacity.saturating_mul(self.interval)
    }

    /// How many tokens a node leases at a time: few, because what it does not spend is lost to the others, and
    /// enough that it need not ask the database for each.
    pub(super) fn share(self) -> i64 {
        (self.capacity / 8).max(1)
    }

    /// How long until the bucket that is full at `full_at` has a token; 0 when it has one.
    pub(super) fn wait(self, full_at: &mut i64, now: i64) -> i64 {
        *full_at = self.level(*full_at, now);
        (*full_at + self.interval - now - self.span()).max(0)
    }

    /// How many tokens a bucket has that is full at `full_at`.
    pub(super) fn tokens(self, full_at: i64, now: i64) -> i64 {
        (self.span() - (self.level(full_at, now) - now)) / self.interval
    }

    /// Takes a token, or says how long there is none.
    pub(super) fn take(self, full_at: &mut i64, now: i64) -> Result<(), i64> {
        match self.wait(full_at, now) {
            0 => {
                *full_at += self.interval;
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// Notes a token that another has let be taken.
    pub(super) fn note(self, full_at: &mut i64, now: i64) {
        *full_at = self.level(self.level(*full_at, now) + self.interval, now);
    }

    /// When the bucket is full, by what `now` allows: no bucket is emptier than empty, and after a clock was set back
    /// it would seem so.
    fn level(self, full_at: i64, now: i64) -> i64 {
        full_at.clamp(now, now.saturating_add(self.span()))
    }
}
