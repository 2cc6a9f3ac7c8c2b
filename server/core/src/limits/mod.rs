//! How often something may happen: one table of limits ([`Limit`]), and a token bucket for each of them and each
//! whom it counts. Who is charged and what he is told then does not live here; that is the gate's.
//!
//! On PostgreSQL a bucket is shared: each node leases a few of its tokens at a time from a table and spends them by
//! itself ([`shares`]). Over any time, the nodes together let through no more than the bucket holds and gains,
//! and what each still had of its last lease. On SQLite the buckets are in this process alone; several processes
//! on one file would have their own each.
//!
//! A limit never makes the service unavailable: while the database does not answer, each node goes on with buckets
//! of its own. Whoever is charged does not wait longer than `Deadlines::limits` for his
//! turn, nor for the answer.

mod buckets;
mod limit;
mod rate;
mod shares;
mod subject;

pub use limit::{Limit, Rates};
pub use rate::Rate;
pub use shares::sweep;
pub use subject::Subject;

use crate::Clock;
use crate::pepper::Pepper;
use crate::store::EveryTenant;
use buckets::{Buckets, Step};
use shares::Shares;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subject::Key;

/// What is asked for was done too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The limit that it was done too often for.
    pub limit: Limit,
    /// When there is a token again, unless somebody else takes it.
    pub retry_after: Duration,
}

/// How a bucket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Limit,
    /// How often it may happen.
    pub rate: Rate,
    /// How many tokens are left, as far as this node knows.
    pub left: u32,
}

/// A bucket of a limit that there is.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    limit: Limit,
    key: Key,
}

/// Counts what is limited. Share it behind an `Arc`.
pub struct Limits {
    rows: [Option<Row>; Limit::ALL.len()],
    pepper: Arc<Pepper>,
    clock: Clock,
    shares: Option<Shares>,
}

/// The buckets of one limit.
struct Row {
    limit: Limit,
    rate: Rate,
    buckets: Mutex<Buckets>,
}

impl Row {
    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, wait: i64) -> Refused {
        let retry_after = Duration::from_micros(wait.unsigned_abs().max(1));
        Refused { limit: self.limit, retry_after }
    }
}

impl Limits {
    /// Limits with these rates. Nodes share theirs through `database`, if there is one to share.
    pub fn new(rates: &Rates, pepper: Arc<Pepper>, clock: Clock, database: Option<EveryTenant>) -> Self {
        let row = |limit| {
            let rate = rates.of(limit)?;
            Some(Row { limit, rate, buckets: Mutex::new(Buckets::new(limit, rate)) })
        };
        Self { rows: Limit::ALL.map(row), pepper, clock, shares: database.map(Shares::new) }
    }

    /// Takes a token from each of these buckets. Where one is known to be empty, nothing is taken from the others,
    /// so that whoever is refused for one thing does not use up what he has in common with others.
    pub async fn charge(&self, charges: &[(Limit, Subject<'_>)]) -> Result<(), Refused> {
        let buckets: Vec<Bucket> = charges.iter().filter_map(|charge| self.bucket(charge)).collect();
        self.take_each(&buckets).await
    }

    /// Whether one of these buckets is known to be empty. Takes nothing.
    pub fn check(&self, charges: &[(Limit, Subject<'_>)]) -> Result<(), Refused> {
        let buckets: Vec<Bucket> = charges.iter().filter_map(|charge| self.bucket(charge)).collect();
        self.look_at_each(&buckets)
    }

    /// The bucket of somebody, if there is such a limit. It is good for as long as the process lives.
    pub fn bucket(&self, (limit, subject): &(Limit, Subject<'_>)) -> Option<Bucket> {
        self.rows[*limit as usize].as_ref()?;
        Some(Bucket { limit: *limit, key: subject.key(*limit, &self.pepper) })
    }

    /// [`Self::charge`] for buckets that are known.
    pub async fn take_each(&self, buckets: &[Bucket]) -> Result<(), Refused> {
        self.look_at_each(buckets)?;
        for (row, key) in self.rows_of(buckets) {
            self.take(row, key).await?;
        }
        Ok(())
    }

    fn look_at_each(&self, buckets: &[Bucket]) -> Result<(), Refused> {
        for (row, key) in self.rows_of(buckets) {
            if let Some(wait) = row.buckets().known_wait(key, self.now(), self.shares_of(row).is_some()) {
                return Err(row.refused(wait));
            }
        }
        Ok(())
    }

    /// Takes a token of a bucket that no node shares, which needs no waiting.
    pub fn take_own(&self, bucket: &Bucket) -> Result<(), Refused> {
        let Some(row) = &self.rows[bucket.limit as usize] else { return Ok(()) };
        Self::ended(row, row.buckets().take_alone(&bucket.key, self.now()))
    }

    /// How these buckets stand.
    pub fn standings(&self, buckets: &[Bucket]) -> Vec<Standing> {
        let standing = |(row, key): (&Row, &Key)| {
            let left = row.buckets().tokens(key, self.now(), self.shares_of(row).is_some());
            Standing { limit: row.limit, rate: row.rate, left: u32::try_from(left).unwrap_or_default() }
        };
        self.rows_of(buckets).map(standing).collect()
    }

    fn rows_of<'s>(&'s self, buckets: &'s [Bucket]) -> impl Iterator<Item = (&'s Row, &'s Key)> {
        buckets.iter().filter_map(|bucket| Some((self.rows[bucket.limit as usize].as_ref()?, &bucket.key)))
    }

    fn shares_of(&self, row: &Row) -> Option<&Shares> {
        self.shares.as_ref().filter(|_| row.limit.is_shared())
    }

    /// How many buckets this node keeps for a limit.
    pub fn kept(&self, limit: Limit) -> usize {
        self.rows[limit as usize].as_ref().map_or(0, |row| row.buckets().kept())
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    async fn take(&self, row: &Row, key: &Key) -> Result<(), Refused> {
        let Some(shares) = self.shares_of(row) else {
            return Self::ended(row, row.buckets().take_alone(key, self.now()));
        };
        let mut step = row.buckets().take_of_share(key, self.now());
        // Who has waited for his turn finds what the one before him has leased.
        if matches!(step, Step::Lease)
            && let Some(mut turn) = shares.turn().await
        {
            step = row.buckets().take_of_share(key, self.now());
            if matches!(step, Step::Lease)
                && let Some(lease) = turn.lease(row.limit, row.rate, key).await
            {
                step = row.buckets().take_of_lease(key, self.now(), lease);
            }
        }
        match step {
            // The database is away: this node counts alone.
            Step::Lease => Self::ended(row, row.buckets().take_alone(key, self.now())),
            step => Self::ended(row, step),
        }
    }

    fn ended(row: &Row, step: Step) -> Result<(), Refused> {
        match step {
            Step::Refused(wait) => Err(row.refused(wait)),
            Step::Taken | Step::Lease => Ok(()),
        }
    }
}
