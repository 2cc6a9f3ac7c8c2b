//! Pruning: the oldest entries of a chain go, a prefix of it and nothing else, and leave a signed checkpoint from which a
//! check begins. What does not check is not pruned, because it is the evidence.

use super::chain::{self, Chain, Key, MARKED, Mark, Marked};
use super::record::{self, NO_HASH, Record};
use crate::Clock;
use crate::error::Error;
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, EveryTenant};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};
use std::sync::Arc;

/// How many entries go in one transaction.
const BATCH: i64 = 500;
/// How many chains are looked for at a time.
const CHAINS: i64 = 50;

/// How long entries are kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Signs checkpoints.
    pub key: Arc<Key>,
    /// For so many days.
    pub days: u32,
    /// Tells the time.
    pub clock: Clock,
}

impl Retention {
    /// Prunes some of what is older in each chain; says how many entries. A chain that cannot be pruned keeps nothing from
    /// the others.
    pub async fn sweep(&self, every_tenant: &EveryTenant) -> Result<usize, Error> {
        let before = self.clock.timestamp() - TimeDelta::days(self.days.into());
        let (mut removed, mut behind) = (0, None);
        loop {
            let last = behind.clone();
            let look =
                move |connection: &mut AnyConnection| Ok::<_, Error>(due(connection, before, last.as_ref())?);
            let chains = every_tenant.run(look).await?;
            let Some(last) = chains.last().cloned() else { return Ok(removed) };
            behind = Some(last);
            for chain in chains {
                let key = Arc::clone(&self.key);
                let prune = move |connection: &mut AnyConnection| prune(connection, &key, &chain, before);
                match every_tenant.transaction(prune).await {
                    Ok(count) => removed += count,
                    Err(Error::Invalid(reason)) => tracing::error!("{reason}"),
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

/// The chains whose first entry is older than this moment, some of them, in their order behind a chain.
pub fn due(
    connection: &mut AnyConnection,
    before: NaiveDateTime,
    behind: Option<&Chain>,
) -> QueryResult<Vec<Chain>> {
    const DUE: &str = "SELECT tenant_id, environment FROM audit_chains AS head \
        WHERE (tenant_id, environment) > (?, ?) AND (SELECT occurred_at FROM audit_events AS first \
        WHERE first.tenant_id = head.tenant_id AND first.environment = head.environment AND first.sequence IS NOT NULL \
        ORDER BY first.sequence LIMIT 1) < ? ORDER BY tenant_id, environment LIMIT ?";
    let (tenant_id, environment) =
        behind.map_or(("", ""), |chain| (chain.tenant_id.as_str(), chain.environment.as_str()));
    let statement = Statement::new(DUE)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(environment)
        .bind::<Timestamp, _>(before)
        .bind::<BigInt, _>(CHAINS);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Removes some of the first entries of a chain that happened before this moment, up to the first that did not; says how
/// many. It must be a transaction.
pub fn prune(
    connection: &mut AnyConnection,
    key: &Key,
    chain: &Chain,
    before: NaiveDateTime,
) -> Result<usize, Error> {
    let (start, hash) = match chain::find(connection, Mark::Checkpoint, chain)? {
        None => (0, NO_HASH.to_owned()),
        Some(checkpoint) if key.has_signed(Mark::Checkpoint, &checkpoint) => {
            (checkpoint.sequence, checkpoint.hash)
        }
        Some(_) => return Err(refused(chain, "its checkpoint is not as this installation has signed it")),
    };
    let page = record::page(connection, chain, start, BATCH)?;
    let old: Vec<Record> = page.into_iter().take_while(|record| record.occurred_at < before).collect();
    let Some(last) = old.last() else { return Ok(0) };
    if let Some(wrong) = first_wrong(&old, start, &hash) {
        return Err(refused(chain, &format!("entry {wrong} is not as it was linked")));
    }
    let head = chain::find(connection, Mark::Head, chain)?;
    if head.is_none_or(|head| head.sequence < last.sequence() || !key.has_signed(Mark::Head, &head)) {
        return Err(refused(chain, "its head is not as this installation has signed it"));
    }
    set_checkpoint(connection, &key.sign(Mark::Checkpoint, chain, last.sequence(), last.hash()))?;
    Ok(remove(connection, chain, last.sequence())?)
}

fn refused(chain: &Chain, reason: &str) -> Error {
    Error::Invalid(format!("the chain {chain} is not pruned: {reason}; look at it with `argus audit verify`"))
}

/// The place of the first entry that does not follow the one before.
fn first_wrong(records: &[Record], start: i64, hash: &str) -> Option<i64> {
    let mut before = (start, hash);
    for record in records {
        let is_next = record.sequence() == before.0 + 1 && record.previous_hash() == before.1;
        if !is_next || record.hash_at(record.sequence(), before.1) != record.hash() {
            return Some(before.0 + 1);
        }
        before = (record.sequence(), record.hash());
    }
    None
}

fn set_checkpoint(connection: &mut AnyConnection, checkpoint: &Marked) -> QueryResult<()> {
    let set = format!(
        "INSERT INTO audit_checkpoints ({MARKED}, pruned_at) VALUES (?, ?, ?, ?, ?, ?, argus_now()) \
         ON CONFLICT (tenant_id, environment) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, \
         key_id = excluded.key_id, signature = excluded.signature, pruned_at = excluded.pruned_at \
         WHERE audit_checkpoints.sequence < excluded.sequence"
    );
    let statement = Statement::new(set)
        .bind::<Text, _>(&*checkpoint.chain.tenant_id)
        .bind::<Text, _>(&*checkpoint.chain.environment)
        .bind::<BigInt, _>(checkpoint.sequence)
        .bind::<Text, _>(&*checkpoint.hash)
        .bind::<Text, _>(&*checkpoint.key_id)
        .bind::<Text, _>(&*checkpoint.signature);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

fn remove(connection: &mut AnyConnection, chain: &Chain, last: i64) -> QueryResult<usize> {
    const REMOVE: &str = "DELETE FROM audit_events WHERE tenant_id = ? AND environment = ? AND sequence <= ?";
    let statement = Statement::new(REMOVE)
        .bind::<Text, _>(&*chain.tenant_id)
        .bind::<Text, _>(&*chain.environment)
        .bind::<BigInt, _>(last);
    on_engine!(connection, |inner| statement.execute(inner))
}
