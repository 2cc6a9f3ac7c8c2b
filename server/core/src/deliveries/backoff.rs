//! When the next attempt at a delivery is: after a pause that grows with each attempt, of which a random part is taken,
//! so that deliveries that failed together do not come back together (full jitter).

use std::time::Duration;

/// The longest pause after the first attempt; each later one is twice as long.
const FIRST: Duration = Duration::from_secs(10);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// The shortest and the longest that a receiver may ask for.
const ASKED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(6 * 3600));

/// How long to wait after this many attempts, of which the last asked for `retry_after`.
pub fn pause(attempts: u32, retry_after: Option<Duration>) -> Duration {
    let longest =
        LONGEST.min(FIRST.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX)));
    let jittered = longest.mul_f64(rand::random::<f64>());
    match retry_after {
        Some(asked) => jittered.max(asked.clamp(ASKED.0, ASKED.1)),
        None => jittered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_four_hours_and_have_a_random_length() {
        let longest = |attempts| (0..200).map(|_| pause(attempts, None)).max().unwrap_or_default();
        let bounds =
            [(1, 10), (2, 20), (5, 160), (11, 10_240), (12, 14_400), (60, 14_400), (u32::MAX, 14_400)];
        for (attempts, seconds) in bounds {
            let found = longest(attempts);
            let bound = Duration::from_secs(seconds);
            assert!(found <= bound && found > bound / 2, "{attempts}: {found:?}");
        }
        assert!((0..200).any(|_| pause(5, None) < Duration::from_secs(80)));
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
        assert!(pause(1, Some(hour)) >= hour);
        assert_eq!(pause(1, Some(day)), ASKED.1);
        assert!(pause(1, Some(Duration::ZERO)) >= ASKED.0);
    }
}
