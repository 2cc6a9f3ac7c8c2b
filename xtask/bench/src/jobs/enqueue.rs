//! Accepting jobs over HTTP, beside bare inserts of the same columns with a unique key into the same database:
//! pgbench's on PostgreSQL, a prepared one in a loop on SQLite. They take turns.

use crate::database::BenchDatabase;
use crate::measure::Plan;
use crate::process::{self, Under};
use crate::report::{Line, median};
use crate::requests;
use argus_core::store::AnyConnection;
use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Text};
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a bare insert fills: the table of jobs without what makes it a queue.
const BARE: &str = "CREATE TABLE bare_jobs (id TEXT NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, \
    organization_id TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, \
    secrecy_level TEXT NOT NULL, callback_url TEXT, idempotency_key TEXT, traceparent TEXT NOT NULL, \
    tracestate TEXT, status TEXT NOT NULL, max_attempts INTEGER NOT NULL, created_at BIGINT NOT NULL, \
    updated_at BIGINT NOT NULL); \
    CREATE UNIQUE INDEX bare_jobs_by_key ON bare_jobs (tenant_id, idempotency_key)";

/// A row as the server writes it, but for its key, which stands twice.
const VALUES: [&str; 2] = [
    "('job_",
    "', 'tnt_01J00000000000000000000000', 'org_01J00000000000000000000000', 'app_01J00000000000000000000000', \
     'intelligence.enrich.bulk', '{\"profile_ids\":[\"p1\",\"p2\"]}', 'standard', NULL, ",
];
const VALUES_END: &str = ", '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', NULL, 'queued', 5, \
    1764370539000000, 1764370539000000)";
const COLUMNS: &str = "INSERT INTO bare_jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, \
    callback_url, idempotency_key, traceparent, tracestate, status, max_attempts, created_at, updated_at) VALUES ";

pub async fn line(plan: &Plan, database: &BenchDatabase, data: &Path) -> Result<Line, Box<dyn Error>> {
    let mut variables = database.migrate(&plan.server, data)?;
    variables.push(("ARGUS_ROLE", "api".to_owned()));
    let (server, ready, _) = process::argus_with(&plan.server, data, Under::Nothing, &variables)?;
    let exchange = requests::new_job(&requests::live_authorization(&ready).await?);
    let api = process::address(&ready.api)?;
    database.execute(BARE)?;
    let mut bare = Bare::new(database, data)?;
    let (mut accepted, mut inserted) = (Vec::new(), Vec::new());
    // The first round warms up and does not count.
    for round in 0..=plan.rounds {
        let http = exchange.throughput(api, plan.connections, plan.round).await?;
        let sql = bare.per_second(plan.connections, plan.round)?;
        if round > 0 {
            accepted.push(http);
            inserted.push(sql);
        }
    }
    server.end()?;
    // A table with tenants that the code does not have keeps the next service out.
    database.execute("DROP TABLE bare_jobs")?;
    let (http, sql) = (median(accepted), median(inserted));
    Ok(Line {
        what: format!("job_create on {}, each with a key", database.engine()),
        measured: format!("{http:.0}/s"),
        compared: format!("{}: {sql:.0}/s", bare.name()),
        ratio: format!("{:.2}", http / sql),
        goal: if database.is_postgres() { "0.60" } else { "0.50" },
    })
}

/// Bare inserts.
enum Bare {
    Pgbench { url: String, script: std::path::PathBuf },
    Loop { connection: Box<AnyConnection>, next: u64 },
}

impl Bare {
    fn new(database: &BenchDatabase, data: &Path) -> Result<Self, Box<dyn Error>> {
        if !database.is_postgres() {
            return Ok(Self::Loop { connection: Box::new(database.connect()?), next: 0 });
        }
        let script = data.join("insert.sql");
        let mut text = "\\set key random(1, 1000000000000)\n".to_owned();
        writeln!(text, "{COLUMNS}{}' || :key || '{}:key::text{VALUES_END};", VALUES[0], VALUES[1])?;
        std::fs::write(&script, text)?;
        Ok(Self::Pgbench { url: database.url.clone(), script })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Pgbench { .. } => "pgbench insert",
            Self::Loop { .. } => "prepared insert in a loop",
        }
    }

    /// Inserts for a while, and says how many were committed in a second.
    fn per_second(&mut self, clients: usize, duration: Duration) -> Result<f64, Box<dyn Error>> {
        match self {
            Self::Pgbench { url, script } => pgbench(url, script, clients, duration),
            Self::Loop { connection, next } => inserts(connection, next, duration),
        }
    }
}

fn pgbench(url: &str, script: &Path, clients: usize, duration: Duration) -> Result<f64, Box<dyn Error>> {
    let seconds = duration.as_secs_f64().round().max(1.0).to_string();
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--time", &seconds])
        .args(["--client", &clients.to_string(), "--file"])
        .arg(script)
        .arg(url)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    let figure = figure.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(figure.parse()?)
}

fn inserts(
    connection: &mut AnyConnection,
    next: &mut u64,
    duration: Duration,
) -> Result<f64, Box<dyn Error>> {
    let text = format!("{COLUMNS}{}' || ? || '{}?{VALUES_END}", VALUES[0], VALUES[1]);
    let started = Instant::now();
    let mut inserted = 0_u32;
    while started.elapsed() < duration {
        *next += 1;
        let statement = argus_core::store::statement::Statement::new(text.clone())
            .bind::<BigInt, _>(i64::try_from(*next)?)
            .bind::<Text, _>(next.to_string());
        argus_core::on_engine!(connection, |inner| statement.execute(inner))?;
        inserted += 1;
    }
    Ok(f64::from(inserted) / started.elapsed().as_secs_f64())
}
