//! Whether the database can be worked with: it answers, has the schema of this version with all its tables,
//! and takes writes.

use super::connection::AnyConnection;
use super::engine;
use super::error::Error;

/// What a database of this version has.
pub(super) struct Expected {
    /// Versions of its migrations.
    pub(super) versions: Vec<String>,
    /// Its tables.
    pub(super) tables: Vec<&'static str>,
}

impl Expected {
    /// Looks for all of it, and says what is not as it should be.
    pub(super) fn check(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let tables = engine::tables(connection)?;
        require("tables", self.tables.iter().copied(), &tables)?;
        let versions = super::migrations::applied(connection).map_err(Error::unavailable)?;
        require("migrations", self.versions.iter().map(String::as_str), &versions)?;
        Ok(engine::write_probe(connection)?)
    }
}

/// Nothing of what is needed may be missing. There may be more: a newer node can have migrated.
fn require<'n>(what: &str, needed: impl Iterator<Item = &'n str>, there: &[String]) -> Result<(), Error> {
    let missing: Vec<&str> = needed.filter(|needed| !there.iter().any(|there| there == needed)).collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(Error::unavailable(format!("the database lacks {what}: {}", missing.join(", ")))),
    }
}
