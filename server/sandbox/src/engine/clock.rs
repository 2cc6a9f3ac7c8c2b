//! The virtual clock. Time in the sandbox starts at one moment and moves only as far as
//! `Prefer: argus-clock` says.

use argus_openapi::types::common::Timestamp;
use chrono::{DateTime, TimeDelta};

/// The moment at which the sandbox's time starts, 2026-05-08T12:00:00Z, in seconds since 1970.
pub const EPOCH_UNIX_SECONDS: i64 = 1_778_241_600;

/// How far the clock can be moved: a year. Enough to see results expire.
pub(crate) const CLOCK_MAX: u32 = 365 * 24 * 3600;

/// The moment so many seconds after the start, or before it.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let epoch = DateTime::from_timestamp(EPOCH_UNIX_SECONDS, 0).unwrap_or_default();
    Timestamp::from(epoch + TimeDelta::seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_starts_where_the_contract_says() {
        assert_eq!(serde_json::json!(at(0)), "2026-05-08T12:00:00Z");
        assert_eq!(serde_json::json!(at(30)), "2026-05-08T12:00:30Z");
        assert_eq!(serde_json::json!(at(-60)), "2026-05-08T11:59:00Z");
    }
}
