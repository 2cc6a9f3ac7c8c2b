//! The databases that are measured on, one for each engine, and SQL of the bench's own. On PostgreSQL the roles are
//! those of production, so that row-level security is part of what is measured.

use argus_core::store::statement::Statement;
use argus_core::store::{AnyConnection, DatabaseUrl, StoreSettings};
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The role that owns the database. It sees every tenant.
const OWNER: &str = "argus_bench";
/// The role that serves requests.
const REQUESTS: &str = "argus_bench_requests";
/// The role that serves every tenant.
const WORKER: &str = "argus_bench_worker";

/// The trace of every row.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// When the row with this number was created.
pub fn filled_at(number: u64) -> u64 {
    1_764_370_539_000_000 + number
}

/// A database of the bench. It ends with this value.
pub struct BenchDatabase {
    /// Where it is, for its owner.
    pub url: String,
    /// How its maker reaches the server.
    maker: Option<Maker>,
}

struct Maker {
    url: String,
    name: String,
}

impl BenchDatabase {
    /// A file in this directory.
    pub fn sqlite(directory: &Path) -> Self {
        Self { url: format!("sqlite://{}", directory.join("argus.db").display()), maker: None }
    }

    /// A database of its own on the server at this URL, whose role may make databases and roles.
    pub fn postgres(url: &str) -> Result<Self, Box<dyn Error>> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("argus_bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::establish(url)?;
        for role in [OWNER, REQUESTS, WORKER] {
            connection.batch_execute(&format!(
                "DO $$ BEGIN CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            ))?;
        }
        // Each by itself: a database is not made or removed in a transaction.
        connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))?;
        connection.batch_execute(&format!("CREATE DATABASE {name} OWNER {OWNER}"))?;
        let (server, _) = url.rsplit_once('/').ok_or("the URL names no database")?;
        let (scheme, host) = server.split_once("://").ok_or("the URL has no scheme")?;
        let host = host.rsplit('@').next().unwrap_or(host);
        Ok(Self {
            url: format!("{scheme}://{OWNER}@{host}/{name}"),
            maker: Some(Maker { url: url.to_owned(), name }),
        })
    }

    pub fn is_postgres(&self) -> bool {
        self.maker.is_some()
    }

