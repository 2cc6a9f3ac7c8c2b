//! What jobs take on the live host, on both engines.

mod claims;
mod enqueue;
mod reads;
pub mod work;

use crate::measure::{Plan, load_generator};
use crate::place::{Engine, Lines, Place};
use std::error::Error;

/// The lines of the table that are about jobs on an engine.
pub fn lines(plan: &Plan, engine: &Engine, lines: &mut Lines) -> Result<(), Box<dyn Error>> {
    let place = Place::new(engine)?;
    let client = load_generator()?;
    lines.add([client.block_on(enqueue::line(plan, &place.database, place.data()))?]);
    lines.add([client.block_on(reads::view(plan, &place.database, place.data()))?]);
    let place = Place::new(engine)?;
    lines.add([client.block_on(reads::pages(plan, &place.database, place.data()))?]);
    let node = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    lines.add(node.block_on(work::latency(&Place::new(engine)?.database))?);
    lines.add(node.block_on(work::drain(&Place::new(engine)?.database))?);
    let (few, many) = (Place::new(engine)?, Place::new(engine)?);
    lines.add([node.block_on(work::instructions(&few.database, &many.database))?]);
    let (long, short) = (Place::new(engine)?, Place::new(engine)?);
    lines.add([node.block_on(claims::line(&long.database, &short.database))?]);
    Ok(())
}
