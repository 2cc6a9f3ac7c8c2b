//! The measurements. Servers that are compared take turns within one run, round by round, so that
//! what disturbs the machine disturbs them alike.

use crate::baseline::Signer;
use crate::load::Exchange;
use crate::place::{Engine, Lines};
use crate::process::{self, Ready, Running, Under};
use crate::report::{self, Line, median};
use crate::requests::{self, OPERATIONS, Operation};
use crate::{access, deliveries, instructions, jobs, statements};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const STARTS: usize = 11;

/// How to measure.
pub struct Plan {
    pub server: PathBuf,
    pub what: What,
    /// A PostgreSQL server to measure on.
    pub postgres: Option<String>,
    pub round: Duration,
    pub rounds: usize,
    pub connections: usize,
}

/// What to measure.
pub enum What {
    /// Everything, for the table.
    Table,
    /// What is about jobs.
    Jobs,
    /// What is about deliveries.
    Deliveries,
    /// What is about users' access and GraphQL.
    Access,
    /// Instructions and allocations, held against the kept figures.
    Gate,
    /// Instructions and allocations, to be kept.
    Record,
}

/// One of the servers that take turns.
pub struct Contender<'a> {
    pub name: &'static str,
    pub process: &'a Running,
    pub address: SocketAddr,
    pub exchange: &'a Exchange,
}

/// What a contender reached: the medians of its rounds.
pub struct Reached {
    name: &'static str,
    per_second: f64,
    cpu_micros: f64,
}

/// A measured server, with where it keeps its data.
struct Argus<'a> {
    process: &'a Running,
    ready: &'a Ready,
    data: &'a Path,
}

pub fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    // The first start makes the keys and the demo app.
    process::argus(&plan.server, data.path(), Under::Nothing)?.0.end()?;
    let client = load_generator()?;
    match plan.what {
        What::Table => {
            let mut lines = client.block_on(table(plan, data.path()))?;
            lines.extend(on_engines(plan, &[jobs::lines, deliveries::lines, access::lines])?);
            Ok(report::print(&lines)?)
        }
        What::Jobs => Ok(report::print(&on_engines(plan, &[jobs::lines])?)?),
        What::Deliveries => Ok(report::print(&on_engines(plan, &[deliveries::lines])?)?),
        What::Access => Ok(report::print(&on_engines(plan, &[access::lines])?)?),
        What::Gate => client.block_on(instructions::gate(&plan.server, data.path())),
        What::Record => client.block_on(instructions::record(&plan.server, data.path())),
    }
}

/// Measures on an engine.
type OnEngine = fn(&Plan, &Engine, &mut Lines) -> Result<(), Box<dyn Error>>;

fn on_engines(plan: &Plan, measurements: &[OnEngine]) -> Result<Vec<Line>, Box<dyn Error>> {
    statements::begin();
    let mut lines = Lines::default();
    for measure in measurements {
        for engine in Engine::all(plan) {
            measure(plan, &engine, &mut lines)?;
        }
    }
    Ok(lines.0)
}

/// One thread generates the load, so that the server has the rest of the machine.
pub fn load_generator() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn table(plan: &Plan, data: &Path) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (_, _, took) = process::argus(&plan.server, data, Under::Nothing)?;
        starts.push(took.as_secs_f64() * 1000.0);
    }
    let (process, ready, _) = process::argus(&plan.server, data, Under::Nothing)?;
    let argus = Argus { process: &process, ready: &ready, data };
    let mut lines = Vec::new();
    for operation in &OPERATIONS {
        lines.extend(throughput(plan, &argus, operation).await?);
    }
    lines.extend(mint(plan, &argus).await?);
    let authorization = requests::sandbox_authorization(&ready).await?;
    let peak_memory = process.peak_memory()?;
    process.end()?;
    match instructions::available() {
        Ok(()) => lines.extend(instructions::lines(&plan.server, data, &authorization).await?),
        Err(missing) => eprintln!("bench: {missing}"),
    }
    lines.push(Line {
        what: "start to ready, existing data".to_owned(),
        measured: format!("{:.0} ms", median(starts)),
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal: "150 ms",
    });
    lines.push(Line {
        what: "peak memory after the load".to_owned(),
        measured: format!("{peak_memory:.1} MiB"),
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal: "64 MiB",
    });
    Ok(lines)
}

