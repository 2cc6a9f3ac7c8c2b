//! What deliveries take: how many a second a receiver is sent, beside a plain loop that sends the same; how soon an
//! event reaches it; and what a long history costs those who look at it.

mod history;
mod latency;
mod plain;
mod scene;
mod throughput;

use crate::measure::{Plan, load_generator};
use crate::place::{Engine, Lines, Place};
use std::error::Error;

/// The lines of the table that are about deliveries on an engine.
pub fn lines(plan: &Plan, engine: &Engine, lines: &mut Lines) -> Result<(), Box<dyn Error>> {
    let node = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    lines.add(node.block_on(throughput::lines(plan, &Place::new(engine)?))?);
    lines.add(node.block_on(latency::lines(&Place::new(engine)?))?);
    let place = Place::new(engine)?;
    lines.add(load_generator()?.block_on(history::lines(plan, &place.database, place.data()))?);
    Ok(())
}
