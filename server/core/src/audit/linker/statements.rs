//! The statements of the linker. Lists go as one JSON value, so that a statement is the same however long they are, and
//! both engines read them.

use super::Link;
use crate::audit::chain::{Chain, MARKED, Marked};
use crate::audit::record::{COLUMNS, Record};
use crate::store::AnyConnection;
use crate::store::statement::{Statement, names, on_engine};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Value, json};

/// What stands behind FROM for the one value that has pairs of tenant and environment.
fn each_pair(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Pg(_) => {
            "(SELECT pair ->> 0 AS tenant_id, pair ->> 1 AS environment \
             FROM json_array_elements(CAST(? AS json)) AS pair) AS wanted"
        }
        AnyConnection::Sqlite(_) => {
            "(SELECT value ->> 0 AS tenant_id, value ->> 1 AS environment FROM json_each(?)) AS wanted"
        }
    }
}

/// The chains of the oldest entries that have no place, but for those that are stuck.
pub(super) fn waiting(connection: &mut AnyConnection, stuck: &str, limit: i64) -> QueryResult<Vec<Chain>> {
    let wanted = each_pair(connection);
    let statement = Statement::new(format!(
        "SELECT DISTINCT tenant_id, environment FROM (SELECT tenant_id, environment FROM audit_events \
         WHERE sequence IS NULL AND NOT EXISTS (SELECT 1 FROM {wanted} \
         WHERE wanted.tenant_id = audit_events.tenant_id AND wanted.environment = audit_events.environment) \
         ORDER BY id LIMIT ?) AS oldest ORDER BY tenant_id, environment"
    ));
    let statement = statement.bind::<Text, _>(stuck).bind::<BigInt, _>(limit);
    on_engine!(connection, |inner| statement.load(inner))
}

/// The heads of these chains that no other node has locked, from now on locked.
pub(super) fn lock_heads(connection: &mut AnyConnection, chains: &str) -> QueryResult<Vec<Marked>> {
    let wanted = each_pair(connection);
    // SQLite has one writer, whose transaction this is.
    let lock = match connection {
        AnyConnection::Pg(_) => "FOR UPDATE OF audit_chains SKIP LOCKED",
        AnyConnection::Sqlite(_) => "",
    };
    let statement = Statement::new(format!(
        "SELECT {MARKED} FROM audit_chains JOIN {wanted} USING (tenant_id, environment) \
         ORDER BY tenant_id, environment {lock}"
    ));
    let statement = statement.bind::<Text, _>(chains);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Adds the first head of a chain; says whether there was none.
pub(super) fn add_head(connection: &mut AnyConnection, head: &Marked) -> QueryResult<bool> {
    let add = format!(
        "INSERT INTO audit_chains ({MARKED}, linked_at) VALUES (?, ?, ?, ?, ?, ?, argus_now()) \
         ON CONFLICT (tenant_id, environment) DO NOTHING"
    );
    let statement = Statement::new(add)
        .bind::<Text, _>(&*head.chain.tenant_id)
        .bind::<Text, _>(&*head.chain.environment)
        .bind::<BigInt, _>(head.sequence)
        .bind::<Text, _>(&*head.hash)
        .bind::<Text, _>(&*head.key_id)
        .bind::<Text, _>(&*head.signature);
    Ok(on_engine!(connection, |inner| statement.execute(inner))? > 0)
}

/// The oldest entries of these chains that have no place.
pub(super) fn unlinked(connection: &mut AnyConnection, chains: &str, limit: i64) -> QueryResult<Vec<Record>> {
    let wanted = each_pair(connection);
    let statement = Statement::new(format!(
        "SELECT {COLUMNS} FROM audit_events JOIN {wanted} USING (tenant_id, environment) \
         WHERE sequence IS NULL ORDER BY id LIMIT ?"
    ));
    let statement = statement.bind::<Text, _>(chains).bind::<BigInt, _>(limit);
    on_engine!(connection, |inner| statement.load(inner))
}

/// Gives entries their places; says how many have got one.
pub(super) fn set_places(connection: &mut AnyConnection, links: &[Link]) -> QueryResult<usize> {
    const SET: &str = "sequence = linked.sequence, previous_hash = linked.previous_hash, hash = linked.hash";
    let linked = match connection {
        AnyConnection::Pg(_) => {
            "json_to_recordset(CAST(? AS json)) \
             AS linked (id text, sequence bigint, previous_hash text, hash text)"
        }
        AnyConnection::Sqlite(_) => {
            "(SELECT value ->> 'id' AS id, value ->> 'sequence' AS sequence, \
             value ->> 'previous_hash' AS previous_hash, value ->> 'hash' AS hash FROM json_each(?)) AS linked"
        }
    };
    let statement = Statement::new(format!(
        "UPDATE audit_events SET {SET} FROM {linked} \
         WHERE audit_events.id = linked.id AND audit_events.sequence IS NULL"
    ));
    let statement = statement.bind::<Text, _>(names(links));
    on_engine!(connection, |inner| statement.execute(inner))
}

/// Moves heads on.
pub(super) fn set_heads(connection: &mut AnyConnection, heads: &[Marked]) -> QueryResult<()> {
    const SET: &str = "sequence = moved.sequence, hash = moved.hash, key_id = moved.key_id, \
        signature = moved.signature, linked_at = argus_now()";
    let moved = match connection {
        AnyConnection::Pg(_) => {
            "json_to_recordset(CAST(? AS json)) AS moved (tenant_id text, environment text, sequence bigint, \
             hash text, key_id text, signature text)"
        }
        AnyConnection::Sqlite(_) => {
            "(SELECT value ->> 'tenant_id' AS tenant_id, value ->> 'environment' AS environment, \
             value ->> 'sequence' AS sequence, value ->> 'hash' AS hash, value ->> 'key_id' AS key_id, \
             value ->> 'signature' AS signature FROM json_each(?)) AS moved"
        }
    };
    let statement = Statement::new(format!(
        "UPDATE audit_chains SET {SET} FROM {moved} WHERE audit_chains.tenant_id = moved.tenant_id \
         AND audit_chains.environment = moved.environment"
    ));
    let statement = statement.bind::<Text, _>(names(&heads.iter().map(object).collect::<Vec<_>>()));
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)
}

fn object(head: &Marked) -> Value {
    let Marked { chain, sequence, hash, key_id, signature } = head;
    json!({
        "tenant_id": chain.tenant_id, "environment": chain.environment, "sequence": sequence, "hash": hash,
        "key_id": key_id, "signature": signature,
    })
}
