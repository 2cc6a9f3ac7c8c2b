//! What the files hold that jobs make: one type for each document or line, so that every host writes the same
//! shapes. They are read through the URL of a result, which is no operation, and so stand in no descriptor. An
//! export's lines are [`ProfileRecord`](crate::types::profiles::ProfileRecord)s.

use super::{Compression, ExportFormat, ExportPayload};
use serde::Serialize;
use std::collections::BTreeMap;

/// For how many seconds the URL of a result is good.
pub const URL_LIFETIME_SECONDS: u32 = 900;

/// What a result is, as the ending of its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultForm {
    /// One JSON document.
    Json,
    /// A JSON document a line.
    Ndjson,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// `Ndjson`, compressed.
    NdjsonGzip,
    /// `Csv`, compressed.
    CsvGzip,
}

impl ResultForm {
    /// Every form.
    pub const ALL: [Self; 5] = [Self::Json, Self::Ndjson, Self::Csv, Self::NdjsonGzip, Self::CsvGzip];

    /// The ending of a name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::NdjsonGzip => "ndjson.gz",
            Self::CsvGzip => "csv.gz",
        }
    }

    /// The form of an export.
    pub fn of_export(payload: &ExportPayload) -> Self {
        match (payload.format.unwrap_or(ExportFormat::Ndjson), payload.compression) {
            (ExportFormat::Ndjson, None) => Self::Ndjson,
            (ExportFormat::Csv, None) => Self::Csv,
            (ExportFormat::Ndjson, Some(Compression::Gzip)) => Self::NdjsonGzip,
            (ExportFormat::Csv, Some(Compression::Gzip)) => Self::CsvGzip,
        }
    }
}

/// What became of the rows of an import. A file can hold more errors than fit into memory, so that the live host
/// writes this as it goes, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportReport<'a> {
    /// The rows that were refused.
    pub errors: Vec<RefusedRow<'a>>,
    /// How many profiles were imported.
    pub imported: u64,
    /// How many rows were refused.
    pub refused: u64,
}

/// A row that was not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedRow<'a> {
    /// Where it stands, counted from 1.
    pub line: u64,
    /// Why.
    pub message: &'a str,
}

/// What was computed over the relations of profiles. What was not asked for is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GraphComputed {
    /// How many profiles there are.
    pub profiles: usize,
    /// How many relations there are between them.
    pub relations: usize,
    /// Who is connected with whom: the largest group first, each in the order of identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<Vec<String>>>,
    /// How central each profile is; all together are 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagerank: Option<BTreeMap<String, f64>>,
    /// How many relations end and begin at each profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degree: Option<BTreeMap<String, Degree>>,
    /// The paths that were asked for.
    pub shortest_paths: Vec<ShortestPath>,
}

/// How many relations end and begin at a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Degree {
    /// How many end there.
    pub incoming: usize,
    /// How many begin there.
    pub outgoing: usize,
}

/// A shortest path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShortestPath {
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// The profiles along it; none where there is no path.
    pub path: Option<Vec<String>>,
}
