//! Profiles and their enrichment.

use super::common::{Identifier, SecrecyLevel, Timestamp, trace_id};
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

wire_enum! {
    /// What a profile is about.
    pub enum ProfileKind {
        /// A crypto-asset wallet.
        Wallet = "wallet",
        /// A person or an organisation.
        Entity = "entity",
        /// An incident in progress.
        Incident = "incident",
        /// A connected medical device.
        Device = "device",
    }
}

wire_enum! {
    /// Where a finding comes from.
    #[derive(PartialOrd, Ord)]
    pub enum EnrichmentSource {
        /// Open-source intelligence, sanctions lists among it.
        Osint = "osint",
        /// Chain and payment analytics.
        Finance = "finance",
        /// Dispatch systems.
        Dispatch = "dispatch",
        /// Electronic patient care reports.
        Epcr = "epcr",
        /// Device telemetry.
        Telemetry = "telemetry",
    }
}

wire_enum! {
    /// How bad it is, in rising order.
    #[derive(PartialOrd, Ord)]
    pub enum RiskLevel {
        /// Nothing that needs attention.
        Low = "low",
        /// Worth a look.
        Medium = "medium",
        /// Needs attention.
        High = "high",
        /// Needs attention now.
        Critical = "critical",
    }
}

/// Overall risk of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// 0 (none) to 100 (certain).
    #[schemars(range(min = 0, max = 100))]
    pub score: u8,
    /// The score as a level.
    pub level: RiskLevel,
}

/// One fact that an enrichment found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable, machine-readable kind of finding, for example `sanctions_match`.
    pub code: String,
    /// Where it comes from.
    pub source: EnrichmentSource,
    /// How bad it is.
    pub severity: RiskLevel,
    /// One sentence for people.
    pub summary: String,
    /// When the fact was observed.
    pub observed_at: Timestamp,
    /// Details, whose members depend on `code`.
    pub evidence: serde_json::Map<String, serde_json::Value>,
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Identifier of the profile.
    pub id: String,
    /// What the profile is about.
    pub kind: ProfileKind,
    /// Name for people.
    pub display_name: String,
    /// Secrecy of the profile.
    pub secrecy_level: SecrecyLevel,
    /// Overall risk.
    pub risk: Risk,
    /// Codes of the known findings, most severe first.
    pub finding_codes: Vec<String>,
    /// When the profile was created.
    pub created_at: Timestamp,
    /// When the profile last changed.
    pub updated_at: Timestamp,
}

/// Path of a profile.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePath {
    /// Identifier of the profile.
    pub id: Identifier,
}

/// What to enrich a profile with. Every field is optional, and so is the body.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProfileEnrich {
    /// Sources to ask; every source when empty or absent.
    #[serde(default)]
    #[validate(length(max = 5))]
    pub sources: Vec<EnrichmentSource>,
}

/// What an enrichment found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileEnrichment {
    /// Identifier of the profile.
    pub profile_id: String,
    /// What the profile is about.
    pub kind: ProfileKind,
    /// Overall risk after this enrichment.
    pub risk: Risk,
    /// Sources that were asked.
    pub sources: Vec<EnrichmentSource>,
    /// What they found, most severe first.
    pub findings: Vec<Finding>,
    /// When the enrichment was done.
    pub enriched_at: Timestamp,
    /// Trace of the request, 32 hexadecimal digits.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: String,
}
