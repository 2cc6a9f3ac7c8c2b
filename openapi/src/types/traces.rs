//! Recorded traces.

use super::common::{decimal, span_id, trace_id};
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Path of a trace.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TracePath {
    /// W3C trace id: 32 lower-case hexadecimal digits, not all zero.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: super::common::Identifier,
}

/// The tenant's spans of one trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// W3C trace id, 32 hexadecimal digits.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: String,
    /// Tenant that the spans belong to.
    pub tenant_id: String,
    /// The spans, parents before children.
    pub spans: Vec<Span>,
    /// Whether every span has arrived.
    pub ingestion: Ingestion,
}

/// One span of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// W3C span id, 16 hexadecimal digits.
    #[schemars(schema_with = "span_id")]
    pub span_id: String,
    /// Span id of the parent; `null` for the root.
    pub parent_span_id: Option<String>,
    /// Name of the operation.
    pub name: String,
    /// Start, in nanoseconds since 1970-01-01T00:00:00Z, as decimal digits: more of them than a number of
    /// JavaScript can hold.
    #[serde(with = "decimal")]
    #[schemars(schema_with = "decimal::schema")]
    pub start_unix_nano: u64,
    /// Duration in nanoseconds.
    pub duration_ns: u64,
    /// Outcome.
    pub status_code: SpanStatus,
    /// Attributes of the span.
    pub attributes: BTreeMap<String, String>,
}

wire_enum! {
    /// Outcome of a span, as OpenTelemetry has it.
    pub enum SpanStatus {
        /// Not set.
        Unset = "UNSET",
        /// Completed.
        Ok = "OK",
        /// Failed.
        Error = "ERROR",
    }
}

wire_enum! {
    /// Whether every span of a trace has arrived.
    pub enum Ingestion {
        /// All spans are there.
        Complete = "complete",
        /// More spans may follow.
        Partial = "partial",
    }
}

/// The trace backend is out of reach for now; the trace was still recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceUnavailable {
    /// Stable, machine-readable reason.
    pub error_code: super::error::ErrorCode,
    /// What to do, in English.
    pub message: String,
    /// Always `use_your_backend`: the spans are in the caller's own backend, too.
    pub query_hint: String,
}
