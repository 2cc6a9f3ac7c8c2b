//! How many deliveries a second one receiver is sent, with signatures and history, beside a plain loop that sends the
//! same bytes and commits the same rows in batches. They take turns.

use super::plain::PlainLoop;
use super::scene::Scene;
use crate::database::{BenchDatabase, filled_at};
use crate::measure::Plan;
use crate::place::Place;
use crate::process::{self, Under};
use crate::report::{Line, median};
use crate::statements;
use std::error::Error;
use std::time::{Duration, Instant};

/// Jobs whose end is told in a round.
const TOLD: u64 = 10_000;
/// How often it is looked whether all is told.
const LOOK: Duration = Duration::from_millis(50);

pub async fn lines(plan: &Plan, place: &Place) -> Result<Vec<Line>, Box<dyn Error>> {
    let database = &place.database;
    let body = place.data().join("taken.json");
    std::fs::write(&body, "{}")?;
    let (receiver, address) = process::baseline("hyper", &body, 200, Under::Nothing)?;
    let scene = Scene::new(place, address).await?;
    let mut plain = None;
    let (mut engine, mut bare, mut sent) = (Vec::new(), Vec::new(), 0);
    // The first round warms up and does not count.
    for round in 0..=plan.rounds {
        let statements_before = statements::count();
        let told = tell(place, &scene, round as u64).await?;
        sent = statements::count() - statements_before;
        let plain = match &mut plain {
            Some(plain) => plain,
            None => plain.insert(PlainLoop::like_the_last_delivery(database, address)?),
        };
        let looped = plain.send(TOLD).await?;
        if round > 0 {
            engine.push(told);
            bare.push(looped);
        }
    }
    receiver.end()?;
    let (engine, bare) = (median(engine), median(bare));
    Ok(vec![
        Line {
            what: format!("deliveries to one receiver on {}", database.engine()),
            measured: format!("{engine:.0}/s"),
            compared: format!("plain loop: {bare:.0}/s"),
            ratio: format!("{:.2}", engine / bare),
            goal: if database.is_postgres() { "2000/s, 0.50" } else { "-" },
        },
        Line {
            what: format!("statements for each of them on {}", database.engine()),
            measured: format!("{:.2}", sent as f64 / TOLD as f64),
            compared: "-".to_owned(),
            ratio: "-".to_owned(),
            goal: "at most 6",
        },
    ])
}

/// Lets jobs have ended, tells of them, and says how many were told a second.
async fn tell(place: &Place, scene: &Scene, round: u64) -> Result<f64, Box<dyn Error>> {
    let (database, principal) = (&place.database, &scene.caller.principal);
    let begin = round * TOLD;
    database.fill(
        begin..begin + TOLD,
        principal.tenant_id.as_str(),
        principal.organization_id.as_str(),
        "graph.compute",
    )?;
    let now = if database.is_postgres() {
        "(extract(epoch FROM now()) * 1000000)::bigint"
    } else {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
    database.execute(&format!(
        "UPDATE jobs SET status = 'succeeded', completed_at = updated_at WHERE status = 'queued'; \
         INSERT INTO outbox (tenant_id, event, subject, traceparent, occurred_at) \
         SELECT tenant_id, 'job.succeeded', id, traceparent, {now} FROM jobs \
         WHERE created_at >= {}",
        filled_at(begin)
    ))?;
    database.analyze()?;
    let started = Instant::now();
    let couriers = scene.tell();
    // On one connection, and no further than the first that is found: looking must not be what is measured.
    let mut look = database.connect()?;
    let open = "SELECT count(*) AS count FROM (SELECT 1 FROM outbox UNION ALL \
        SELECT 1 FROM deliveries WHERE status = 'queued' LIMIT 1) AS first";
    while BenchDatabase::count_on(&mut look, open)? > 0 {
        tokio::time::sleep(LOOK).await;
    }
    let took = started.elapsed();
    couriers.stop(Duration::from_secs(5)).await;
    let told = database
        .count("SELECT count(*) AS count FROM deliveries WHERE status = 'succeeded' AND attempts = 1")?;
    if told != begin + TOLD {
        return Err(format!("{} jobs ended, and {told} deliveries were taken at once", begin + TOLD).into());
    }
    Ok(TOLD as f64 / took.as_secs_f64())
}
