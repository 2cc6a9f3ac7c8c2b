//! Profiles as comma-separated values (RFC 4180) that no spreadsheet runs as formulas. A text cell that begins with one of
//! the signs of a formula, or with an apostrophe, gets an apostrophe before it, and an import takes one away;
//! numbers stay numbers.

use crate::types::profiles::ProfileRecord;

/// The columns, in order.
pub const COLUMNS: [&str; 9] = [
    "id",
    "kind",
    "display_name",
    "secrecy_level",
    "risk_score",
    "relations",
    "incident_status",
    "incident_severity",
    "incident_summary",
];

/// What the columns begin with that are members of `incident`.
pub const OF_INCIDENT: &str = "incident_";

/// What a formula may begin with in a spreadsheet, and what keeps it from being one.
const GUARDED: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// Writes the row that names the columns.
pub fn write_header(out: &mut Vec<u8>) {
    out.extend_from_slice(COLUMNS.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes a profile.
pub fn write(out: &mut Vec<u8>, record: &ProfileRecord) {
    let relations = match record.relations.as_slice() {
        [] => String::new(),
        some => serde_json::to_string(some).unwrap_or_default(),
    };
    let incident = record.incident.as_ref();
    let summary = incident.and_then(|state| state.summary.as_ref());
    let cells = [
        guarded(record.id.as_str()),
        record.kind.as_str().to_owned(),
        guarded(record.display_name.as_str()),
        record.secrecy_level.map(|level| level.as_str().to_owned()).unwrap_or_default(),
        record.risk_score.map(|score| score.get().to_string()).unwrap_or_default(),
        relations,
        incident.map(|state| guarded(state.status.as_str())).unwrap_or_default(),
        incident.map(|state| state.severity.as_str().to_owned()).unwrap_or_default(),
        summary.map(|summary| guarded(summary.as_str())).unwrap_or_default(),
    ];
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        quoted(out, cell);
    }
    out.extend_from_slice(b"\r\n");
}

fn guarded(text: &str) -> String {
    if text.starts_with(GUARDED) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell that [`write`] has guarded.
pub fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(GUARDED) => text,
        _ => cell,
    }
}

fn quoted(out: &mut Vec<u8>, cell: &str) {
    if !cell.contains(['"', ',', '\r', '\n']) {
        return out.extend_from_slice(cell.as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_formula_is_harmless_and_reads_back_as_it_was() {
        for text in ["=1+1", "+1", "-4.0", "@a", "\tx", "\rx", "'quoted'", "''", "'=", "plain", "a=b", ""] {
            let cell = guarded(text);
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert_eq!(plain(&cell), text);
        }
        assert_eq!(plain("'plain"), "'plain", "an apostrophe that guards nothing is the text's own");
    }

    #[test]
    fn a_cell_with_a_quote_or_a_separator_is_quoted() {
        let mut out = Vec::new();
        for cell in ["a", "a,b", "say \"a\"", "two\nlines"] {
            quoted(&mut out, cell);
            out.push(b'|');
        }
        assert_eq!(String::from_utf8_lossy(&out), "a|\"a,b\"|\"say \"\"a\"\"\"|\"two\nlines\"|");
    }
}
