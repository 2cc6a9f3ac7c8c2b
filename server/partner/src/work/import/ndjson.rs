//! Rows that are JSON objects, one a line.

use super::source::{Over, ROW_MAX, Row};
use argus_openapi::read::{self, MediaType};
use argus_openapi::types::profiles::ProfileRecord;
use std::io::BufRead;

/// Reads each line that is not empty.
pub(super) fn read(
    mut content: impl BufRead,
    take: &mut dyn FnMut(Row) -> Result<(), Over>,
) -> Result<(), Over> {
    let (mut line, mut number) = (Vec::new(), 1);
    loop {
        let buffer = content.fill_buf().map_err(|error| Over::Read(number, error))?;
        if buffer.is_empty() {
            return if line.is_empty() { Ok(()) } else { row(&line, number).map_or(Ok(()), take) };
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        if line.len() + piece.len() > ROW_MAX {
            return Err(Over::RowTooLong(number));
        }
        line.extend_from_slice(piece);
        let used = piece.len() + usize::from(end.is_some());
        content.consume(used);
        if end.is_some() {
            row(&line, number).map_or(Ok(()), &mut *take)?;
            line.clear();
            number += 1;
        }
    }
}

fn row(line: &[u8], number: u64) -> Option<Row> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return None;
    }
    let record = MediaType::Json.parse::<ProfileRecord>(line).and_then(read::within_bounds);
    Some(Row { line: number, content: record.map(Box::new).map_err(|error| error.message) })
}
