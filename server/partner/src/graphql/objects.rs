//! What the objects of the schema say. They are made in `schema` of what `data` has loaded; what a profile, job or
//! subscription means is decided in the modules of those.

use super::data::NotLoaded;
use super::schema::{bounded, data};
use crate::profiles::Details;
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::profiles::{EnrichmentSource, Finding as Found, RiskLevel};
use argus_openapi::types::{jobs, profiles, webhooks};
use async_graphql::{Context, ID, Object, SimpleObject, scalar};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The finding that a sanctions list names a profile.
const SANCTIONS_MATCH: &str = "sanctions_match";

/// A moment, as the rest of the contract writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DateTime(Timestamp);

scalar!(DateTime, "DateTime", "A moment, RFC 3339 in UTC.");

/// A profile.
pub(super) struct Profile(pub(super) Arc<Details>);

#[Object]
impl Profile {
    /// Its identifier.
    pub(super) async fn id(&self) -> ID {
        ID(self.0.profile.id.clone())
    }

    /// What it is about: `wallet`, `entity`, `incident` or `device`.
    async fn kind(&self) -> &'static str {
        self.0.profile.kind.as_str()
    }

    /// Name for people.
    async fn display_name(&self) -> &str {
        &self.0.profile.display_name
    }

    /// Its secrecy.
    async fn secrecy_level(&self) -> &'static str {
        self.0.profile.secrecy_level.as_str()
    }

    /// Overall risk.
    async fn risk(&self) -> Risk {
        let profiles::Risk { score, level } = &self.0.profile.risk;
        Risk { score: *score, level: level.as_str() }
    }

    /// Codes of the known findings, most severe first.
    async fn finding_codes(&self) -> &[String] {
        &self.0.profile.finding_codes
    }

    /// The entries of sanctions lists that name it; of these lists, where any is named.
    async fn sanctions_matches(&self, lists: Option<Vec<String>>) -> Vec<SanctionsMatch> {
        let found = self.0.findings.iter().filter(|finding| finding.code == SANCTIONS_MATCH);
        let matches = found.map(SanctionsMatch::from);
        let is_wanted = |found: &SanctionsMatch| match (&lists, &found.list) {
            (None, _) => true,
            (Some(lists), Some(list)) => lists.contains(list),
            (Some(_), None) => false,
        };
        matches.filter(is_wanted).collect()
    }

    /// What other profiles are to it, at most 100.
    async fn relations(&self, context: &Context<'_>, first: i32) -> Result<Vec<ProfileRelation>, NotLoaded> {
        let data = data(context)?;
        let wanted = usize::try_from(bounded(first)).unwrap_or(usize::MAX);
        let relations = self.0.relations.iter().take(wanted);
        let load = async |relation: &profiles::ProfileRelation| {
            let profile = data.profile(relation.to.as_str()).await?.map(Profile);
            Ok(ProfileRelation { label: relation.label.to_string(), profile })
        };
        try_join_all(relations.map(load)).await
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.profile.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.profile.updated_at)
    }
}

/// What another profile is to one.
#[derive(SimpleObject)]
struct ProfileRelation {
    /// What it is, for example `owner`.
    label: String,
    /// The other profile; `null` where there is none that the caller may see.
    profile: Option<Profile>,
}

/// Overall risk of a profile.
#[derive(SimpleObject)]
struct Risk {
    /// 0 (none) to 100 (certain).
    score: u8,
    /// The score as a level.
    level: &'static str,
}

/// An entry of a sanctions list that names a profile, as the source has told it.
#[derive(SimpleObject)]
struct SanctionsMatch {
    /// The list.
    list: Option<String>,
    /// The entry.
    entry: Option<String>,
    /// The name that was found.
    matched_name: Option<String>,
    /// How well it fits, 0 to 1.
    match_score: Option<f64>,
    /// When it was found.
    observed_at: DateTime,
}

impl From<&Found> for SanctionsMatch {
    fn from(found: &Found) -> Self {
        // What a source says of its findings is its own choice.
        let text = |name: &str| match found.evidence.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        Self {
            list: text("list"),
            entry: text("entry"),
            matched_name: text("matched_name"),
            match_score: found.evidence.get("match_score").and_then(Value::as_f64),
            observed_at: DateTime(found.observed_at),
        }
    }
}

/// An incident.
pub(super) struct Incident(pub(super) Arc<Details>);

#[Object]
impl Incident {
    /// Its identifier.
    pub(super) async fn id(&self) -> ID {
        ID(self.0.profile.id.clone())
    }

