//! Profiles and their enrichment.

use super::common::{Identifier, SecrecyLevel, Timestamp, WholeNumber, trace_id};
use super::incidents::{Incident, IncidentState};
use super::name::Name;
use super::wire_enum::wire_enum;
use argus_wire::objects;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, NumberValidation, Schema, SchemaObject};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use validator::{Validate, ValidationError};

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

impl EnrichmentSource {
    /// What the source knows something of. Asked about anything else, it is `not_applicable`.
    pub const fn kinds(self) -> &'static [ProfileKind] {
        match self {
            Self::Osint | Self::Finance => &[ProfileKind::Wallet, ProfileKind::Entity],
            Self::Dispatch | Self::Epcr => &[ProfileKind::Incident],
            Self::Telemetry => &[ProfileKind::Device],
        }
    }
}

wire_enum! {
    /// How asking a source ended.
    pub enum SourceStatus {
        /// It answered; what it found, if anything, is among the findings.
        Answered = "answered",
        /// This installation has no connector to it. Nothing is made up in its place.
        NotConfigured = "not_configured",
        /// It knows nothing of profiles of this kind, and was not asked.
        NotApplicable = "not_applicable",
        /// It could not be reached, did not answer in time, or its answer could not be used. Ask again later;
        /// what it found earlier stays known.
        Unavailable = "unavailable",
        /// It did not take the question, for example because this installation's credential has ended. Asking
        /// again does not help before an operator has seen to it.
        Refused = "refused",
    }
}

/// How asking one source ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceOutcome {
    /// The source.
    pub source: EnrichmentSource,
    /// How it ended.
    pub status: SourceStatus,
    /// Why, in English; `null` where the source answered. The text may change; do not parse it.
    pub message: Option<String>,
}

impl SourceOutcome {
    /// The source answered.
    pub const fn answered(source: EnrichmentSource) -> Self {
        Self { source, status: SourceStatus::Answered, message: None }
    }

    /// The source knows nothing of such profiles.
    pub fn not_applicable(source: EnrichmentSource, kind: ProfileKind) -> Self {
        let message = format!("{source} knows nothing of a profile whose kind is {kind}");
        Self { source, status: SourceStatus::NotApplicable, message: Some(message) }
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

impl RiskLevel {
    /// The level of a score: `medium` from 25 on, `high` from 50, `critical` from 80.
    pub const fn of_score(score: u8) -> Self {
        match score {
            0..25 => Self::Low,
            25..50 => Self::Medium,
            50..80 => Self::High,
            80.. => Self::Critical,
        }
    }

    /// The score that a finding of this severity makes the least of a profile's.
    pub const fn least_score(self) -> u8 {
        match self {
            Self::Low => 5,
            Self::Medium => 35,
            Self::High => 65,
            Self::Critical => 90,
        }
    }
}

/// Overall risk of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// 0 (none) to 100 (certain).
    #[schemars(range(min = 0, max = 100))]
    pub score: u8,
    /// The score as a level: `medium` from 25 on, `high` from 50, `critical` from 80.
    pub level: RiskLevel,
}

impl From<u8> for Risk {
    fn from(score: u8) -> Self {
        let score = score.min(RISK_SCORE_MAX);
        Self { score, level: RiskLevel::of_score(score) }
    }
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
#[validate(schema(function = "incidents_alone_have_a_state"))]
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
    /// State of the incident, for a profile of the kind `incident` and no other. An import without it leaves the
    /// state as it was known; one that makes the profile another kind ends it. A state that is new or differs from the known one is told as `incident.updated`, or as
    /// `incident.closed` when the incident becomes closed. In CSV its members are the columns `incident_status`,
    /// `incident_severity` and `incident_summary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentState>,
}

fn incidents_alone_have_a_state(record: &ProfileRecord) -> Result<(), ValidationError> {
    if record.incident.is_some() && record.kind != ProfileKind::Incident {
        let error = ValidationError::new("incident");
        return Err(error.with_message("goes with the kind `incident` alone".into()));
    }
    Ok(())
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

impl Finding {
    /// Puts the most severe first, and the others in an order that does not depend on how they came.
    pub fn sort(findings: &mut [Self]) {
        let key = |finding: &Self| (Reverse(finding.severity), finding.code.clone(), finding.source);
        findings
            .sort_by(|left, right| key(left).cmp(&key(right)).then_with(|| left.summary.cmp(&right.summary)));
    }

    /// The codes of findings in their order, each once.
    pub fn codes(findings: &[Self]) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        for finding in findings {
            if !codes.contains(&finding.code) {
                codes.push(finding.code.clone());
            }
        }
        codes
    }
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
    /// State of the incident; `null` for a profile of another kind, and where nobody has said it yet.
    pub incident: Option<Incident>,
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
    /// Overall risk after this enrichment, with all that is known of the profile.
    pub risk: Risk,
    /// Sources that were chosen.
    pub sources: Vec<EnrichmentSource>,
    /// How asking each of them ended, in the same order.
    pub outcomes: Vec<SourceOutcome>,
    /// What those that answered found, most severe first.
    pub findings: Vec<Finding>,
    /// When the enrichment was done.
    pub enriched_at: Timestamp,
    /// Trace of the request, 32 hexadecimal digits.
    #[schemars(schema_with = "trace_id")]
    pub trace_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_makes_the_risk_at_least_as_high_as_it_is_severe() {
        for level in RiskLevel::ALL {
            assert_eq!(RiskLevel::of_score(level.least_score()), level);
        }
        let levels = [0, 24, 25, 49, 50, 79, 80, 100].map(|score| Risk::from(score).level);
        use RiskLevel::{Critical, High, Low, Medium};
        assert_eq!(levels, [Low, Low, Medium, Medium, High, High, Critical, Critical]);
        assert_eq!(Risk::from(u8::MAX).score, RISK_SCORE_MAX);
    }

    #[test]
    fn every_kind_of_profile_has_a_source() {
        for kind in ProfileKind::ALL {
            assert!(EnrichmentSource::ALL.iter().any(|source| source.kinds().contains(&kind)), "{kind}");
        }
    }
}
