//! What only PostgreSQL does: the tenant of a transaction, advisory locks, `ON CONFLICT`.

use super::super::error::OpenError;
use super::super::schema::installation;
use super::super::settings::Deadlines;
use super::{Name, Use};
use crate::ids::TenantId;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::{PgConnection, QueryResult};
use std::time::Duration;

/// Messages of two transactions that wait for each other.
pub(super) const DEADLOCK: &[&str] = &["deadlock detected"];
/// Messages of a server that is going away, has no room or time, or takes no writes for now.
pub(super) const OUT_OF_REACH: &[&str] = &[
    "terminating connection",
    "server closed the connection",
    "the database system is",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "SSL SYSCALL error",
    "canceling statement due to",
    "No space left on device",
    "too many clients",
    "remaining connection slots",
    "out of shared memory",
];

/// Key of the advisory lock that guards migrations: `argus` in ASCII.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(418364683635)";

/// What a transaction may do.
#[derive(Clone, Copy)]
pub(in super::super) enum Mode {
    Read,
    Write,
}

/// Where a server listens when nobody says.
const PORT: u16 = 5432;

/// How long it takes to find out that the other side is gone: probes of an idle connection, and data that
/// is not acknowledged. What the URL says counts before it.
const TCP: [(&str, u128); 3] = [("keepalives_idle", 5), ("keepalives_interval", 2), ("keepalives_count", 3)];

/// Opens a connection.
pub(in super::super) fn connect(
    url: &str,
    purpose: Use,
    deadlines: &Deadlines,
) -> Result<PgConnection, OpenError> {
    let url = with_defaults(url, deadlines);
    let mut connection =
        PgConnection::establish(&url).map_err(|error| OpenError::Connect(error.to_string()))?;
    connection.batch_execute(&session(purpose, deadlines))?;
    Ok(connection)
}

/// The port that connections lead to; of several servers, that of the first.
pub(in super::super) fn port(url: &str) -> u16 {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    // The colons of an address are in brackets.
    let behind = hosts.split(',').next().and_then(|host| host.rsplit(']').next()?.split_once(':'));
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("port="));
    let asked = asked.or(behind.map(|(_, port)| port));
    asked.and_then(|port| port.split(',').next()?.parse().ok()).unwrap_or(PORT)
}

/// The URL with what it does not say itself.
fn with_defaults(url: &str, deadlines: &Deadlines) -> String {
    let times = [
        ("tcp_user_timeout", deadlines.acknowledgement.as_millis()),
        ("connect_timeout", deadlines.connect.as_secs().max(1).into()),
    ];
    let mut url = url.to_owned();
    for (name, value) in TCP.into_iter().chain(times) {
        let query = url.split_once('?').map(|(_, query)| query);
        if query.is_none_or(|query| !query.split('&').any(|pair| pair.split('=').next() == Some(name))) {
            url.push(if query.is_none() { '?' } else { '&' });
            url.push_str(&format!("{name}={value}"));
        }
    }
    url
}

/// How a session begins. Statements outside of a transaction read alone, unless they are the machinery's:
/// whoever writes for a tenant says so when the transaction begins.
fn session(purpose: Use, deadlines: &Deadlines) -> String {
    let zone = "SET TIME ZONE 'UTC'";
    if purpose == Use::SetUp {
        return zone.to_owned();
    }
    let limit = |name: &str, limit: Duration| {
        let millis = limit.as_millis();
        // What the role or the URL says counts before it; zero is what nobody has said.
        format!(
            "SELECT set_config('{name}', coalesce(nullif(current_setting('{name}'), '0'), '{millis}'), false)"
        )
    };
    let mut session = vec![
        zone.to_owned(),
        limit("statement_timeout", deadlines.statement),
        limit("idle_in_transaction_session_timeout", deadlines.work),
    ];
    if purpose != Use::EveryTenant {
        session.push("SET default_transaction_read_only = on".to_owned());
    }
    session.join("; ")
}