    /// What people call it.
    async fn title(&self) -> &str {
        &self.0.profile.display_name
    }

    /// State in the words of the dispatch system; `null` where nobody has said it yet.
    async fn status(&self) -> Option<&str> {
        self.0.profile.incident.as_ref().map(|incident| &*incident.status)
    }

    /// How bad it is; `null` where nobody has said it yet.
    async fn severity(&self) -> Option<&'static str> {
        self.0.profile.incident.as_ref().map(|incident| incident.severity.as_str())
    }

    /// What happened last; `null` where nobody has said it.
    async fn summary(&self) -> Option<&str> {
        self.0.profile.incident.as_ref().and_then(|incident| incident.summary.as_deref())
    }

    /// What the sources have found so far, oldest first: all of it, or so many entries.
    async fn timeline(&self, first: Option<i32>) -> IncidentTimeline {
        let mut found: Vec<&Found> = self.0.findings.iter().collect();
        found.sort_by_key(|found| *found.observed_at);
        let wanted = first.map_or(usize::MAX, |first| usize::try_from(first).unwrap_or(0));
        let total_count = found.len();
        IncidentTimeline {
            total_count,
            entries: found.into_iter().take(wanted).map(IncidentEntry::from).collect(),
        }
    }
}

/// What happened in an incident.
#[derive(SimpleObject)]
struct IncidentTimeline {
    /// How many entries there are.
    total_count: usize,
    /// The entries.
    entries: Vec<IncidentEntry>,
}

/// One thing that happened in an incident.
#[derive(SimpleObject)]
struct IncidentEntry {
    /// When.
    at: DateTime,
    /// Who says so.
    source: &'static str,
    /// How bad it is.
    severity: &'static str,
    /// One sentence for people.
    summary: String,
}

impl From<&Found> for IncidentEntry {
    fn from(found: &Found) -> Self {
        let (source, severity) = (EnrichmentSource::as_str(found.source), RiskLevel::as_str(found.severity));
        Self { at: DateTime(found.observed_at), source, severity, summary: found.summary.clone() }
    }
}

/// A connected medical device.
pub(super) struct Device(pub(super) Arc<Details>);

#[Object]
impl Device {
    /// Its identifier.
    pub(super) async fn id(&self) -> ID {
        ID(self.0.profile.id.clone())
    }

    /// Name for people.
    async fn display_name(&self) -> &str {
        &self.0.profile.display_name
    }

    /// What its telemetry gives rise to, most severe first.
    async fn findings(&self) -> Vec<Finding> {
        self.0.findings.iter().map(Finding::from).collect()
    }
}

/// One fact that a source has found.
#[derive(SimpleObject)]
struct Finding {
    /// Stable, machine-readable kind of finding.
    code: String,
    /// How bad it is.
    severity: &'static str,
    /// One sentence for people.
    summary: String,
    /// When it was observed.
    observed_at: DateTime,
}

impl From<&Found> for Finding {
    fn from(found: &Found) -> Self {
        let (code, severity, summary) = (found.code.clone(), found.severity.as_str(), found.summary.clone());
        Self { code, severity, summary, observed_at: DateTime(found.observed_at) }
    }
}

/// A job.
pub(super) struct Job(pub(super) Arc<jobs::Job>);

#[Object]
impl Job {
    /// Its identifier.
    pub(super) async fn id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// What it does.
    async fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }

    /// Its state.
    async fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// How much of the work is done, in percent.
    async fn progress_pct(&self) -> u8 {
        self.0.progress_pct
    }

    /// Why it failed, if it did.
    async fn error(&self) -> Option<JobError> {
        let error = self.0.error.as_ref()?;
        Some(JobError { code: error.code.clone(), message: error.message.clone() })
    }

    /// When it was accepted.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// When it ended; `null` before.
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(DateTime)
    }

    /// The trace in which it was accepted.
    async fn trace_id(&self) -> &str {
        &self.0.trace_id
    }
}

/// Why a job failed.
#[derive(SimpleObject)]
struct JobError {
    /// Stable, machine-readable reason.
    code: String,
    /// The reason for people.
    message: String,
}

/// A subscription to events.
pub(super) struct Webhook(pub(super) Arc<webhooks::Webhook>);

#[Object]
impl Webhook {
    /// Its identifier.
    pub(super) async fn id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// Where its deliveries go.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// What is told.
    async fn events(&self) -> Vec<&'static str> {
        self.0.events.iter().map(|event| event.as_str()).collect()
    }

    /// Whether its events are delivered.
    async fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
}
