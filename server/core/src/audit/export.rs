//! Exports: chains as lines that somebody else can check, with nothing of ours. The README says how.

use super::chain::{self, Chain, Mark};
use super::record::{self, MEMBERS, Record};
use super::verify::Selection;
use crate::error::Error;
use crate::store::Database;
use argus_wire::canonical;
use chrono::NaiveDateTime;
use serde_json::{Map, Value};
use std::io::{self, Write};

/// How many entries are in memory at a time.
const PAGE: i64 = 1_000;

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object a line: of each chain its checkpoint, its entries and its head.
    Ndjson,
    /// The entries alone, with a line of names before them.
    Csv,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store did not give the entries.
    #[error(transparent)]
    Store(#[from] Error),
    /// They could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// What is exported.
#[derive(Clone, Debug)]
pub struct Export {
    /// Which chains.
    pub selection: Selection,
    /// Only entries from this moment on.
    pub from: Option<NaiveDateTime>,
    /// Only entries before this moment.
    pub to: Option<NaiveDateTime>,
    /// How.
    pub format: Format,
}

impl Export {
    /// Writes the linked entries, chain by chain, each in its order; says how many. What is not linked yet is in the next
    /// export.
    pub async fn write(&self, database: &Database, out: &mut impl Write) -> Result<u64, ExportError> {
        if self.format == Format::Csv {
            line_of(out, MEMBERS.into_iter())?;
        }
        let chains = database.read_every_tenant(|connection| Ok::<_, Error>(chain::all(connection)?)).await?;
        let mut written = 0;
        for chain in chains.into_iter().filter(|chain| self.selection.has(chain)) {
            written += self.write_chain(database, &chain, out).await?;
        }
        Ok(written)
    }

    async fn write_chain(
        &self,
        database: &Database,
        chain: &Chain,
        out: &mut impl Write,
    ) -> Result<u64, ExportError> {
        let marked = |mark| {
            let chain = chain.clone();
            database
                .read_every_tenant(move |connection| Ok::<_, Error>(chain::find(connection, mark, &chain)?))
        };
        let Some(head) = marked(Mark::Head).await? else { return Ok(0) };
        let is_whole = self.format == Format::Ndjson;
        if let Some(checkpoint) = marked(Mark::Checkpoint).await?.filter(|_| is_whole) {
            object_line(out, &checkpoint.to_object(Mark::Checkpoint))?;
        }
        let (mut behind, mut written) = (0, 0);
        while behind < head.sequence {
            let of = chain.clone();
            let page = move |connection: &mut _| Ok::<_, Error>(record::page(connection, &of, behind, PAGE)?);
            let page = database.read_every_tenant(page).await?;
            let Some(last) = page.last().map(Record::sequence) else { break };
            behind = last;
            for record in page.iter().filter(|record| record.sequence() <= head.sequence && self.has(record))
            {
                written += 1;
                match self.format {
                    Format::Ndjson => object_line(out, &record.to_object())?,
                    Format::Csv => csv_line(out, &record.to_object())?,
                }
            }
        }
        if is_whole {
            object_line(out, &head.to_object(Mark::Head))?;
        }
        Ok(written)
    }

    fn has(&self, record: &Record) -> bool {
        self.from.is_none_or(|from| record.occurred_at >= from)
            && self.to.is_none_or(|to| record.occurred_at < to)
    }
}

fn object_line(out: &mut impl Write, object: &Map<String, Value>) -> io::Result<()> {
    let mut line = Vec::new();
    canonical::write_object(&mut line, object);
    line.push(b'\n');
    out.write_all(&line)
}

fn csv_line(out: &mut impl Write, object: &Map<String, Value>) -> io::Result<()> {
    let text = |name: &str| match object.get(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    line_of(out, MEMBERS.into_iter().map(text))
}

/// A line of RFC 4180.
fn line_of(out: &mut impl Write, fields: impl Iterator<Item = impl AsRef<str>>) -> io::Result<()> {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        let field = field.as_ref();
        if field.contains(['"', ',', '\r', '\n']) {
            write!(out, "\"{}\"", field.replace('"', "\"\""))?;
        } else {
            out.write_all(field.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}
