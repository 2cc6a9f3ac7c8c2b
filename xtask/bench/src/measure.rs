//! The measurements. Servers that are compared take turns within one run, round by round, so that
//! what disturbs the machine disturbs them alike.

use crate::baseline::Signer;
use crate::load::Exchange;
use crate::process::{self, Ready, Running};
use crate::report::{self, Line, median};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const JOB: &str = r#"{"kind":"intelligence.enrich.bulk","payload":{"profile_ids":["p1","p2"]}}"#;
const STARTS: usize = 11;

/// How to measure.
pub struct Plan {
    pub server: PathBuf,
    pub round: Duration,
    pub rounds: usize,
    pub connections: usize,
}

/// One of the servers that take turns.
struct Contender<'a> {
    name: &'static str,
    process: &'a Running,
    address: SocketAddr,
    exchange: &'a Exchange,
}

/// What a contender reached: the medians of its rounds.
struct Reached {
    name: &'static str,
    per_second: f64,
    cpu_micros: f64,
}

pub fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    // One thread generates the load, so that the server has the rest of the machine.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(plan))
}

async fn measure(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    drop(process::argus(&plan.server, data.path())?);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (_, _, took) = process::argus(&plan.server, data.path())?;
        starts.push(took.as_secs_f64() * 1000.0);
    }
    let (argus, ready, _) = process::argus(&plan.server, data.path())?;
    let mut lines = job_create(plan, &argus, &ready, data.path()).await?;
    lines.push(scenario_list(plan, &argus, &ready, data.path()).await?);
    lines.extend(mint(plan, &argus, &ready, data.path()).await?);
    lines.push(Line {
        what: "start to ready, existing data",
        measured: format!("{:.0} ms", median(starts)),
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal: "150 ms",
    });
    lines.push(Line {
        what: "peak memory after all of this",
        measured: format!("{:.1} MiB", argus.peak_memory()?),
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal: "64 MiB",
    });
    Ok(report::print(&lines)?)
}

async fn job_create(
    plan: &Plan,
    argus: &Running,
    ready: &Ready,
    data: &Path,
) -> Result<Vec<Line>, Box<dyn Error>> {
    let token = sandbox_token(ready).await?;
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    let exchange = Exchange::new("POST", "/v1/jobs", &headers, JOB, 201);
    let sandbox = process::address(&ready.sandbox)?;
    let body = capture(&exchange, sandbox, data, "job.json").await?;
    let (hyper, hyper_address) = process::baseline("hyper", &body, 201)?;
    let (dropshot, dropshot_address) = process::baseline("dropshot", &body, 201)?;
    let reached = take_turns(
        plan,
        &[
            Contender { name: "argus", process: argus, address: sandbox, exchange: &exchange },
            Contender { name: "hyper", process: &hyper, address: hyper_address, exchange: &exchange },
            Contender {
                name: "dropshot",
                process: &dropshot,
                address: dropshot_address,
                exchange: &exchange,
            },
        ],
    )
    .await?;
    Ok(vec![
        compare("sandbox job_create, POST", &reached[0], &reached[1], "0.65"),
        compare("sandbox job_create, POST", &reached[0], &reached[2], "0.80"),
    ])
}

async fn scenario_list(
    plan: &Plan,
    argus: &Running,
    ready: &Ready,
    data: &Path,
) -> Result<Line, Box<dyn Error>> {
    let token = sandbox_token(ready).await?;
    let exchange =
        Exchange::new("GET", "/v1/sandbox/scenarios", &[("Authorization", token.as_str())], "", 200);
    let sandbox = process::address(&ready.sandbox)?;
    let body = capture(&exchange, sandbox, data, "scenarios.json").await?;
    let (hyper, hyper_address) = process::baseline("hyper", &body, 200)?;
    let reached = take_turns(
        plan,
        &[
            Contender { name: "argus", process: argus, address: sandbox, exchange: &exchange },
            Contender { name: "hyper", process: &hyper, address: hyper_address, exchange: &exchange },
        ],
    )
    .await?;
    Ok(compare("sandbox_scenario_list, GET", &reached[0], &reached[1], "0.65"))
}

async fn mint(plan: &Plan, argus: &Running, ready: &Ready, data: &Path) -> Result<Vec<Line>, Box<dyn Error>> {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=argus:jobs:write",
        ready.client_id, ready.client_secret
    );
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let exchange = Exchange::new("POST", "/v1/oauth/token", &headers, &form, 200);
    let auth = process::address(&ready.auth)?;
    let response: serde_json::Value = serde_json::from_slice(&exchange.once(auth).await?)?;
    let claims = claims(response["access_token"].as_str().ok_or("no access token")?)?;
    let body = data.join("claims.json");
    std::fs::write(&body, &claims)?;
    let (signer, signer_address) = process::baseline("signer", &body, 200)?;
    let reached = take_turns(
        plan,
        &[
            Contender { name: "argus", process: argus, address: auth, exchange: &exchange },
            Contender {
                name: "hyper that signs",
                process: &signer,
                address: signer_address,
                exchange: &exchange,
            },
        ],
    )
    .await?;
    let bare = Reached {
        name: "bare RS256, one core",
        per_second: bare_signatures(plan, &claims)?,
        cpu_micros: 0.0,
    };
    Ok(vec![
        compare("oauth_token, client credentials", &reached[0], &reached[1], "0.85"),
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

fn claims(token: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    use base64::Engine;
    let payload = token.split('.').nth(1).ok_or("not a token")?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?)
}

async fn sandbox_token(ready: &Ready) -> Result<String, Box<dyn Error>> {
    let path = format!("/v1/platform/apps/{}/sandbox-token", ready.client_id);
    let authorization = format!("Bearer {}", ready.admin_token);
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let exchange = Exchange::new("POST", &path, &headers, "{}", 200);
    let response: serde_json::Value =
        serde_json::from_slice(&exchange.once(process::address(&ready.auth)?).await?)?;
    Ok(format!("Bearer {}", response["token"].as_str().ok_or("no token")?))
}

/// Keeps a response body for the bare servers to return.
async fn capture(
    exchange: &Exchange,
    address: SocketAddr,
    data: &Path,
    name: &str,
) -> Result<PathBuf, Box<dyn Error>> {
    let path = data.join(name);
    std::fs::write(&path, exchange.once(address).await?)?;
    Ok(path)
}

async fn take_turns(plan: &Plan, contenders: &[Contender<'_>]) -> Result<Vec<Reached>, Box<dyn Error>> {
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

fn compare(what: &'static str, argus: &Reached, other: &Reached, goal: &'static str) -> Line {
    let figures = |reached: &Reached| {
        let cpu = if reached.cpu_micros > 0.0 {
            format!(", {:.1} us CPU", reached.cpu_micros)
        } else {
            String::new()
        };
        format!("{:.0}/s{cpu}", reached.per_second)
    };
    Line {
        what,
        measured: figures(argus),
        compared: format!("{}: {}", other.name, figures(other)),
        ratio: format!("{:.2}", argus.per_second / other.per_second),
        goal,
    }
}
