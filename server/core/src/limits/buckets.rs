//! The buckets of one limit that this node knows, bounded in number. A bucket that is full again says nothing and
//! makes room; one that is not is never given up for another, so that nobody gets rid of his own by making up names.
//! Who finds no room has his tokens from one bucket with all others who find none.

use super::limit::Limit;
use super::rate::Rate;
use super::shares::Lease;
use super::subject::Key;
use std::collections::HashMap;

/// How long not to look again for buckets that make room, in microseconds.
const REST: i64 = 1_000_000;

/// The buckets of one limit.
pub(super) struct Buckets {
    rate: Rate,
    most: usize,
    by_key: HashMap<Key, Bucket>,
    /// That of all who found no room.
    common: Bucket,
    looked_at: Option<i64>,
}

/// One bucket; all zeros are a full one.
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// When it is full, by what this node has let through.
    full_at: i64,
    /// How many tokens are left of the last lease.
    share: i64,
    /// Until when the shared bucket is known to be empty.
    empty_until: i64,
    /// When the shared bucket is full, as it was at the last lease.
    shared_full_at: i64,
}

/// What became of an attempt to take a token.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// It was taken.
    Taken,
    /// There is none for so many microseconds.
    Refused(i64),
    /// The node has none, and must ask the database.
    Lease,
}

impl From<Result<(), i64>> for Step {
    fn from(outcome: Result<(), i64>) -> Self {
        outcome.map_or_else(Self::Refused, |()| Self::Taken)
    }
}

impl Bucket {
    /// How long the shared bucket is known to be empty. It never is for longer than a token takes, unless the clock
    /// was set back.
    fn shared_wait(&self, rate: Rate, now: i64) -> Option<i64> {
        let wait = self.empty_until.saturating_sub(now);
        (self.share == 0 && (1..=rate.interval_micros()).contains(&wait)).then_some(wait)
    }

    /// Whether it says no more than a new one.
    fn is_idle(&self, now: i64) -> bool {
        self.full_at.max(self.empty_until) <= now
    }
}

impl Buckets {
    pub(super) fn new(limit: Limit, rate: Rate) -> Self {
        Self {
            rate,
            most: limit.buckets_max(),
            by_key: HashMap::new(),
            common: Bucket::default(),
            looked_at: None,
        }
    }

    pub(super) fn kept(&self) -> usize {
        self.by_key.len()
    }

    /// How long there is no token, if that is known. Makes no bucket.
    pub(super) fn known_wait(&mut self, key: &Key, now: i64, is_shared: bool) -> Option<i64> {
        let bucket = self.by_key.get_mut(key)?;
        if is_shared {
            return bucket.shared_wait(self.rate, now);
        }
        Some(self.rate.wait(&mut bucket.full_at, now)).filter(|wait| *wait > 0)
    }

    /// How many tokens there are, as far as this node knows: of a shared bucket what it has leased, and what was left
    /// for others then.
    pub(super) fn tokens(&self, key: &Key, now: i64, is_shared: bool) -> i64 {
        let bucket = self.by_key.get(key).unwrap_or(&self.common);
        let full_at = if is_shared { bucket.shared_full_at } else { bucket.full_at };
        let share = if is_shared { bucket.share } else { 0 };
        let is_empty = is_shared && bucket.shared_wait(self.rate, now).is_some();
        let others = if is_empty { 0 } else { self.rate.tokens(full_at, now) };
        (share + others).min(i64::from(self.rate.capacity()))
    }

    /// Takes a token of this node's own bucket.
    pub(super) fn take_alone(&mut self, key: &Key, now: i64) -> Step {
        let rate = self.rate;
        let full_at = match self.own(key, now) {
            Some(bucket) => &mut bucket.full_at,
            None => &mut self.common.full_at,
        };
        rate.take(full_at, now).into()
    }

    /// Takes a token of what was leased.
    pub(super) fn take_of_share(&mut self, key: &Key, now: i64) -> Step {
        let rate = self.rate;
        let Some(bucket) = self.own(key, now) else {
            return rate.take(&mut self.common.full_at, now).into();
        };
        if bucket.share > 0 {
            bucket.share -= 1;
            rate.note(&mut bucket.full_at, now);
            return Step::Taken;
        }
        bucket.shared_wait(rate, now).map_or(Step::Lease, Step::Refused)
    }

    /// Takes a token of a new lease, and keeps the others.
    pub(super) fn take_of_lease(&mut self, key: &Key, now: i64, lease: Lease) -> Step {
        if let Some(bucket) = self.own(key, now) {
            bucket.share += lease.granted;
            bucket.empty_until = now.saturating_add(lease.wait);
            bucket.shared_full_at = now.saturating_add(lease.until_full);
            if lease.granted == 0 {
                return Step::Refused(lease.wait);
            }
        }
        self.take_of_share(key, now)
    }

    /// The bucket of this key, or none where there is no room for it.
    fn own(&mut self, key: &Key, now: i64) -> Option<&mut Bucket> {
        if !self.by_key.contains_key(key) {
            self.make_room(now);
            if self.by_key.len() >= self.most {
                return None;
            }
        }
        Some(self.by_key.entry(*key).or_default())
    }

    /// Forgets buckets that are full again, if there are too many.
    fn make_room(&mut self, now: i64) {
        let has_rested = self.looked_at.is_none_or(|at| !(0..REST).contains(&now.saturating_sub(at)));
        if self.by_key.len() >= self.most && has_rested {
            self.looked_at = Some(now);
            self.by_key.retain(|_, bucket| !bucket.is_idle(now));
        }
    }
}