    /// The engine's name in the table.
    pub fn engine(&self) -> &'static str {
        if self.is_postgres() { "PostgreSQL" } else { "SQLite" }
    }

    /// Brings it up to date with the server's own command, and says the variables that lead the server there.
    pub fn migrate(&self, server: &Path, data: &Path) -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
        let StoreSettings { url, worker_url, owner_url, .. } = settings(&self.url);
        let named = |name, url: DatabaseUrl| (name, url.expose().to_owned());
        let mut variables = vec![named("ARGUS_DATABASE_URL", url)];
        variables.extend(worker_url.map(|url| named("ARGUS_DATABASE_WORKER_URL", url)));
        let mut migrate = Command::new(server);
        migrate.arg("migrate").arg("--data-dir").arg(data).envs(variables.iter().cloned());
        migrate.envs(owner_url.map(|url| named("ARGUS_DATABASE_OWNER_URL", url)));
        let migrated = migrate.output()?;
        if !migrated.status.success() {
            return Err(String::from_utf8_lossy(&migrated.stderr).into());
        }
        Ok(variables)
    }

    /// A connection that sees every tenant.
    pub fn connect(&self) -> Result<AnyConnection, Box<dyn Error>> {
        connect(&self.url)
    }

    /// Puts queued jobs there, so many at once; each has a number of its own.
    pub fn fill(
        &self,
        numbers: Range<u64>,
        tenant_id: &str,
        organization_id: &str,
        kind: &str,
    ) -> Result<(), Box<dyn Error>> {
        let (id, begin) = (self.id(), filled_at(0));
        self.execute(&format!(
            "INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, traceparent, \
             status, max_attempts, created_at, updated_at) SELECT {id}, '{tenant_id}', \
             '{organization_id}', 'operator', '{kind}', '{{}}', 'standard', '{TRACEPARENT}', 'queued', 5, {begin} + n, \
             {begin} + n FROM ({}) AS numbers",
            self.numbers(numbers)
        ))
    }

    /// Puts deliveries there that a subscription's receiver has taken, so many at once.
    pub fn fill_deliveries(
        &self,
        count: u64,
        tenant_id: &str,
        webhook_id: &str,
    ) -> Result<(), Box<dyn Error>> {
        let (id, begin) = (self.id(), filled_at(0));
        let body = r#"{"data":{"id":"job_01j00000000000000000000000","kind":"graph.compute","result_ref":null,"status":"succeeded","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"},"id":"evt_01j00000000000000000000000","occurred_at":"2026-11-30T12:00:00Z","sequence":1,"type":"job.succeeded"}"#;
        let history = r#"{"attempted_at":"2026-11-30T12:00:00Z","duration_ms":12,"response_status":204,"response_excerpt":"","failure":null}"#;
        let sent = format!(
            r#"{{"content-type":"application/json","traceparent":"{TRACEPARENT}","webhook-id":"dlv_01j00000000000000000000000","webhook-signature":"v1,{}","webhook-timestamp":"1764370539","x-argus-job-id":"job_01j00000000000000000000000","x-argus-signature":"sha256={}","x-argus-trace-id":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#,
            "A".repeat(44),
            "a".repeat(64)
        );
        self.execute(&format!(
            "INSERT INTO deliveries (id, tenant_id, webhook_id, signer, lane, event, job_id, body, traceparent, status, \
             attempts, history, sent, give_up_at, created_at, attempted_at) \
             SELECT 'dlv_{webhook_id}_' || {id}, '{tenant_id}', '{webhook_id}', '{webhook_id}', '{webhook_id}', \
             'job.succeeded', 'job_01j00000000000000000000000', '{body}', '{TRACEPARENT}', 'succeeded', 1, '{history}\n', \
             '{sent}', {begin}, {begin} + n, {begin} + n FROM ({}) AS numbers",
            self.numbers(1..count + 1)
        ))
    }

    /// A query of these numbers, each as `n`.
    pub fn numbers(&self, Range { start, end }: Range<u64>) -> String {
        if self.is_postgres() {
            return format!("SELECT n FROM generate_series({start}, {end} - 1) AS series (n)");
        }
        format!(
            "WITH RECURSIVE series (n) AS (SELECT {start} WHERE {start} < {end} \
             UNION ALL SELECT n + 1 FROM series WHERE n < {end} - 1) SELECT n FROM series"
        )
    }

    /// The identifier of the row with the number `n`.
    fn id(&self) -> &'static str {
        if self.is_postgres() { "lpad(n::text, 26, '0')" } else { "printf('%026d', n)" }
    }

    /// Brings what the engine knows of its tables up to date, as it does by itself after a while.
    pub fn analyze(&self) -> Result<(), Box<dyn Error>> {
        self.execute(if self.is_postgres() { "VACUUM ANALYZE" } else { "ANALYZE" })
    }

    /// What a query counts.
    pub fn count(&self, query: &str) -> Result<u64, Box<dyn Error>> {
        Self::count_on(&mut self.connect()?, query)
    }

    /// What a query counts on this connection.
    pub fn count_on(connection: &mut AnyConnection, query: &str) -> Result<u64, Box<dyn Error>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let statement = Statement::new(query.to_owned());
        let row: Row = argus_core::on_engine!(connection, |inner| statement.get_result(inner))?;
        Ok(row.count.unsigned_abs())
    }

    /// Bytes of the log on PostgreSQL and of the file on SQLite, so far.
    pub fn written(&self) -> Result<u64, Box<dyn Error>> {
        self.count(if self.is_postgres() {
            "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint AS count"
        } else {
            "SELECT page_count * page_size AS count FROM pragma_page_count(), pragma_page_size()"
        })
    }

    /// Runs statements.
    pub fn execute(&self, statements: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.connect()?.batch_execute(statements)?)
    }
}

/// A connection to where a database is for its owner.
pub fn connect(url: &str) -> Result<AnyConnection, Box<dyn Error>> {
    let Some(path) = url.strip_prefix("sqlite://") else {
        return Ok(AnyConnection::Pg(PgConnection::establish(url)?));
    };
    let mut connection = SqliteConnection::establish(path)?;
    connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL")?;
    Ok(AnyConnection::Sqlite(connection))
}

/// The settings of a node, from where the database is for its owner.
pub fn settings(url: &str) -> StoreSettings {
    let owner = format!("//{OWNER}@");
    if !url.contains(&owner) {
        return StoreSettings::new(DatabaseUrl::from(url.to_owned()));
    }
    let of = |role: &str| DatabaseUrl::from(url.replacen(&owner, &format!("//{role}@"), 1));
    StoreSettings {
        worker_url: Some(of(WORKER)),
        owner_url: Some(of(OWNER)),
        require_wall: true,
        ..StoreSettings::new(of(REQUESTS))
    }
}

impl Drop for BenchDatabase {
    fn drop(&mut self) {
        if let Some(Maker { url, name }) = &self.maker {
            let removed =
                PgConnection::establish(url).map_err(|error| error.to_string()).and_then(|mut connection| {
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    connection.batch_execute(&drop).map_err(|error| error.to_string())
                });
            if let Err(error) = removed {
                eprintln!("bench: the database {name} is left behind: {error}");
            }
        }
    }
}
