//! Claiming from a long queue, beside a short one: the two take turns.

use super::work::Node;
use crate::database::BenchDatabase;
use crate::report::{Line, median};
use argus_core::jobs::lease::{self, Ending, Turn};
use std::error::Error;
use std::time::{Duration, Instant};

/// Jobs in the long queue, and in the short one.
const QUEUED: [u64; 2] = [1_000_000, 1_000];
/// Jobs that one claim takes.
const CLAIMED: u32 = 32;
/// Claims that are timed in each queue.
const ROUNDS: usize = 300;

pub async fn line(long: &BenchDatabase, short: &BenchDatabase) -> Result<Line, Box<dyn Error>> {
    let mut nodes = Vec::new();
    for (database, count) in [long, short].into_iter().zip(QUEUED) {
        let node = Node::open(&database.url).await?;
        node.queue(database, count)?;
        database.analyze()?;
        nodes.push(node);
    }
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (node, took) in nodes.iter().zip(&mut took) {
            took.push(claim(node).await?.as_secs_f64() * 1e6);
        }
    }
    let [long_took, short_took] = took.map(median);
    Ok(Line {
        what: format!("a claim of {CLAIMED} with {} jobs queued on {}", QUEUED[0], long.engine()),
        measured: format!("{long_took:.0} us"),
        compared: format!("with {}: {short_took:.0} us", QUEUED[1]),
        ratio: format!("{:.2}", long_took / short_took),
        goal: "at most 1.20",
    })
}

/// How long a claim takes; what it took is given back.
async fn claim(node: &Node) -> Result<Duration, Box<dyn Error>> {
    let every_tenant = &node.database.every_tenant;
    let started = Instant::now();
    let claim = every_tenant
        .run(|connection| lease::claim(connection, CLAIMED, Duration::from_secs(120), &Turn::default()));
    let jobs = claim.await?.jobs;
    let took = started.elapsed();
    if jobs.len() != CLAIMED as usize {
        return Err(format!("{} of {CLAIMED} jobs were claimed", jobs.len()).into());
    }
    let back: Vec<_> = jobs.into_iter().map(|job| (job.lease, Ending::Released)).collect();
    let back = every_tenant.run(move |connection| Ok::<_, argus_core::Error>(lease::end(connection, &back)?));
    back.await?;
    Ok(took)
}
