//! What receivers are spared, as far as one node knows. Each has a lane: so many attempts at a time, more of them while
//! it answers, fewer while it does not, and none for a while after it has failed again and again. So one that hangs
//! holds up little, and nobody else.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many attempts at a time a receiver gets that nothing is known of.
const FIRST_WIDTH: u32 = 4;
/// How many one gets at most.
const GREATEST_WIDTH: u32 = 64;
/// After how many failures in a row it is left alone for a while.
const FAILURES: u32 = 5;
/// For how long at first; twice as long after each further failure.
const FIRST_REST: Duration = Duration::from_secs(5);
/// For how long at most.
const LONGEST_REST: Duration = Duration::from_secs(300);
/// How many lanes may be known before those that say nothing are forgotten.
const KNOWN: usize = 4_096;

/// What an attempt says of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers.
    Answers,
    /// It does not, or asks to be spared.
    Fails,
    /// Nothing: there was no attempt.
    Unknown,
}

/// The lanes of a node.
#[derive(Default)]
pub struct Lanes(Mutex<HashMap<String, Lane>>);

#[derive(Clone, Debug)]
struct Lane {
    width: u32,
    on_their_way: u32,
    failures: u32,
    rests_until: Option<Instant>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { width: FIRST_WIDTH, on_their_way: 0, failures: 0, rests_until: None }
    }
}

impl Lane {
    fn free(&self, now: Instant) -> u32 {
        match self.rests_until {
            Some(until) if now < until => 0,
            // One attempt finds out whether it answers again.
            _ if self.failures >= FAILURES => 1_u32.saturating_sub(self.on_their_way),
            _ => self.width.saturating_sub(self.on_their_way),
        }
    }

    fn says_nothing(&self) -> bool {
        self.on_their_way == 0 && self.failures == 0
    }

    fn end(&mut self, verdict: Verdict, now: Instant) {
        self.on_their_way = self.on_their_way.saturating_sub(1);
        match verdict {
            Verdict::Answers => {
                (self.failures, self.rests_until) = (0, None);
                self.width = GREATEST_WIDTH.min(self.width + 1);
            }
            Verdict::Fails => {
                self.failures += 1;
                self.width = 1.max(self.width / 2);
                if let Some(more) = self.failures.checked_sub(FAILURES) {
                    let rest = FIRST_REST.saturating_mul(1_u32.checked_shl(more).unwrap_or(u32::MAX));
                    self.rests_until = Some(now + rest.min(LONGEST_REST));
                }
            }
            Verdict::Unknown => {}
        }
    }
}

impl Lanes {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many attempts each known receiver may be sent now, and how many any other one may.
    pub fn free(&self) -> (HashMap<String, u32>, u32) {
        let now = Instant::now();
        let mut known = self.known();
        if known.len() > KNOWN {
            known.retain(|_, lane| !lane.says_nothing());
        }
        (known.iter().map(|(name, lane)| (name.clone(), lane.free(now))).collect(), FIRST_WIDTH)
    }

    /// An attempt is on its way.
    pub fn begin(&self, lane: &str) {
        let mut known = self.known();
        match known.get_mut(lane) {
            Some(lane) => lane.on_their_way += 1,
            None => drop(known.insert(lane.to_owned(), Lane { on_their_way: 1, ..Lane::default() })),
        }
    }

    /// An attempt has ended.
    pub fn end(&self, lane: &str, verdict: Verdict) {
        if let Some(lane) = self.known().get_mut(lane) {
            lane.end(verdict, Instant::now());
        }
    }

    /// How many receivers are left alone for now.
    pub fn resting(&self) -> usize {
        let now = Instant::now();
        self.known().values().filter(|lane| lane.rests_until.is_some_and(|until| now < until)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn free(lanes: &Lanes) -> u32 {
        let (known, each) = lanes.free();
        known.get("lane").copied().unwrap_or(each)
    }

    fn attempt(lanes: &Lanes, verdict: Verdict) {
        lanes.begin("lane");
        lanes.end("lane", verdict);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_grows_while_its_receiver_answers() {
        let lanes = Lanes::default();
        assert_eq!(free(&lanes), FIRST_WIDTH);
        for _ in 0..200 {
            attempt(&lanes, Verdict::Answers);
        }
        assert_eq!(free(&lanes), GREATEST_WIDTH);
        (0..10).for_each(|_| lanes.begin("lane"));
        assert_eq!(free(&lanes), GREATEST_WIDTH - 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_fails_again_and_again_is_left_alone_and_then_asked_once() {
        let lanes = Lanes::default();
        for failed in 1..=FAILURES {
            assert!(free(&lanes) > 0, "{failed}");
            attempt(&lanes, Verdict::Fails);
        }
        assert_eq!((free(&lanes), lanes.resting()), (0, 1));
        advance(FIRST_REST).await;
        assert_eq!((free(&lanes), lanes.resting()), (1, 0));
        lanes.begin("lane");
        assert_eq!(free(&lanes), 0, "one finds out");
        lanes.end("lane", Verdict::Fails);
        advance(FIRST_REST).await;
        assert_eq!(free(&lanes), 0, "it rests for twice as long");
        advance(FIRST_REST).await;
        attempt(&lanes, Verdict::Answers);
        assert!(free(&lanes) > 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_ends_without_a_word_gives_its_place_back() {
        let lanes = Lanes::default();
        for _ in 0..FAILURES {
            attempt(&lanes, Verdict::Fails);
        }
        advance(LONGEST_REST).await;
        attempt(&lanes, Verdict::Unknown);
        assert_eq!(free(&lanes), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_that_say_nothing_are_forgotten_when_there_are_many() {
        let lanes = Lanes::default();
        for number in 0..2 * KNOWN {
            lanes.begin(&number.to_string());
            lanes.end(&number.to_string(), Verdict::Answers);
        }
        lanes.begin("lane");
        assert_eq!(lanes.free().0.len(), 1);
    }
}
