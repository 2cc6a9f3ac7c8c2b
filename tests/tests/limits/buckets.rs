//! The buckets of one node: how much they let through, what they say of the wait, and how much they remember.

use super::{LIMIT, address, charge_at_once, numbered};
use argus_core::limits::{Limit, Limits, Rate, Rates, Subject};
use argus_core::pepper::Pepper;
use argus_core::{Clock, limits};
use chrono::{DateTime, TimeDelta};
use futures::FutureExt;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const SOMEBODY: &str = "203.0.113.7";

fn clock() -> Clock {
    Clock::standing(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
}

fn advance(clock: &Clock, by: Duration) {
    clock.advance(TimeDelta::from_std(by).unwrap());
}

fn alone(rates: Rates, clock: &Clock) -> Limits {
    let directory = TempDir::new().unwrap();
    let pepper = Arc::new(Pepper::open(directory.path()).unwrap());
    Limits::new(&rates, pepper, clock.clone(), None)
}

fn of(rate: Rate, clock: &Clock) -> Limits {
    alone(Rates::of_failures(rate), clock)
}

proptest! {
    #[test]
    fn over_any_time_no_more_passes_than_the_bucket_holds_and_gains(
        capacity in 1_u32..8,
        interval in 1_u64..50,
        pauses in prop::collection::vec(0_u64..60, 1..120),
    ) {
        let clock = clock();
        let limits = of(Rate::new(capacity, Duration::from_micros(interval)), &clock);
        let (mut now, mut passed) = (0, Vec::new());
        for pause in pauses {
            now += pause;
            advance(&clock, Duration::from_micros(pause));
            if charge_at_once(&limits, address(SOMEBODY)).is_ok() {
                passed.push(now);
            }
        }
        for (first, from) in passed.iter().enumerate() {
            for (last, to) in passed.iter().enumerate().skip(first) {
                let most = u64::from(capacity) + (to - from) / interval;
                prop_assert!((last - first + 1) as u64 <= most, "{passed:?}");
            }
        }
        prop_assert!(!passed.is_empty());
    }

    #[test]
    fn who_waits_as_long_as_he_is_told_passes_and_not_before(
        capacity in 1_u32..8,
        interval in 2_u64..5_000_000,
        pauses in prop::collection::vec(0_u64..5_000_000, 1..40),
    ) {
        let clock = clock();
        let limits = of(Rate::new(capacity, Duration::from_micros(interval)), &clock);
        for pause in pauses {
            advance(&clock, Duration::from_micros(pause));
            let refused = loop {
                if let Err(refused) = charge_at_once(&limits, address(SOMEBODY)) {
                    break refused;
                }
            };
            prop_assert_eq!(refused.limit, LIMIT);
            prop_assert!(refused.retry_after <= Duration::from_micros(interval));
            advance(&clock, refused.retry_after - Duration::from_micros(1));
            let still = charge_at_once(&limits, address(SOMEBODY)).unwrap_err();
            prop_assert_eq!(still.retry_after, Duration::from_micros(1));
            advance(&clock, still.retry_after);
            prop_assert!(charge_at_once(&limits, address(SOMEBODY)).is_ok());
        }
    }
}

#[test]
fn a_bucket_is_full_at_first_and_gains_a_token_after_each_interval() {
    let clock = clock();
    let limits = of(Rate::per_minute(60), &clock);
    let pass = |times: usize| {
        (0..times).for_each(|_| charge_at_once(&limits, address(SOMEBODY)).unwrap());
        charge_at_once(&limits, address(SOMEBODY)).unwrap_err();
    };
    pass(120);
    advance(&clock, Duration::from_millis(999));
    pass(0);
    advance(&clock, Duration::from_millis(1));
    pass(1);
    advance(&clock, Duration::from_secs(3_600));
    pass(120);
}

#[test]
fn the_bucket_of_one_is_not_that_of_another_nor_of_another_limit() {
    let clock = clock();
    let limits = of(Rate::new(1, Duration::from_secs(60)), &clock);
    let (one, other) = (address(SOMEBODY), address("203.0.113.8"));
    let charge = |charge| limits.charge(&[charge]).now_or_never().unwrap();
    charge_at_once(&limits, one).unwrap();
    charge_at_once(&limits, one).unwrap_err();
    charge_at_once(&limits, other).unwrap();
    charge((Limit::AddressFailures, Subject::Address(one))).unwrap();
    for subject in
        [Subject::ClientAt("app_a", one), Subject::ClientAt("app_b", one), Subject::ClientAt("app_a", other)]
    {
        charge((Limit::ClientFailures, subject)).unwrap();
        charge((Limit::ClientFailures, subject)).unwrap_err();
    }
    // One network of IPv6 is one subscriber, and a mapped address is what it maps.
    charge_at_once(&limits, address("2001:db8::1")).unwrap();
    charge_at_once(&limits, address("2001:db8::ffff:1")).unwrap_err();
    charge_at_once(&limits, address("2001:db8:0:1::1")).unwrap();
    charge_at_once(&limits, address(&format!("::ffff:{SOMEBODY}"))).unwrap_err();
}

#[test]
fn who_is_refused_for_one_thing_does_not_use_up_another() {
    let clock = clock();
    let rate = |capacity| Rate::new(capacity, Duration::from_secs(60));
    let limits = alone(Rates::of_failures(rate(3)).with(Limit::ClientFailures, rate(1)), &clock);
    let somebody = address(SOMEBODY);
    let charge = |client| {
        let both = [
            (Limit::AddressFailures, Subject::Address(somebody)),
            (Limit::ClientFailures, Subject::ClientAt(client, somebody)),
        ];
        limits.charge(&both).now_or_never().unwrap().map_err(|refused| refused.limit)
    };
    assert_eq!(charge("a"), Ok(()));
    for _ in 0..10 {
        assert_eq!(charge("a"), Err(Limit::ClientFailures));
    }
    assert_eq!([charge("b"), charge("c")], [Ok(()), Ok(())]);
    assert_eq!(charge("d"), Err(Limit::AddressFailures));
    assert_eq!(limits.kept(Limit::ClientFailures), 3, "whoever makes up names gets no bucket for them");
}

#[test]
fn made_up_keys_take_bounded_memory_and_do_not_fill_the_bucket_of_another() {
    let clock = clock();
    let limits = of(Rate::new(2, Duration::from_secs(60)), &clock);
    let victim = address(SOMEBODY);
    while charge_at_once(&limits, victim).is_ok() {}
    let passed = (0..20_000).filter(|number| charge_at_once(&limits, numbered(*number)).is_ok()).count();
    let kept = limits.kept(LIMIT);
    assert!(kept <= 8_192, "{kept}");
    assert_eq!(passed, kept - 1 + 2, "those who found no room have a bucket together");
    charge_at_once(&limits, victim).unwrap_err();
    // Once their buckets are full again, there is room.
    advance(&clock, Duration::from_secs(120));
    (0..100).for_each(|number| charge_at_once(&limits, numbered(number << 16)).unwrap());
    assert!(limits.kept(LIMIT) <= 102, "{}", limits.kept(LIMIT));
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_wait_longer_than_for_a_token() {
    let clock = clock();
    let limits = of(Rate::new(2, Duration::from_secs(10)), &clock);
    while charge_at_once(&limits, address(SOMEBODY)).is_ok() {}
    clock.advance(TimeDelta::days(-30));
    let limits::Refused { retry_after, .. } = charge_at_once(&limits, address(SOMEBODY)).unwrap_err();
    assert_eq!(retry_after, Duration::from_secs(10));
    advance(&clock, retry_after);
    charge_at_once(&limits, address(SOMEBODY)).unwrap();
}