/// The operation beside hyper and dropshot that return the same bytes.
async fn throughput(
    plan: &Plan,
    argus: &Argus<'_>,
    operation: &Operation,
) -> Result<Vec<Line>, Box<dyn Error>> {
    let exchange = (operation.exchange)(&requests::sandbox_authorization(argus.ready).await?);
    let sandbox = process::address(&argus.ready.sandbox)?;
    let body = operation.body(argus.data);
    std::fs::write(&body, exchange.once(sandbox).await?)?;
    let (hyper, hyper_address) = process::baseline("hyper", &body, operation.status, Under::Nothing)?;
    let (dropshot, dropshot_address) =
        process::baseline(operation.baseline, &body, operation.status, Under::Nothing)?;
    let contender = |name, process, address| Contender { name, process, address, exchange: &exchange };
    let contenders = [
        contender("argus", argus.process, sandbox),
        contender("dropshot", &dropshot, dropshot_address),
        contender("hyper", &hyper, hyper_address),
    ];
    let reached = take_turns(plan, &contenders).await?;
    Ok(vec![
        compare(operation.id, &reached[0], &reached[1], operation.throughput_goal),
        compare(operation.id, &reached[0], &reached[2], "-"),
    ])
}

async fn mint(plan: &Plan, argus: &Argus<'_>) -> Result<Vec<Line>, Box<dyn Error>> {
    let exchange = requests::token_mint(argus.ready);
    let auth = process::address(&argus.ready.auth)?;
    let response: serde_json::Value = serde_json::from_slice(&exchange.once(auth).await?)?;
    let claims = claims(response["access_token"].as_str().ok_or("no access token")?)?;
    let body = argus.data.join("claims.json");
    std::fs::write(&body, &claims)?;
    let (signer, signer_address) = process::baseline("signer", &body, 200, Under::Nothing)?;
    let contender = |name, process, address| Contender { name, process, address, exchange: &exchange };
    let contenders =
        [contender("argus", argus.process, auth), contender("hyper that signs", &signer, signer_address)];
    let reached = take_turns(plan, &contenders).await?;
    let bare = Reached {
        name: "bare RS256, one core",
        per_second: bare_signatures(plan, &claims)?,
        cpu_micros: 0.0,
    };
    Ok(vec![
        compare("oauth_token, client credentials", &reached[0], &reached[1], "0.90"),
        compare("oauth_token, client credentials", &reached[0], &bare, "-"),
    ])
}

/// Signatures per second on one core, with nothing around them.
fn bare_signatures(plan: &Plan, claims: &[u8]) -> Result<f64, Box<dyn Error>> {
    let signer = Signer::new()?;
    let started = Instant::now();
    let mut signed = 0_u32;
    while started.elapsed() < plan.round {
        std::hint::black_box(signer.token(claims));
        signed += 1;
    }
    Ok(f64::from(signed) / started.elapsed().as_secs_f64())
}

/// What a token says.
pub fn claims(token: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    use base64::Engine;
    let payload = token.split('.').nth(1).ok_or("not a token")?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?)
}

pub async fn take_turns(plan: &Plan, contenders: &[Contender<'_>]) -> Result<Vec<Reached>, Box<dyn Error>> {
    let mut rounds: Vec<Vec<(f64, f64)>> = contenders.iter().map(|_| Vec::new()).collect();
    // The first round warms up and does not count.
    for round in 0..=plan.rounds {
        for (contender, reached) in contenders.iter().zip(&mut rounds) {
            let cpu = contender.process.cpu_time()?;
            let started = Instant::now();
            let per_second =
                contender.exchange.throughput(contender.address, plan.connections, plan.round).await?;
            let answered = per_second * started.elapsed().as_secs_f64();
            let cpu = contender.process.cpu_time()?.saturating_sub(cpu);
            if round > 0 {
                reached.push((per_second, cpu.as_secs_f64() * 1e6 / answered));
            }
        }
    }
    let medians = contenders.iter().zip(rounds).map(|(contender, rounds)| Reached {
        name: contender.name,
        per_second: median(rounds.iter().map(|round| round.0).collect()),
        cpu_micros: median(rounds.iter().map(|round| round.1).collect()),
    });
    Ok(medians.collect())
}

/// The line of a contender beside another.
pub fn compare(what: &str, argus: &Reached, other: &Reached, goal: &'static str) -> Line {
    let figures = |reached: &Reached| {
        let cpu = if reached.cpu_micros > 0.0 {
            format!(", {:.1} us CPU", reached.cpu_micros)
        } else {
            String::new()
        };
        format!("{:.0}/s{cpu}", reached.per_second)
    };
    Line {
        what: what.to_owned(),
        measured: figures(argus),
        compared: format!("{}: {}", other.name, figures(other)),
        ratio: format!("{:.2}", argus.per_second / other.per_second),
        goal,
    }
}
