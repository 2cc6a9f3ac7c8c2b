//! How long to wait before the next look at a job: shorter while it gets on and towards its end, longer while it
//! stands still.

use crate::generated::types::{Job, JobStatus};
use std::time::Duration;
use tokio::time::Instant;

/// How much longer each further pause is while nothing moves.
const SLOWER: f64 = 1.5;

/// The pauses of one wait.
pub(crate) struct Pace {
    shortest: Duration,
    longest: Duration,
    pause: Duration,
    seen: Option<Seen>,
}

/// A job, as far as it counts here.
#[derive(Clone, Copy, PartialEq)]
struct Seen {
    at: Instant,
    status: JobStatus,
    progress: i32,
}

impl Pace {
    pub(crate) fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, pause: shortest, seen: None }
    }

    /// The pause after this look at the job.
    pub(crate) fn after(&mut self, job: &Job, now: Instant) -> Duration {
        let seen = Seen { at: now, status: job.status, progress: job.progress_pct };
        self.pause = match self.seen {
            None => self.shortest,
            Some(before) if (before.status, before.progress) == (seen.status, seen.progress) => self.slower(),
            Some(before) => self.moved(before, seen),
        };
        // What stands still was seen first when it came there: that is when its stretch began.
        if self.seen.is_none_or(|before| (before.status, before.progress) != (seen.status, seen.progress)) {
            self.seen = Some(seen);
        }
        self.pause
    }

    /// The pause after a look that showed nothing.
    pub(crate) fn blind(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = self.slower();
        pause
    }

    fn slower(&self) -> Duration {
        self.pause.mul_f64(SLOWER).min(self.longest)
    }

    /// Half of what the rest takes if it goes on like the last stretch, so that the end is met within a few looks.
    fn moved(&self, before: Seen, seen: Seen) -> Duration {
        let (moved, left) = (seen.progress - before.progress, (100 - seen.progress).max(0));
        if moved <= 0 {
            // It has begun, or begun anew.
            return self.shortest;
        }
        let rest = (seen.at - before.at).mul_f64(f64::from(left) / f64::from(moved));
        (rest / 2).clamp(self.shortest, self.longest.max(self.shortest))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn job(status: &str, progress: i32) -> Job {
        serde_json::from_value(serde_json::json!({
            "id": "j", "kind": "export.bulk", "status": status, "progress_pct": progress, "error": null,
            "created_at": "2026-05-08T12:00:00Z", "updated_at": "2026-05-08T12:00:00Z",
            "completed_at": null, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }))
        .unwrap()
    }

    /// The pauses of a wait for a job that looks like this each time.
    fn pauses(looks: &[(&str, i32)]) -> Vec<u128> {
        let mut pace = Pace::new(Duration::from_millis(500), Duration::from_secs(10));
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for (status, progress) in looks {
            let pause = pace.after(&job(status, *progress), now);
            pauses.push(pause.as_millis());
            now += pause;
        }
        pauses
    }

    #[test]
    fn pauses_grow_to_their_bound_while_nothing_moves_and_shrink_when_it_begins() {
        let queued = [("queued", 0); 10];
        let grown = pauses(&queued);
        assert_eq!(grown[..4], [500, 750, 1125, 1687]);
        assert_eq!(grown[9], 10_000);
        let begun = pauses(&[&queued[..], &[("running", 0)]].concat());
        assert_eq!(begun.last(), Some(&500));
    }

    #[test]
    fn a_job_that_gets_on_is_looked_at_more_often_towards_its_end() {
        // 10 percent in half a second: the rest takes 4.5 s, half of which is waited for.
        assert_eq!(pauses(&[("running", 0), ("running", 10)]), [500, 2_250]);
        assert_eq!(pauses(&[("running", 0), ("running", 90)]), [500, 500]);
        // One percent in half a second: the rest takes 49.5 s, and no pause is longer than allowed.
        assert_eq!(pauses(&[("running", 0), ("running", 1)]), [500, 10_000]);
        assert_eq!(pauses(&[("running", 50), ("running", 10)]), [500, 500], "it was begun anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_of_a_minute_is_seen_to_end_soon_after_it_has_within_few_looks() {
        let mut pace = Pace::new(Duration::from_millis(500), Duration::from_secs(10));
        let (start, mut looks) = (Instant::now(), 0);
        loop {
            looks += 1;
            let age = start.elapsed().as_secs_f64();
            if age >= 60.0 {
                break;
            }
            tokio::time::sleep(pace.after(&job("running", (age / 0.6) as i32), Instant::now())).await;
        }
        let late = start.elapsed() - Duration::from_secs(60);
        assert!(looks < 30 && late < Duration::from_secs(1), "{looks} looks, {late:?} late");
    }
}
