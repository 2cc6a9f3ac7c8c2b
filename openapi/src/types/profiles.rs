//! Profiles and their enrichment.

use super::common::{Identifier, SecrecyLevel, Timestamp, WholeNumber, trace_id};
use super::name::Name;
use super::wire_enum::wire_enum;
use argus_wire::objects;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, NumberValidation, Schema, SchemaObject};
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

/// A risk score that a caller names: 0 to 100, however the number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "WholeNumber", into = "u8")]
pub struct RiskScore(u8);

/// The highest risk.
const RISK_SCORE_MAX: u8 = 100;

impl RiskScore {
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<WholeNumber> for RiskScore {
    type Error = &'static str;

    fn try_from(WholeNumber(number): WholeNumber) -> Result<Self, Self::Error> {
        let score = u8::try_from(number).ok().filter(|score| *score <= RISK_SCORE_MAX);
        score.map(Self).ok_or("a risk score is a whole number from 0 to 100")
    }
}

impl From<RiskScore> for u8 {
    fn from(RiskScore(score): RiskScore) -> u8 {
        score
    }
}

impl JsonSchema for RiskScore {
    fn schema_name() -> String {
        "RiskScore".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::Integer.into()),
            format: Some("uint8".to_owned()),
            number: Some(Box::new(NumberValidation {
                minimum: Some(0.0),
                maximum: Some(f64::from(RISK_SCORE_MAX)),
                ..NumberValidation::default()
            })),
            ..SchemaObject::default()
        }
        .into()
    }
}

/// A relation of a profile to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ProfileRelation {
    /// Identifier of the other profile.
    pub to: Identifier,
    /// What the other profile is to this one, for example `owner`, 1 to 128 visible characters.
    pub label: Name,
}

/// A profile as an import takes it and an export gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ProfileRecord {
    /// Identifier of the profile. An import replaces the profile that has it.
    pub id: Identifier,
    /// What the profile is about.
    pub kind: ProfileKind,
    /// Name for people, 1 to 128 visible characters.
    pub display_name: Name,
    /// Secrecy of the profile; the job's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrecy_level: Option<SecrecyLevel>,
    /// Overall risk, 0 (none) to 100 (certain).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_score: Option<RiskScore>,
    /// Relations to other profiles, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 100))]
    pub relations: Vec<ProfileRelation>,
}

objects!(ProfileRelation, ProfileRecord);

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
