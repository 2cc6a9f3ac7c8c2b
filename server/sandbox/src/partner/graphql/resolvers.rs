//! What the approved GraphQL documents return. Each shape follows its document member by member;
//! `tests/suite/graphql.rs` holds the replies against the documents.

use crate::partner::fixture::{FixtureView, IncidentEntry};
use crate::partner::subject::Subject;
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::profiles::{ProfileKind, Risk, RiskLevel};
use serde::Serialize;
use serde_json::{Map, Value};

/// Renders the reply of one document from its variables, which were checked before.
pub(crate) type Resolver = fn(&FixtureView<'_>, &Map<String, Value>) -> Vec<u8>;

/// `data` with its single member. The contract's own type holds a map, whose order depends on how
/// serde_json was built; the order here is that of the document, as GraphQL wants it.
fn data<T: Serialize>(member: &'static str, value: &T) -> Vec<u8> {
    let mut body = format!("{{\"data\":{{\"{member}\":").into_bytes();
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(&mut body, value);
    body.extend_from_slice(b"}}");
    body
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
    risk: Risk,
    finding_codes: Vec<String>,
}

pub(crate) fn profile_risk(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Vec<u8> {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, None);
    data(
        "profile",
        &ProfileRisk {
            id: &id,
            kind: subject.primary.profile.kind,
            display_name: subject.display_name(),
            risk: subject.risk(),
            finding_codes: subject.finding_codes(),
        },
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sanctions<'a> {
    id: &'a str,
    display_name: String,
    sanctions_matches: Vec<SanctionsMatch>,
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

pub(crate) fn sanctions_matches(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Vec<u8> {
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
    let sanctions_matches = matches.filter(|found| wanted(&found.list)).collect();
    data("profile", &Sanctions { id: &id, display_name: subject.display_name(), sanctions_matches })
}

#[derive(Serialize)]
struct Incident<'a> {
    id: &'a str,
    title: String,
    status: &'a str,
    severity: RiskLevel,
    timeline: Timeline<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timeline<'a> {
    total_count: usize,
    entries: &'a [IncidentEntry],
}

pub(crate) fn incident_timeline(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Vec<u8> {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, Some(ProfileKind::Incident));
    // The document's default stands for an absent variable; `null` asks for all.
    let first = match variables.get("first") {
        None => 10,
        Some(first) => first.as_i64().map_or(usize::MAX, |first| usize::try_from(first).unwrap_or(0)),
    };
    let incident = subject.primary.incident.as_ref().map(|incident| Incident {
        id: &id,
        title: subject.values().text(&incident.title),
        status: &incident.status,
        severity: incident.severity,
        timeline: Timeline {
            total_count: incident.timeline.len(),
            entries: &incident.timeline[..first.min(incident.timeline.len())],
        },
    });
    data("incident", &incident)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Device<'a> {
    id: &'a str,
    display_name: String,
    findings: Vec<DeviceFinding>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceFinding {
    code: String,
    severity: RiskLevel,
    summary: String,
    observed_at: Timestamp,
}

pub(crate) fn device_telemetry(fixtures: &FixtureView<'_>, variables: &Map<String, Value>) -> Vec<u8> {
    let id = id_of(variables);
    let subject = Subject::choose(fixtures, &id, Some(ProfileKind::Device));
    let findings = subject.findings().into_iter().map(|finding| DeviceFinding {
        code: finding.code,
        severity: finding.severity,
        summary: finding.summary,
        observed_at: finding.observed_at,
    });
    data("device", &Device { id: &id, display_name: subject.display_name(), findings: findings.collect() })
}
