//! Rows of comma-separated values (RFC 4180), as an export writes them: the first row names the columns.

use super::source::{Over, ROW_MAX, Row};
use argus_openapi::read;
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::jobs::csv::{COLUMNS, OF_INCIDENT, plain};
use argus_openapi::types::profiles::ProfileRecord;
use csv_core::{ReadRecordResult, Reader};
use serde_json::{Map, Value};
use std::io::BufRead;

/// Reads each row behind the first.
pub(super) fn read(
    mut content: impl BufRead,
    take: &mut dyn FnMut(Row) -> Result<(), Over>,
) -> Result<(), Over> {
    let mut reader = Reader::new();
    let (mut bytes, mut ends) = (vec![0; ROW_MAX], [0; COLUMNS.len() + 1]);
    let (mut length, mut fields, mut begins) = (0, 0, 1);
    let mut header: Option<Vec<&'static str>> = None;
    loop {
        let buffer = content.fill_buf().map_err(|error| Over::Read(reader.line(), error))?;
        let (result, read, written, ended) =
            reader.read_record(buffer, &mut bytes[length..], &mut ends[fields..]);
        let ends_with_return = buffer[..read].ends_with(b"\r");
        content.consume(read);
        length += written;
        fields += ended;
        match result {
            ReadRecordResult::InputEmpty => continue,
            ReadRecordResult::OutputFull => return Err(Over::RowTooLong(begins)),
            ReadRecordResult::OutputEndsFull if header.is_none() => {
                return Err(Over::Header(format!(
                    "the first line names more than the columns {}",
                    COLUMNS.join(", ")
                )));
            }
            ReadRecordResult::OutputEndsFull => {
                // The rest of the row is read into nothing.
                fields = ends.len() - 1;
                continue;
            }
            ReadRecordResult::End => return Ok(()),
            ReadRecordResult::Record => {}
        }
        let cells = cells(&bytes[..length], &ends[..fields]);
        match &header {
            None => header = Some(columns(&cells)?),
            Some(header) => take(Row { line: begins, content: row(header, &cells) })?,
        }
        // Of the two characters of an end of line the reader has seen the first one.
        let is_halfway = ends_with_return && next(&mut content, reader.line())? == Some(b'\n');
        (length, fields, begins) = (0, 0, reader.line() + u64::from(is_halfway));
    }
}

/// The byte that is read next.
fn next(content: &mut impl BufRead, line: u64) -> Result<Option<u8>, Over> {
    content.fill_buf().map(|buffer| buffer.first().copied()).map_err(|error| Over::Read(line, error))
}

fn cells<'b>(bytes: &'b [u8], ends: &[usize]) -> Vec<&'b [u8]> {
    let mut begin = 0;
    let cell = |end: &usize| {
        let cell = &bytes[begin..*end];
        begin = *end;
        cell
    };
    ends.iter().map(cell).collect()
}

/// The columns that the first row names.
fn columns(cells: &[&[u8]]) -> Result<Vec<&'static str>, Over> {
    let known = |cell: &&[u8]| COLUMNS.into_iter().find(|column| column.as_bytes() == *cell);
    let columns: Option<Vec<&str>> = cells.iter().map(known).collect();
    let fault = || Over::Header(format!("the first line must name columns out of {}", COLUMNS.join(", ")));
    columns
        .filter(|columns| (1..columns.len()).all(|at| !columns[at..].contains(&columns[at - 1])))
        .ok_or_else(fault)
}

fn row(header: &[&'static str], cells: &[&[u8]]) -> Result<Box<ProfileRecord>, String> {
    if cells.len() != header.len() {
        return Err(format!("the row has {} cells where the first line names {}", cells.len(), header.len()));
    }
    let (mut members, mut of_incident) = (Map::new(), Map::new());
    for (column, cell) in header.iter().zip(cells) {
        let text = std::str::from_utf8(cell).map_err(|_| format!("`{column}` is not UTF-8"))?;
        if let Some(value) = value(column, text)? {
            match column.strip_prefix(OF_INCIDENT) {
                Some(member) => of_incident.insert(member.to_owned(), value),
                None => members.insert((*column).to_owned(), value),
            };
        }
    }
    let mut record: ProfileRecord =
        serde_json::from_value(members.into()).map_err(|error| error.to_string())?;
    record.incident = incident(of_incident)?;
    read::within_bounds(record).map(Box::new).map_err(|error| error.message)
}

/// The state of an incident, if a cell says any of it.
fn incident(members: Map<String, Value>) -> Result<Option<IncidentState>, String> {
    if members.is_empty() {
        return Ok(None);
    }
    serde_json::from_value(members.into())
        .map(Some)
        .map_err(|error| format!("`incident_status`, `incident_severity` and `incident_summary`: {error}"))
}

/// The value of a cell; an empty one has none.
fn value(column: &str, text: &str) -> Result<Option<Value>, String> {
    let json = || serde_json::from_str(text).map(Some).map_err(|error| format!("`{column}`: {error}"));
    match (column, text) {
        (_, "") => Ok(None),
        ("risk_score" | "relations", _) => json(),
        _ => Ok(Some(plain(text).into())),
    }
}
