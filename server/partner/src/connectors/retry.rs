//! When a question is sent again, and after how long. How many repetitions there may be beside the questions
//! themselves is bounded by a budget, so that a system that is down gets little more than its usual load.

use super::settings::Limits;
use argus_core::ids;
use std::fmt;
use std::time::Duration;
use tower::retry::budget::{Budget, TpsBudget};

/// For how long a question earns its part of a repetition.
const EARNED_FOR: Duration = Duration::from_secs(10);
/// Repetitions a second that need not be earned.
const UNEARNED: u32 = 1;
/// The part of a repetition that a question earns.
const PART: f32 = 0.2;

/// What a system did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no connection.
    NoConnection,
    /// It did not answer in time.
    TimedOut,
    /// The connection ended before the answer did.
    BrokenOff,
    /// It answered with another status than 200.
    Status {
        /// Which.
        status: u16,
        /// What `Retry-After` said, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// The answer is longer than any may be.
    TooLong,
    /// The answer does not fit: why, for the operator.
    Unusable(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection => f.write_str("there is no connection to it"),
            Self::TimedOut => f.write_str("it did not answer in time"),
            Self::BrokenOff => f.write_str("the connection ended before its answer"),
            Self::Status { status, .. } => write!(f, "it answered with status {status}"),
            Self::TooLong => f.write_str("its answer is too long"),
            Self::Unusable(reason) => write!(f, "its answer cannot be used: {reason}"),
        }
    }
}

/// The repetitions of one connector.
pub(super) struct Repetitions {
    budget: TpsBudget,
    limits: Limits,
}

impl Repetitions {
    pub(super) fn new(limits: Limits) -> Self {
        Self { budget: TpsBudget::new(EARNED_FOR, UNEARNED, PART), limits }
    }

    /// A question is asked for the first time.
    pub(super) fn earn(&self) {
        self.budget.deposit();
    }

    /// How long to wait before a question is sent again that has failed like this, if it may be.
    pub(super) fn pause(&self, attempt: u32, fault: &Fault) -> Option<Duration> {
        let asked_for = repeatable(fault)?;
        if attempt >= self.limits.attempts || asked_for > self.limits.retry_after || !self.budget.withdraw() {
            return None;
        }
        // The jitter comes on top, so that those who were sent away together do not come back together.
        Some(asked_for + jittered(self.limits.pause.saturating_mul(1 << (attempt - 1).min(16))))
    }
}

/// How long the system wants to be left alone after a fault that may pass; none after any other.
fn repeatable(fault: &Fault) -> Option<Duration> {
    match fault {
        Fault::NoConnection => Some(Duration::ZERO),
        Fault::Status { status: 429 | 502..=504, retry_after } => Some(retry_after.unwrap_or_default()),
        _ => None,
    }
}

/// A random part of `longest`. Without randomness, all of it.
fn jittered(longest: Duration) -> Duration {
    let [byte] = ids::random().unwrap_or([u8::MAX]);
    longest.mul_f32(f32::from(byte) / f32::from(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, retry_after: Option<u64>) -> Fault {
        Fault::Status { status, retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let repeated =
            [Fault::NoConnection, status(429, None), status(502, None), status(503, None), status(504, None)];
        let ended = [
            Fault::TimedOut,
            Fault::BrokenOff,
            Fault::TooLong,
            Fault::Unusable(String::new()),
            status(302, None),
            status(401, None),
            status(404, None),
            status(422, None),
            status(500, None),
        ];
        for (faults, again) in [(&repeated[..], true), (&ended, false)] {
            for fault in faults {
                let repetitions = Repetitions::new(Limits::default());
                assert_eq!(repetitions.pause(1, fault).is_some(), again, "{fault}");
            }
        }
    }

    #[test]
    fn a_pause_is_at_least_what_was_asked_for_and_none_is_longer_than_the_ceiling() {
        let limits = Limits { pause: Duration::from_millis(200), ..Limits::default() };
        let repetitions = Repetitions::new(limits);
        let pause = repetitions.pause(1, &status(503, Some(2))).expect("within the ceiling");
        assert!(pause >= Duration::from_secs(2) && pause <= Duration::from_millis(2200), "{pause:?}");
        assert_eq!(repetitions.pause(1, &status(429, Some(3))), None);
        assert_eq!(repetitions.pause(limits.attempts, &Fault::NoConnection), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_system_that_is_down_gets_a_fifth_more_than_its_usual_load() {
        let repetitions = Repetitions::new(Limits::default());
        let (mut sent, mut again) = (0_u32, 0_u32);
        for _ in 0..10_000 {
            repetitions.earn();
            sent += 1;
            again += u32::from(repetitions.pause(1, &Fault::NoConnection).is_some());
        }
        let unearned = UNEARNED * 10;
        assert!(again > 0 && again <= sent / 5 + unearned, "{again} of {sent}");
    }
}
