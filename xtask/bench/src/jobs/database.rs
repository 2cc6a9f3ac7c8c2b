//! The databases that jobs are measured on, one for each engine, and SQL of the bench's own. On PostgreSQL the roles are
//! those of production, so that row-level security is part of what is measured.

use argus_core::store::statement::Statement;
use argus_core::store::{AnyConnection, DatabaseUrl, StoreSettings};
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The role that owns the database. It sees every tenant.
const OWNER: &str = "argus_bench";
/// The role that serves requests.
const REQUESTS: &str = "argus_bench_requests";
/// The role that serves every tenant.
const WORKER: &str = "argus_bench_worker";

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
        if self.is_postgres() {
            return Ok(AnyConnection::Pg(PgConnection::establish(&self.url)?));
        }
        let path = self.url.trim_start_matches("sqlite://");
        let mut connection = SqliteConnection::establish(path)?;
        connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL")?;
        Ok(AnyConnection::Sqlite(connection))
    }

    /// Puts queued jobs there, so many at once.
    pub fn fill(
        &self,
        count: u64,
        tenant_id: &str,
        organization_id: &str,
        kind: &str,
    ) -> Result<(), Box<dyn Error>> {
        let (id, numbers) = if self.is_postgres() {
            ("lpad(n::text, 26, '0')", format!("SELECT n FROM generate_series(1, {count}) AS series (n)"))
        } else {
            let numbers = format!(
                "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count}) \
                 SELECT n FROM series"
            );
            ("printf('%026d', n)", numbers)
        };
        self.execute(&format!(
            "INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, traceparent, \
             status, max_attempts, created_at, updated_at) SELECT {id}, '{tenant_id}', \
             '{organization_id}', 'operator', '{kind}', '{{}}', 'standard', \
             '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'queued', 5, 1764370539000000 + n, \
             1764370539000000 + n FROM ({numbers}) AS numbers"
        ))
    }

    /// Brings what the engine knows of its tables up to date, as it does by itself after a while.
    pub fn analyze(&self) -> Result<(), Box<dyn Error>> {
        self.execute(if self.is_postgres() { "VACUUM ANALYZE jobs" } else { "ANALYZE" })
    }

    /// What a query counts.
    pub fn count(&self, query: &str) -> Result<u64, Box<dyn Error>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let statement = Statement::new(query.to_owned());
        let row: Row = argus_core::on_engine!(&mut self.connect()?, |inner| statement.get_result(inner))?;
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
