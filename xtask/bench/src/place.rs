//! Where things are measured that the database has a part in: an engine, and a new database on it for each measurement.

use crate::database::BenchDatabase;
use crate::measure::Plan;
use crate::report::Line;
use std::error::Error;
use std::path::Path;
use tempfile::TempDir;

/// A database engine.
#[derive(Clone)]
pub enum Engine {
    Sqlite,
    Postgres(String),
}

impl Engine {
    /// SQLite, and PostgreSQL where a server is named.
    pub fn all(plan: &Plan) -> Vec<Self> {
        if plan.postgres.is_none() {
            eprintln!(
                "bench: without --postgres URL, what the database has a part in is measured on SQLite alone"
            );
        }
        std::iter::once(Self::Sqlite).chain(plan.postgres.clone().map(Self::Postgres)).collect()
    }
}

/// A new database, and a directory beside it. Both end with this value.
pub struct Place {
    pub database: BenchDatabase,
    directory: TempDir,
}

impl Place {
    pub fn new(engine: &Engine) -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let database = match engine {
            Engine::Sqlite => BenchDatabase::sqlite(directory.path()),
            Engine::Postgres(url) => BenchDatabase::postgres(url)?,
        };
        Ok(Self { database, directory })
    }

    pub fn data(&self) -> &Path {
        self.directory.path()
    }
}

/// What was measured so far.
#[derive(Default)]
pub struct Lines(pub Vec<Line>);

impl Lines {
    /// Told at once, because the next measurement may take long or fail.
    pub fn add(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            eprintln!("bench: {}: {}, {}: {}", line.what, line.measured, line.compared, line.ratio);
            self.0.push(line);
        }
    }
}
