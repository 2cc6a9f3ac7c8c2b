//! What the approved GraphQL documents return. Each shape has the members of its document;
//! `tests/suite/graphql.rs` holds the replies against the documents.

use crate::partner::fixture::{FixtureView, IncidentEntry};
use crate::partner::subject::Subject;
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::profiles::{ProfileKind, Risk, RiskLevel};
use argus_wire::graphql::TYPE_NAME;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The data of one document from its variables, which were checked before. Every object says its type; a
/// reply has what the query selects.
pub(crate) type Resolver = fn(&FixtureView<'_>, &Map<String, Value>) -> Value;

/// A value that says its type.
#[derive(Serialize)]
struct Typed<T> {
    #[serde(rename = "__typename")]
    type_name: &'static str,
    #[serde(flatten)]
    value: T,
}

fn typed<T: Serialize>(type_name: &'static str, value: T) -> Typed<T> {
    Typed { type_name, value }
}

/// The root with its single member.
fn data<T: Serialize>(member: &'static str, value: T) -> Value {
    // Contract types become values without fail.
    let value = serde_json::to_value(value).unwrap_or_default();
    json!({ TYPE_NAME: "Query", member: value })
}

/// The `id` variable. A GraphQL `ID` may be given as a number.
fn id_of(variables: &Map<String, Value>) -> String {
    match variables.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileRisk<'a> {
    id: &'a str,
    kind: ProfileKind,
    display_name: String,
    risk: Typed<Risk>,
    finding_codes: Vec<String>,
}

pub(crate) fn profile_risk(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Value {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, None);
    data(
        "profile",
        typed(
            "Profile",
            ProfileRisk {
                id: &id,
                kind: subject.primary.profile.kind,
                display_name: subject.display_name(),
                risk: typed("Risk", subject.risk()),
                finding_codes: subject.finding_codes(),
            },
        ),
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sanctions<'a> {
    id: &'a str,
    display_name: String,
    sanctions_matches: Vec<Typed<SanctionsMatch>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SanctionsMatch {
    list: Value,
    entry: Value,
    matched_name: Value,
    match_score: Value,
    observed_at: Timestamp,
}

pub(crate) fn sanctions_matches(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Value {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, None);
    let wanted = |list: &Value| match variables.get("lists") {
        None | Some(Value::Null) => true,
        Some(Value::Array(lists)) => lists.contains(list),
        Some(single) => single == list,
    };
    let matches =
        subject.findings().into_iter().filter(|finding| finding.code == "sanctions_match").map(|finding| {
            let member = |name: &str| finding.evidence.get(name).cloned().unwrap_or_default();
            SanctionsMatch {
                list: member("list"),
                entry: member("entry"),
                matched_name: member("matched_name"),
                match_score: member("match_score"),
                observed_at: finding.observed_at,
            }
        });
    let matches = matches.filter(|found| wanted(&found.list));
    let sanctions_matches = matches.map(|found| typed("SanctionsMatch", found)).collect();
    let sanctions = Sanctions { id: &id, display_name: subject.display_name(), sanctions_matches };
    data("profile", typed("Profile", sanctions))
}

#[derive(Serialize)]
struct Incident<'a> {
    id: &'a str,
    title: String,
    status: &'a str,
    severity: RiskLevel,
    timeline: Typed<Timeline<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timeline<'a> {
    total_count: usize,
    entries: Vec<Typed<&'a IncidentEntry>>,
}

pub(crate) fn incident_timeline(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Value {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, Some(ProfileKind::Incident));
    // The document's default stands for an absent variable; `null` asks for all.
    let first = match variables.get("first") {
        None => 10,
        Some(first) => first.as_i64().map_or(usize::MAX, |first| usize::try_from(first).unwrap_or(0)),
    };
    let incident = subject.primary.incident.as_ref().map(|incident| {
        let entries = incident.timeline.iter().take(first).map(|entry| typed("IncidentEntry", entry));
        let timeline = Timeline { total_count: incident.timeline.len(), entries: entries.collect() };
        let incident = Incident {
            id: &id,
            title: subject.values().text(&incident.title),
            status: incident.status.as_str(),
            severity: incident.severity,
            timeline: typed("IncidentTimeline", timeline),
        };
        typed("Incident", incident)
    });
    data("incident", incident)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Device<'a> {
    id: &'a str,
    display_name: String,
    findings: Vec<Typed<DeviceFinding>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceFinding {
    code: String,
    severity: RiskLevel,
    summary: String,
    observed_at: Timestamp,
}

pub(crate) fn device_telemetry(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Value {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, Some(ProfileKind::Device));
    let findings = subject.findings().into_iter().map(|finding| {
        let finding = DeviceFinding {
            code: finding.code,
            severity: finding.severity,
            summary: finding.summary,
            observed_at: finding.observed_at,
        };
        typed("Finding", finding)
    });
    let device = Device { id: &id, display_name: subject.display_name(), findings: findings.collect() };
    data("device", typed("Device", device))
}