/// Begins a transaction and sets its tenant, for row-level security, in one round trip. The setting ends
/// with the transaction.
pub(super) fn begin(connection: &mut PgConnection, tenant_id: &TenantId, mode: Mode) -> QueryResult<()> {
    let mode = match mode {
        Mode::Read => "READ ONLY",
        Mode::Write => "READ WRITE",
    };
    // The alphabet of an identifier has no quote, so that it can stand in a literal.
    let sql = format!("BEGIN {mode}; SET LOCAL argus.tenant_id = '{tenant_id}'");
    AnsiTransactionManager::begin_transaction_sql(connection, &sql)
}

/// Begins a transaction of the machinery.
pub(super) fn begin_every_tenant(connection: &mut PgConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
}

/// Holds the migration lock until the transaction ends.
pub(in super::super) fn lock_migrations(connection: &mut PgConnection) -> QueryResult<()> {
    diesel::sql_query(MIGRATION_LOCK).execute(connection).map(drop)
}

/// Whether the session may read which migrations there were.
pub(in super::super) fn may_read_migrations(connection: &mut PgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        may: bool,
    }
    let ask = "SELECT coalesce(has_table_privilege(to_regclass('__diesel_schema_migrations'), 'SELECT'), false) AS may";
    let Answer { may } = diesel::sql_query(ask).get_result(connection)?;
    Ok(may)
}

pub(super) fn tables(connection: &mut PgConnection) -> QueryResult<Vec<String>> {
    let visible = "SELECT relname::text AS name FROM pg_class \
                   WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) \
                   AND relnamespace <> 'pg_catalog'::regnamespace";
    let tables: Vec<Name> = diesel::sql_query(visible).load(connection)?;
    Ok(tables.into_iter().map(|table| table.name).collect())
}

/// Rolled back: nodes that share the database must not wait for each other's row.
pub(super) fn write_probe(connection: &mut PgConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN READ WRITE")?;
    let insert = "INSERT INTO installation VALUES ('write_probe_' || gen_random_uuid(), '')";
    let outcome = diesel::sql_query(insert).execute(connection);
    AnsiTransactionManager::rollback_transaction(connection)?;
    outcome.map(drop)
}

/// Of the table that changes most: a snapshot that somebody holds keeps them, and so does a vacuum that never comes.
pub(super) fn dead_rows(connection: &mut PgConnection) -> QueryResult<u64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let dead = "SELECT coalesce(max(n_dead_tup), 0) AS count FROM pg_stat_user_tables WHERE relid = to_regclass('jobs')";
    let Count { count } = diesel::sql_query(dead).get_result(connection)?;
    Ok(count.unsigned_abs())
}

pub(super) fn insert_fact_once(connection: &mut PgConnection, name: &str, value: &str) -> QueryResult<usize> {
    diesel::insert_into(installation::table)
        .values((installation::name.eq(name), installation::value.eq(value)))
        .on_conflict_do_nothing()
        .execute(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_counts_before_the_defaults() {
        let deadlines = Deadlines::default();
        let plain = with_defaults("postgres://a@b/c", &deadlines);
        assert_eq!(
            plain,
            "postgres://a@b/c?keepalives_idle=5&keepalives_interval=2&keepalives_count=3\
             &tcp_user_timeout=10000&connect_timeout=3"
        );
        let said = "postgres://a@b/c?connect_timeout=9&options=-ckeepalives_idle=1";
        let whole = with_defaults(said, &deadlines);
        assert!(whole.starts_with(said) && whole.matches("connect_timeout=").count() == 1, "{whole}");
        assert!(whole.contains("&keepalives_idle=5"), "{whole}");
    }

    #[test]
    fn the_port_is_that_of_the_url() {
        for (url, port) in [
            ("postgres://a@b/c", 5432),
            ("postgresql://a:p@b:6432/c", 6432),
            ("postgres://a@/c?host=b&port=7432", 7432),
            ("postgres://a@[::1]:5433", 5433),
            ("postgres://a@[::1]/c", 5432),
            ("postgres://b:1,c:2/d?port=", 5432),
            ("postgres://b:1,c:2/d", 1),
        ] {
            assert_eq!(super::port(url), port, "{url}");
        }
    }
}
