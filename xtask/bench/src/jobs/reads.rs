//! Reading jobs over HTTP: one of them beside bare hyper that returns the same bytes, and a page far down a long list
//! beside its first.

use crate::database::BenchDatabase;
use crate::load::Exchange;
use crate::measure::{self, Contender, Plan, compare};
use crate::process::{self, Under};
use crate::report::{Line, median};
use crate::requests;
use std::error::Error;
use std::path::Path;

/// The page that is compared with the first.
const PAGE: u32 = 1000;
/// Jobs in the list.
const LISTED: u64 = 1_000_000;

/// An organisation that nobody asks for.
const NOBODY: &str = "org_01J00000000000000000000000";

/// One job beside bare hyper.
pub async fn view(plan: &Plan, database: &BenchDatabase, data: &Path) -> Result<Line, Box<dyn Error>> {
    let mut variables = database.migrate(&plan.server, data)?;
    variables.push(("ARGUS_ROLE", "api".to_owned()));
    let (server, ready, _) = process::argus_with(&plan.server, data, Under::Nothing, &variables)?;
    let (authorization, api) = (requests::live_authorization(&ready).await?, process::address(&ready.api)?);
    let created: serde_json::Value =
        serde_json::from_slice(&requests::new_job(&authorization).once(api).await?)?;
    let id = created["id"].as_str().ok_or("no id")?;
    let exchange = get(&format!("/v1/jobs/{id}"), &authorization);
    let body = data.join("job_view.json");
    std::fs::write(&body, exchange.once(api).await?)?;
    let (hyper, address) = process::baseline("hyper", &body, 200, Under::Nothing)?;
    let contenders = [
        Contender { name: "argus", process: &server, address: api, exchange: &exchange },
        Contender { name: "hyper", process: &hyper, address, exchange: &exchange },
    ];
    let reached = measure::take_turns(plan, &contenders).await?;
    server.end()?;
    let what = format!("job_view on {}", database.engine());
    Ok(compare(&what, &reached[0], &reached[1], if database.is_postgres() { "-" } else { "0.50" }))
}

/// A page far down beside the first one.
pub async fn pages(plan: &Plan, database: &BenchDatabase, data: &Path) -> Result<Line, Box<dyn Error>> {
    let mut variables = database.migrate(&plan.server, data)?;
    variables.push(("ARGUS_ROLE", "api".to_owned()));
    let (server, ready, _) = process::argus_with(&plan.server, data, Under::Nothing, &variables)?;
    let (authorization, api) = (requests::live_authorization(&ready).await?, process::address(&ready.api)?);
    database.fill(1..LISTED + 1, &ready.tenant_id, NOBODY, "graph.compute")?;
    database.analyze()?;
    let first = get("/v1/jobs", &authorization);
    let mut far = get("/v1/jobs", &authorization);
    for _ in 1..PAGE {
        let page: serde_json::Value = serde_json::from_slice(&far.once(api).await?)?;
        let cursor = page["next_cursor"].as_str().ok_or("the list ends too early")?;
        far = get(&format!("/v1/jobs?cursor={cursor}"), &authorization);
    }
    let (mut firsts, mut fars) = (Vec::new(), Vec::new());
    for round in 0..=plan.rounds {
        let pair = (first.throughput(api, 1, plan.round).await?, far.throughput(api, 1, plan.round).await?);
        if round > 0 {
            firsts.push(1e6 / pair.0);
            fars.push(1e6 / pair.1);
        }
    }
    server.end()?;
    let (first, far) = (median(firsts), median(fars));
    Ok(Line {
        what: format!("page {PAGE} of job_list over {LISTED} jobs on {}", database.engine()),
        measured: format!("{far:.0} us"),
        compared: format!("page 1: {first:.0} us"),
        ratio: format!("{:.2}", far / first),
        goal: "at most 1.30",
    })
}

fn get(path: &str, authorization: &str) -> Exchange {
    Exchange::new("GET", path, &[("Authorization", authorization)], "", 200)
}
