//! What jobs take on the live host, on both engines.

mod claims;
mod database;
mod enqueue;
mod reads;
mod statements;
pub mod work;

use crate::measure::{Plan, load_generator};
use crate::report::Line;
use database::BenchDatabase;
use std::error::Error;
use std::path::Path;
use tempfile::TempDir;

/// The lines of the table that are about jobs. Without a PostgreSQL server, those of SQLite.
pub fn lines(plan: &Plan) -> Result<Vec<Line>, Box<dyn Error>> {
    statements::begin();
    let mut lines = on_engine(plan, &Engine::Sqlite)?;
    match &plan.postgres {
        Some(url) => lines.extend(on_engine(plan, &Engine::Postgres(url.clone()))?),
        None => eprintln!("bench: without --postgres URL, jobs are measured on SQLite alone"),
    }
    Ok(lines)
}

fn on_engine(plan: &Plan, engine: &Engine) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut lines = Lines::default();
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
    Ok(lines.0)
}

/// What was measured so far.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    /// Told at once, because the next measurement may take long or fail.
    fn add(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            eprintln!("bench: {}: {}, {}: {}", line.what, line.measured, line.compared, line.ratio);
            self.0.push(line);
        }
    }
}

#[derive(Clone)]
enum Engine {
    Sqlite,
    Postgres(String),
}

/// A new database, and a directory beside it. Both end with this value.
struct Place {
    database: BenchDatabase,
    directory: TempDir,
}

impl Place {
    fn new(engine: &Engine) -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let database = match engine {
            Engine::Sqlite => BenchDatabase::sqlite(directory.path()),
            Engine::Postgres(url) => BenchDatabase::postgres(url)?,
        };
        Ok(Self { database, directory })
    }

    fn data(&self) -> &Path {
        self.directory.path()
    }
}
