//! Buckets that nodes share, on PostgreSQL: a node takes some tokens with one statement, by the database's clock, and
//! comes back when they are spent.

use super::limit::Limit;
use super::rate::Rate;
use super::subject::Key;
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Error, EveryTenant};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

/// How many times as long as it was waited for the database is left alone when it has not answered.
const REST: u32 = 20;
/// How many rows are removed in one statement, so that none holds others up.
const BATCH: i64 = 500;

/// The way to the shared buckets. One charge of a node asks at a time, so that a flood of failures keeps one
/// connection busy and no more.
pub(super) struct Shares {
    database: EveryTenant,
    /// How long a charge waits for its turn, and for the database.
    patience: Duration,
    turn: Mutex<Health>,
}

/// Whether the database has answered.
#[derive(Default)]
struct Health {
    alone_until: Option<Instant>,
}

/// The turn to ask the database.
pub(super) struct Turn<'s> {
    shares: &'s Shares,
    health: MutexGuard<'s, Health>,
}

/// What was taken from a shared bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub(super) struct Lease {
    /// How many tokens.
    #[diesel(sql_type = BigInt)]
    pub(super) granted: i64,
    /// How long until there is another one, in microseconds.
    #[diesel(sql_type = BigInt)]
    pub(super) wait: i64,
    /// How long until the shared bucket is full, in microseconds.
    #[diesel(sql_type = BigInt)]
    pub(super) until_full: i64,
}

impl Shares {
    pub(super) fn new(database: EveryTenant) -> Self {
        Self { patience: database.deadlines().limits, database, turn: Mutex::default() }
    }

    /// The turn to ask, once nobody else has it; none while the database is left alone, or when that takes too long.
    pub(super) async fn turn(&self) -> Option<Turn<'_>> {
        let health = timeout(self.patience, self.turn.lock()).await.ok()?;
        let is_alone = health.alone_until.is_some_and(|until| Instant::now() < until);
        (!is_alone).then_some(Turn { shares: self, health })
    }
}

impl Turn<'_> {
    /// Takes some tokens of a bucket, as many as there are; nothing comes of it when the database does not answer.
    pub(super) async fn lease(&mut self, limit: Limit, rate: Rate, key: &Key) -> Option<Lease> {
        let (name, key, text) = (limit.name(), key.text(), statement(rate));
        let ask = move |connection: &mut AnyConnection| {
            let statement = Statement::new(text.clone()).bind::<Text, _>(name).bind::<Text, _>(&key);
            Ok::<_, Error>(on_engine!(connection, |inner| statement.get_result::<Lease>(inner))?)
        };
        let database = self.shares.database.clone();
        // On a task of its own: a connection that takes longer to make is there for the next one.
        let asked = tokio::spawn(async move { database.run(ask).await });
        let cause = match timeout(self.shares.patience, asked).await {
            Ok(Ok(Ok(lease))) => {
                if self.health.alone_until.take().is_some() {
                    tracing::info!("the nodes share their limits again");
                }
                return Some(lease);
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database did not answer in time".to_owned(),
        };
        if self.health.alone_until.replace(Instant::now() + self.shares.patience * REST).is_none() {
            tracing::warn!(%cause, "this node counts limits alone until the database answers");
        }
        None
    }
}

/// Takes what there is of a share, in one statement, so that nodes cannot take the same. The numbers are the
/// operator's settings, nothing of a caller's.
fn statement(rate: Rate) -> String {
    let (share, interval, span) = (rate.share(), rate.interval_micros(), rate.span());
    // As in `Rate::level`: no bucket is fuller than full, nor emptier than empty.
    let level = format!("least(greatest(bucket.full_at, argus_now()), argus_now() + {span})");
    let granted = format!("least({share}, ({span} - ({level} - argus_now())) / {interval})");
    format!(
        "INSERT INTO limit_buckets AS bucket (name, key, granted, full_at) \
         VALUES (?, ?, {share}, argus_now() + {share} * {interval}::bigint) \
         ON CONFLICT (name, key) DO UPDATE SET granted = {granted}, full_at = {level} + {granted} * {interval} \
         RETURNING granted, greatest(full_at - argus_now() + {interval} - {span}, 0) AS wait, \
         greatest(full_at - argus_now(), 0) AS until_full"
    )
}

/// Removes buckets that are full again, some at a time, and says how many. One that is charged meanwhile stays.
pub fn sweep(connection: &mut AnyConnection) -> QueryResult<usize> {
    const FULL: &str = "DELETE FROM limit_buckets WHERE full_at <= argus_now() AND (name, key) IN \
        (SELECT name, key FROM limit_buckets WHERE full_at <= argus_now() ORDER BY full_at LIMIT ?)";
    let statement = Statement::new(FULL).bind::<BigInt, _>(BATCH);
    on_engine!(connection, |inner| statement.execute(inner))
}
