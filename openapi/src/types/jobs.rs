//! Asynchronous jobs. What a job of each kind takes lives in [`payloads`], the request for one in [`create`],
//! what the file holds that it makes in [`results`].

mod create;
pub mod csv;
mod payloads;
pub mod results;

pub use create::{JobCreate, JobPayload};
pub use payloads::{
    Compression, EnrichPayload, ExportFormat, ExportPayload, GraphAlgorithm, GraphPath, GraphPayload,
    ImportPayload,
};

use super::common::{Identifier, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Timestamp, trace_id, whole_number};
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

wire_enum! {
    /// What a job does.
    pub enum JobKind {
        /// Enriches many profiles.
        IntelligenceEnrichBulk = "intelligence.enrich.bulk",
        /// Exports records in bulk.
        ExportBulk = "export.bulk",
        /// Imports records in bulk.
        ImportBulk = "import.bulk",
        /// Computes over a graph of records.
        GraphCompute = "graph.compute",
    }
}

wire_enum! {
    /// State of a job. `succeeded`, `failed` and `cancelled` are terminal: none follows another.
    pub enum JobStatus {
        /// Accepted and waiting for a worker.
        Queued = "queued",
        /// A worker is on it.
        Running = "running",
        /// Done; the result can be fetched.
        Succeeded = "succeeded",
        /// Ended with an error.
        Failed = "failed",
        /// Cancelled before it ended.
        Cancelled = "cancelled",
    }
}

/// Headers of a job request.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct JobCreateHeaders {
    /// Key that makes a repeated request safe: for 24 hours per tenant, the same key returns the
    /// first job with status 200. A UUID v4 is recommended.
    #[serde(default, rename = "idempotency-key", skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 255))]
    pub idempotency_key: Option<String>,
}

/// A job that was enqueued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobCreated {
    /// Identifier for status, result and cancellation.
    pub id: String,
    /// What the job does.
    pub kind: JobKind,
    /// State of the job.
    pub status: JobStatus,
    /// When the job was enqueued.
    pub created_at: Timestamp,
    /// Trace of the request that enqueued the job, 32 hexadecimal digits.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: String,
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobError {
    /// Stable, machine-readable reason.
    pub code: String,
    /// What went wrong, in English.
    pub message: String,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Identifier of the job.
    pub id: String,
    /// What the job does.
    pub kind: JobKind,
    /// State of the job.
    pub status: JobStatus,
    /// Share of the work that is done, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub progress_pct: u8,
    /// When the job was enqueued.
    pub created_at: Timestamp,
    /// When the job last changed.
    pub updated_at: Timestamp,
    /// When the job ended; `null` before.
    pub completed_at: Option<Timestamp>,
    /// Why the job failed; `null` unless it did.
    pub error: Option<JobError>,
    /// Trace of the request that enqueued the job, 32 hexadecimal digits.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: String,
}

/// A job as it appears in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobSummary {
    /// Identifier of the job.
    pub id: String,
    /// What the job does.
    pub kind: JobKind,
    /// State of the job.
    pub status: JobStatus,
    /// Share of the work that is done, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub progress_pct: u8,
    /// When the job was enqueued.
    pub created_at: Timestamp,
    /// Trace of the request that enqueued the job, 32 hexadecimal digits.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: String,
}

/// One page of the tenant's jobs, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobList {
    /// The jobs of this page.
    pub jobs: Vec<JobSummary>,
    /// Cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
    /// How many jobs match the filters, on all pages together: exact to 10,000 and beyond that at most a minute old.
    pub total_count: u64,
}

/// Filters and paging of the job list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<JobKind>,
    /// Only jobs in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<JobStatus>,
    /// Most items to return, 1 to 200; 50 when absent.
    #[serde(default, deserialize_with = "whole_number", skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 1, max = "PAGE_LIMIT_MAX"))]
    pub limit: Option<u32>,
    /// The `next_cursor` of the previous page; absent for the first page. Opaque: do not build or
    /// change one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 1024))]
    pub cursor: Option<String>,
}

impl JobQuery {
    /// The asked page size, or the default.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE_LIMIT_DEFAULT)
    }
}

/// Path of a job.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JobPath {
    /// Identifier of the job.
    pub id: Identifier,
}

wire_enum! {
    /// State of a job that has no result yet.
    pub enum JobProgressStatus {
        /// Accepted and waiting for a worker.
        Queued = "queued",
        /// A worker is on it.
        Running = "running",
    }
}

/// Progress of a job that has no result yet. Its `status` tells it from a `JobResult`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobProgress {
    /// State of the job.
    pub status: JobProgressStatus,
    /// Share of the work that is done, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub progress_pct: u8,
}

wire_enum! {
    /// State of a job that has a result.
    pub enum JobResultStatus {
        /// Done; the result can be fetched.
        Succeeded = "succeeded",
    }
}

/// Where the result of a job is. Its `status` tells it from a `JobProgress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    /// Identifier of the job.
    pub id: String,
    /// State of the job.
    pub status: JobResultStatus,
    /// Stable reference of the stored result.
    pub result_ref: String,
    /// Short-lived URL that downloads the result. Treat it as a credential.
    #[schemars(url)]
    pub signed_url: String,
}
