//! What a job of each kind takes. That a payload belongs to its kind is said in [`super::create`].

use crate::types::common::{Identifier, Moment};
use crate::types::profiles::{EnrichmentSource, ProfileKind, ProfileRecord, RiskScore};
use crate::types::uploads::UploadRef;
use crate::types::wire_enum::wire_enum;
use argus_wire::objects;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

wire_enum! {
    /// How profiles are written in a file.
    pub enum ExportFormat {
        /// One JSON object a line, in UTF-8, each a `ProfileRecord`.
        Ndjson = "ndjson",
        /// Comma-separated values (RFC 4180) with a header line, in UTF-8.
        Csv = "csv",
    }
}

wire_enum! {
    /// How a file is compressed.
    pub enum Compression {
        /// With gzip (RFC 1952).
        Gzip = "gzip",
    }
}

wire_enum! {
    /// What is computed over the relations of profiles.
    pub enum GraphAlgorithm {
        /// Which profiles hang together, whatever the direction of their relations.
        Components = "components",
        /// How central each profile is (PageRank).
        Pagerank = "pagerank",
        /// How many relations lead to each profile and away from it.
        Degree = "degree",
    }
}

/// Which profiles to enrich. The result is NDJSON with a line for each, in their order: a `ProfileEnrichment`, or
/// `profile_id` and an `error` with `code` and `message` for a profile that does not exist for the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct EnrichPayload {
    /// Identifiers of the profiles, 1 to 10,000.
    #[validate(length(min = 1, max = 10_000))]
    pub profile_ids: Vec<Identifier>,
    /// Sources to ask about each, at most 5; every source when empty or absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 5))]
    pub sources: Vec<EnrichmentSource>,
}

/// Which profiles to export, and how. Profiles above the job's own secrecy stay out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ExportPayload {
    /// Only profiles of these kinds, at most 4; of every kind when empty or absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 4))]
    pub profile_kinds: Vec<ProfileKind>,
    /// Only profiles with at least this risk, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_risk_score: Option<RiskScore>,
    /// Only profiles that changed after this moment: RFC 3339 with `Z` or an offset, in a year from 1000
    /// to 2999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<Moment>,
    /// How the profiles are written; `ndjson` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
    /// How the result is compressed; not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
}

/// Profiles to import: in the request, from an upload, or both. A job that names neither imports nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ImportPayload {
    /// The profiles themselves, 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 1_000), nested)]
    pub profiles: Option<Vec<ProfileRecord>>,
    /// The `upload_ref` of an upload whose bytes were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_ref: Option<UploadRef>,
    /// How profiles are written in the upload; `ndjson` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
}

/// Between which profiles to look for the shortest path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct GraphPath {
    /// Identifier of the profile where it begins.
    pub from: Identifier,
    /// Identifier of the profile where it ends.
    pub to: Identifier,
}

/// What to compute over the relations of profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct GraphPayload {
    /// What to compute for each profile, at most 3; everything when empty or absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 3))]
    pub algorithms: Vec<GraphAlgorithm>,
    /// Shortest paths to find, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 100))]
    pub shortest_paths: Vec<GraphPath>,
    /// Only these profiles and the relations between them, at most 10,000; all of the tenant's when empty
    /// or absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 10_000))]
    pub profile_ids: Vec<Identifier>,
}

objects!(EnrichPayload, ExportPayload, ImportPayload, GraphPath, GraphPayload);
