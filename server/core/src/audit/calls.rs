//! Entries of the sandbox. Its replies wait for nothing, and it answers tens of thousands of requests a second, so that an
//! entry for each would cost more than the reply. They are counted where they happen, and written from time to time: one
//! entry for an app, an operation and the time since the last ones.

use super::Environment;
use crate::Clock;
use crate::error::{Error, Fault};
use crate::ids;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, names, on_engine};
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::Serialize;

/// Calls of one operation by one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The tenant of the caller.
    pub tenant_id: String,
    /// Who called.
    pub actor: String,
    /// On whose behalf.
    pub user_id: Option<String>,
    /// The operation.
    pub action: String,
    /// The trace of the first of them.
    pub subject: String,
    /// How many there were.
    pub occurrences: i64,
}

/// Appends them in one statement. Those of a tenant that there is not are left out: nobody is told of them.
pub fn append(connection: &mut AnyConnection, clock: &Clock, calls: &[Calls]) -> Result<(), Error> {
    #[derive(Serialize)]
    struct Row<'c> {
        id: String,
        occurred_at: &'c str,
        tenant_id: &'c str,
        actor: &'c str,
        user_id: Option<&'c str>,
        action: &'c str,
        subject: &'c str,
        occurrences: i64,
    }
    const COLUMNS: [&str; 8] =
        ["id", "occurred_at", "tenant_id", "actor", "user_id", "action", "subject", "occurrences"];
    // As diesel writes times for SQLite.
    let occurred_at = clock.timestamp().format("%F %T%.f").to_string();
    let mut rows = Vec::with_capacity(calls.len());
    for calls in calls {
        rows.push(Row {
            id: ids::ulid(clock).map_err(Fault::new)?.to_string(),
            occurred_at: &occurred_at,
            tenant_id: &calls.tenant_id,
            actor: &calls.actor,
            user_id: calls.user_id.as_deref(),
            action: &calls.action,
            subject: &calls.subject,
            occurrences: calls.occurrences,
        });
    }
    let called = match connection {
        AnyConnection::Pg(_) => {
            "json_to_recordset(CAST(? AS json)) AS called (id text, occurred_at timestamp, tenant_id text, \
             actor text, user_id text, action text, subject text, occurrences bigint)"
                .to_owned()
        }
        AnyConnection::Sqlite(_) => {
            let each = COLUMNS.map(|name| format!("value ->> '{name}' AS {name}")).join(", ");
            format!("(SELECT {each} FROM json_each(?)) AS called")
        }
    };
    let (columns, sandbox) = (COLUMNS.join(", "), Environment::Sandbox.as_str());
    let statement = Statement::new(format!(
        "INSERT INTO audit_events ({columns}, environment, secrecy_level) \
         SELECT {columns}, '{sandbox}', '{sandbox}' FROM {called} \
         WHERE EXISTS (SELECT 1 FROM tenants WHERE tenants.tenant_id = called.tenant_id)"
    ));
    let statement = statement.bind::<Text, _>(names(&rows));
    on_engine!(connection, |inner| statement.execute(inner)).map(drop)?;
    Ok(())
}
