//! The rows of usage: what is appended, and how it is added up.

use super::call::MeteredCall;
use crate::ids::TenantId;
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Tx};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rows are added up in one statement, so that none holds others up.
const AT_A_TIME: i64 = 5_000;
/// How long the number of a node's last batch is kept, in microseconds: a week. No node tries for longer.
const KEPT: i64 = 7 * 24 * 3_600 * 1_000_000;

const APPEND: &str =
    "INSERT INTO usage_increments (tenant_id, actor, operation, day, calls) VALUES (?, ?, ?, ?, ?)";

/// So many calls more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// Whose calls.
    pub tenant_id: TenantId,
    /// Client id of the app, or the operator's own name.
    pub actor: String,
    /// What was called.
    pub operation: String,
    /// The day in UTC, as in 2026-12-01.
    pub day: String,
    /// How often.
    pub calls: i64,
}

/// What a node has counted in memory.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The node.
    pub node: String,
    /// Its number: 1, 2, and so on of this node.
    pub number: i64,
    /// What was counted.
    pub increments: Vec<Increment>,
}

/// Counts these calls with the transaction that they write in.
pub(crate) fn append_calls(tx: &mut Tx<'_>, calls: &[Arc<MeteredCall>]) -> QueryResult<()> {
    // Calls that write together are mostly those of one app for one operation, which is one row.
    let mut sums: BTreeMap<(&str, &'static str), i64> = BTreeMap::new();
    for call in calls.iter().filter(|call| !call.is_counted()) {
        *sums.entry((call.actor(), call.operation())).or_default() += 1;
    }
    let day = tx.now().date().to_string();
    let (connection, tenant_id) = tx.parts();
    for ((actor, operation), calls) in sums {
        append(connection, tenant_id, actor, operation, &day, calls)?;
    }
    Ok(())
}

fn append(
    connection: &mut AnyConnection,
    tenant_id: &TenantId,
    actor: &str,
    operation: &str,
    day: &str,
    calls: i64,
) -> QueryResult<()> {
    let statement = Statement::new(APPEND)
        .bind::<Text, _>(tenant_id)
        .bind::<Text, _>(actor)
        .bind::<Text, _>(operation)
        .bind::<Text, _>(day)
        .bind::<BigInt, _>(calls);
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

/// Writes a batch, unless it was written before; says whether it was now. It must run in a transaction.
pub fn write_batch(connection: &mut AnyConnection, batch: &Batch) -> QueryResult<bool> {
    const NOTE: &str = "INSERT INTO usage_batches (node, batch, written_at) VALUES (?, ?, argus_now()) \
        ON CONFLICT (node) DO UPDATE SET batch = excluded.batch, written_at = excluded.written_at \
        WHERE usage_batches.batch < excluded.batch";
    let note = Statement::new(NOTE).bind::<Text, _>(&batch.node).bind::<BigInt, _>(batch.number);
    if on_engine!(connection, |inner| note.execute(inner))? == 0 {
        return Ok(false);
    }
    for Increment { tenant_id, actor, operation, day, calls } in &batch.increments {
        append(connection, tenant_id, actor, operation, day, *calls)?;
    }
    Ok(true)
}

/// Adds up what was appended, some at a time, and says how much. Nodes that do so at once take different rows.
pub fn fold(connection: &mut AnyConnection) -> QueryResult<usize> {
    // In one order, so that two do not wait for each other.
    const ADD: &str = "INSERT INTO usage_by_day AS known (tenant_id, day, actor, operation, calls) \
        SELECT tenant_id, day, actor, operation, sum(calls) FROM";
    const BEHIND: &str = "GROUP BY tenant_id, day, actor, operation ORDER BY tenant_id, day, actor, operation \
        ON CONFLICT (tenant_id, day, actor, operation) DO UPDATE SET calls = known.calls + excluded.calls";
    match connection {
        AnyConnection::Pg(connection) => {
            let text = format!(
                "WITH taken AS (DELETE FROM usage_increments WHERE sequence IN \
                 (SELECT sequence FROM usage_increments ORDER BY sequence LIMIT ? FOR UPDATE SKIP LOCKED) \
                 RETURNING tenant_id, day, actor, operation, calls), added AS ({ADD} taken {BEHIND}) \
                 SELECT count(*) AS calls FROM taken"
            );
            let taken: Count = Statement::new(text).bind::<BigInt, _>(AT_A_TIME).get_result(connection)?;
            Ok(usize::try_from(taken.calls).unwrap_or_default())
        }
        AnyConnection::Sqlite(connection) => {
            // One transaction, and no other writer beside it.
            let which = "usage_increments WHERE sequence IN \
                (SELECT sequence FROM usage_increments ORDER BY sequence LIMIT ?)";
            let add = Statement::new(format!("{ADD} {which} {BEHIND}"));
            add.bind::<BigInt, _>(AT_A_TIME).execute(connection)?;
            Statement::new(format!("DELETE FROM {which}")).bind::<BigInt, _>(AT_A_TIME).execute(connection)
        }
    }
}

/// Forgets the batches of nodes that have long ended; says of how many.
pub fn forget_nodes(connection: &mut AnyConnection) -> QueryResult<usize> {
    const FORGET: &str = "DELETE FROM usage_batches WHERE written_at <= argus_now() - CAST(? AS BIGINT)";
    let statement = Statement::new(FORGET).bind::<BigInt, _>(KEPT);
    on_engine!(connection, |inner| statement.execute(inner))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    calls: i64,
}
