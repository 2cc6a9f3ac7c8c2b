//! Looking at the deliveries of a subscription over HTTP: the first page of a long history beside that of a short one,
//! which is as long, and of none.

use crate::database::BenchDatabase;
use crate::load::Exchange;
use crate::measure::Plan;
use crate::process::{self, Under};
use crate::report::{Line, median};
use crate::requests;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

/// Deliveries in the long history.
const HISTORY: u64 = 100_000;
/// Deliveries that a page has when no limit is said.
const PAGE: u64 = 50;

pub async fn lines(plan: &Plan, database: &BenchDatabase, data: &Path) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut variables = database.migrate(&plan.server, data)?;
    variables.push(("ARGUS_ROLE", "api".to_owned()));
    let (server, ready, _) = process::argus_with(&plan.server, data, Under::Nothing, &variables)?;
    let (authorization, auth) =
        (requests::webhook_authorization(&ready).await?, process::address(&ready.auth)?);
    let mut subscribed = Vec::new();
    for count in [HISTORY, PAGE, 0] {
        let webhook_id = subscribe(auth, &authorization).await?;
        database.fill_deliveries(count, &ready.tenant_id, &webhook_id)?;
        subscribed.push(webhook_id);
    }
    database.analyze()?;
    let page = |webhook_id: &str, limit: u64| {
        let path = format!("/v1/webhooks/{webhook_id}/deliveries?limit={limit}");
        Exchange::new("GET", &path, &[("Authorization", &authorization)], "", 200)
    };
    let [long, short, empty] = &subscribed[..] else { return Err("there are three of them".into()) };
    let pages = [page(long, PAGE), page(short, PAGE), page(long, 1), page(empty, 1)];
    let mut took = [const { Vec::new() }; 4];
    for round in 0..=plan.rounds {
        for (page, took) in pages.iter().zip(&mut took) {
            let per_second = page.throughput(auth, 1, plan.round).await?;
            if round > 0 {
                took.push(1e6 / per_second);
            }
        }
    }
    server.end()?;
    let [whole, whole_of_short, one, none] = took.map(median);
    let engine = database.engine();
    let line = |page: &str, of_long: f64, than: String, other: f64| Line {
        what: format!("first page{page} of {HISTORY} deliveries on {engine}"),
        measured: format!("{of_long:.0} us"),
        compared: format!("{than}: {other:.0} us"),
        ratio: format!("{:.2}", of_long / other),
        goal: "at most 1.30",
    };
    Ok(vec![
        line("", whole, format!("of {PAGE}"), whole_of_short),
        line(", one delivery long,", one, "of none".to_owned(), none),
    ])
}

async fn subscribe(auth: SocketAddr, authorization: &str) -> Result<String, Box<dyn Error>> {
    let headers = [("Authorization", authorization), ("Content-Type", "application/json")];
    let body = r#"{"url":"https://receiver.example/argus","events":["job.succeeded"]}"#;
    let answer = Exchange::new("POST", "/v1/webhooks", &headers, body, 201).once(auth).await?;
    let webhook: serde_json::Value = serde_json::from_slice(&answer)?;
    Ok(webhook["id"].as_str().ok_or("no id")?.to_owned())
}
