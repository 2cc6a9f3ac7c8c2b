//! A circuit breaker: a system that fails again and again is left alone for a while, and then asked once. What
//! counts as a failure is its user's business. Time is that of an injected clock.

use argus_core::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the end of a request says of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It works.
    Works,
    /// It is broken.
    Broken,
    /// Neither: it refused this request, or nobody waited for the answer.
    Unknown,
}

/// A breaker before one system.
pub(super) struct Breaker {
    clock: Clock,
    /// After how many failures in a row it opens.
    failures: u32,
    /// How long it stays open.
    rest: TimeDelta,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Counts the phases, so that a request that began in an earlier one decides nothing in this one.
    number: u64,
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.number += 1;
    }
}

#[derive(Clone, Copy)]
enum Phase {
    /// Every request is let through.
    Closed { failures_in_a_row: u32 },
    /// None is.
    Open { since: DateTime<Utc> },
    /// One was let through, and has not ended.
    HalfOpen,
}

impl Breaker {
    /// A closed breaker.
    pub(super) fn new(clock: Clock, failures: u32, rest: TimeDelta) -> Self {
        let state = State { phase: Phase::Closed { failures_in_a_row: 0 }, number: 0 };
        Self { clock, failures, rest, state: Mutex::new(state) }
    }

    /// Lets a request through, or not.
    pub(super) fn admit(&self) -> Option<Admitted<'_>> {
        let mut state = self.lock();
        match state.phase {
            Phase::Closed { .. } => {}
            Phase::Open { since } if self.is_over(since) => state.enter(Phase::HalfOpen),
            Phase::Open { .. } | Phase::HalfOpen => return None,
        }
        Some(Admitted { breaker: self, number: state.number, verdict: Verdict::Unknown })
    }

    /// Whether the time to rest has passed. A clock that was set back must not make it longer.
    fn is_over(&self, since: DateTime<Utc>) -> bool {
        let passed = self.clock.now() - since;
        passed >= self.rest || passed < TimeDelta::zero()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was let through. However it ends, dropped half-way included, the breaker learns of it.
pub(super) struct Admitted<'b> {
    breaker: &'b Breaker,
    number: u64,
    verdict: Verdict,
}

impl Admitted<'_> {
    /// The request has ended.
    pub(super) fn end(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.lock();
        if state.number != self.number {
            return;
        }
        let open = Phase::Open { since: self.breaker.clock.now() };
        match (state.phase, self.verdict) {
            (Phase::Closed { .. }, Verdict::Works) => state.phase = Phase::Closed { failures_in_a_row: 0 },
            (Phase::Closed { failures_in_a_row }, Verdict::Broken) => {
                let failures_in_a_row = failures_in_a_row + 1;
                if failures_in_a_row < self.breaker.failures {
                    state.phase = Phase::Closed { failures_in_a_row };
                } else {
                    state.enter(open);
                }
            }
            (Phase::HalfOpen, Verdict::Works) => state.enter(Phase::Closed { failures_in_a_row: 0 }),
            // The probe has told nothing good, so that another one is due after the same time.
            (Phase::HalfOpen, Verdict::Broken | Verdict::Unknown) => state.enter(open),
            (Phase::Closed { .. }, Verdict::Unknown) | (Phase::Open { .. }, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const REST: TimeDelta = TimeDelta::seconds(30);
    const ALMOST: TimeDelta = TimeDelta::milliseconds(29_999);

    struct Bench {
        clock: Clock,
        breaker: Breaker,
    }

    impl Bench {
        /// A breaker that opens after three failures.
        fn new() -> Self {
            let clock = Clock::standing(DateTime::UNIX_EPOCH);
            Self { breaker: Breaker::new(clock.clone(), 3, REST), clock }
        }

        /// One that is open.
        fn open() -> Self {
            let bench = Self::new();
            (0..3).for_each(|_| bench.request(Verdict::Broken));
            bench
        }

        /// One whose rest is over.
        fn rested() -> Self {
            let bench = Self::open();
            bench.clock.advance(REST);
            bench
        }

        fn request(&self, verdict: Verdict) {
            self.breaker.admit().expect("let through").end(verdict);
        }

        fn is_open(&self) -> bool {
            self.breaker.admit().is_none()
        }
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_among_them_does_not_let_them_add_up() {
        let bench = Bench::new();
        for verdict in [Verdict::Broken, Verdict::Broken, Verdict::Works, Verdict::Broken, Verdict::Broken] {
            bench.request(verdict);
            assert!(!bench.is_open(), "{verdict:?}");
        }
        bench.request(Verdict::Broken);
        assert!(bench.is_open());
    }

    #[test]
    fn what_tells_nothing_of_the_system_neither_opens_it_nor_clears_it() {
        let bench = Bench::new();
        bench.request(Verdict::Broken);
        bench.request(Verdict::Broken);
        (0..100).for_each(|_| bench.request(Verdict::Unknown));
        assert!(!bench.is_open());
        bench.request(Verdict::Broken);
        assert!(bench.is_open());
    }

    #[test]
    fn it_rests_for_its_time_and_a_probe_that_works_closes_it() {
        let bench = Bench::open();
        bench.clock.advance(ALMOST);
        assert!(bench.is_open());
        bench.clock.advance(TimeDelta::milliseconds(1));
        bench.request(Verdict::Works);
        (0..2).for_each(|_| bench.request(Verdict::Broken));
        assert!(!bench.is_open(), "failures are counted anew");
    }

    #[test]
    fn of_a_hundred_callers_at_half_open_exactly_one_goes_out() {
        let bench = Arc::new(Bench::rested());
        let admitted = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(std::sync::Barrier::new(100));
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (bench, admitted, gate) = (Arc::clone(&bench), Arc::clone(&admitted), Arc::clone(&gate));
                std::thread::spawn(move || {
                    gate.wait();
                    let request = bench.breaker.admit();
                    admitted.fetch_add(usize::from(request.is_some()), Ordering::SeqCst);
                    // Nobody ends before everybody has asked.
                    gate.wait();
                    drop(request);
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
        assert_eq!(admitted.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_probe_that_tells_nothing_good_gives_its_place_to_another_after_the_rest() {
        for verdict in [None, Some(Verdict::Unknown), Some(Verdict::Broken)] {
            let bench = Bench::rested();
            for _ in 0..3 {
                let probe = bench.breaker.admit().expect("a probe");
                assert!(bench.is_open(), "one at a time");
                match verdict {
                    // As when the caller goes, or its time is over.
                    None => drop(probe),
                    Some(verdict) => probe.end(verdict),
                }
                assert!(bench.is_open());
                bench.clock.advance(REST);
            }
            bench.request(Verdict::Works);
            assert!(!bench.is_open(), "{verdict:?}");
        }
    }

    #[test]
    fn a_request_of_an_earlier_phase_decides_nothing() {
        let bench = Bench::new();
        let late: Vec<_> = (0..10).map(|_| bench.breaker.admit().expect("let through")).collect();
        (0..3).for_each(|_| bench.request(Verdict::Broken));
        bench.clock.advance(ALMOST);
        for (place, request) in late.into_iter().enumerate() {
            request.end(if place % 2 == 0 { Verdict::Broken } else { Verdict::Works });
        }
        assert!(bench.is_open());
        bench.clock.advance(TimeDelta::milliseconds(1));
        assert!(bench.breaker.admit().is_some(), "late failures make the rest no longer");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let bench = Bench::open();
        bench.clock.advance(TimeDelta::days(-1));
        assert!(!bench.is_open());
    }
}
