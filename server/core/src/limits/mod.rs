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

/// Counts what is limited. Share it behind an `Arc`.
pub struct Limits {
    rows: [Row; Limit::ALL.len()],
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
            let rate = rates.of(limit);
            Row { limit, rate, buckets: Mutex::new(Buckets::new(rate)) }
        };
        Self { rows: Limit::ALL.map(row), pepper, clock, shares: database.map(Shares::new) }
    }

    /// Takes a token from each of these buckets. Where one is known to be empty, nothing is taken from the others,
    /// so that whoever is refused for one thing does not use up what he has in common with others.
    pub async fn charge(&self, charges: &[(Limit, Subject<'_>)]) -> Result<(), Refused> {
        let keyed = |(limit, subject): &(Limit, Subject<'_>)| {
            (&self.rows[*limit as usize], subject.key(*limit, &self.pepper))
        };
        let charges: Vec<(&Row, Key)> = charges.iter().map(keyed).collect();
        let now = self.now();
        for (row, key) in &charges {
            if let Some(wait) = row.buckets().known_wait(key, now, self.shares.is_some()) {
                return Err(row.refused(wait));
            }
        }
        for (row, key) in &charges {
            self.take(row, key).await?;
        }
        Ok(())
    }

    /// Whether one of these buckets is known to be empty. Takes nothing.
    pub fn check(&self, charges: &[(Limit, Subject<'_>)]) -> Result<(), Refused> {
        let now = self.now();
        for (limit, subject) in charges {
            let (row, key) = (&self.rows[*limit as usize], subject.key(*limit, &self.pepper));
            if let Some(wait) = row.buckets().known_wait(&key, now, self.shares.is_some()) {
                return Err(row.refused(wait));
            }
        }
        Ok(())
    }

    /// How many buckets this node keeps for a limit.
    pub fn kept(&self, limit: Limit) -> usize {
        self.rows[limit as usize].buckets().kept()
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    async fn take(&self, row: &Row, key: &Key) -> Result<(), Refused> {
        let Some(shares) = &self.shares else {
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
