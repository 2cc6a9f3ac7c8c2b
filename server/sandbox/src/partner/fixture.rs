//! Scenario fixtures: the file format, and the checks that a file passes before it is used. What
//! placeholders in its texts become lives in [`crate::engine::template`].

use crate::engine::scenario_set::ScenarioSet;
use crate::engine::template;
use argus_openapi::types::common::{SecrecyLevel, Timestamp};
use argus_openapi::types::events::IncidentNotice;
use argus_openapi::types::incidents::Summary;
use argus_openapi::types::name::Name;
use argus_openapi::types::profiles::{EnrichmentSource, ProfileKind, Risk, RiskLevel};
use argus_openapi::types::sandbox::Scenario;
use argus_openapi::types::webhooks::WebhookEvent;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The fixtures that ship, in catalogue order.
const SHIPPED: [(&str, &str); 5] = [
    ("wallet.high-risk.json", include_str!("../../fixtures/wallet.high-risk.json")),
    ("wallet.clean.json", include_str!("../../fixtures/wallet.clean.json")),
    ("entity.sanctioned.json", include_str!("../../fixtures/entity.sanctioned.json")),
    ("incident.escalating.json", include_str!("../../fixtures/incident.escalating.json")),
    ("device.offline.json", include_str!("../../fixtures/device.offline.json")),
];

/// How many fixtures ship. They come first in the catalogue, and the mixed rotation is theirs: an
/// operator's own scenario must not change the reply to a request that pins nothing.
pub(crate) const ROTATED: usize = SHIPPED.len();

/// A fixture that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixtureError {
    /// Name of the file.
    pub file: String,
    /// Where in it: line and column, or the member.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for FixtureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.place, self.message)
    }
}

impl std::error::Error for FixtureError {}

/// A scenario with its data.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    pub(crate) scenario: Scenario,
    /// Scenarios whose findings join those of this one when both are pinned.
    pub(crate) combines_with: Vec<String>,
    pub(crate) profile: ProfileFixture,
    pub(crate) incident: Option<IncidentFixture>,
    events: BTreeMap<WebhookEvent, IncidentNotice>,
}

impl Fixture {
    /// What is told of an event of the scenario's incident.
    pub(crate) fn event(&self, event: WebhookEvent) -> Option<&IncidentNotice> {
        self.events.get(&event)
    }
}

/// The fixtures under the scenarios that a caller is pinned to.
#[derive(Clone, Copy)]
pub(crate) struct FixtureView<'a> {
    pub(crate) all: &'a [Fixture],
    pub(crate) scenarios: &'a ScenarioSet,
}

impl<'a> FixtureView<'a> {
    /// The fixtures of the pinned scenarios, in catalogue order.
    pub(crate) fn pinned(self) -> impl Iterator<Item = &'a Fixture> {
        self.all.iter().filter(move |fixture| self.scenarios.ids().contains(&fixture.scenario.id))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileFixture {
    pub(crate) kind: ProfileKind,
    pub(crate) display_name: String,
    #[serde(default)]
    pub(crate) secrecy_level: SecrecyLevel,
    pub(crate) risk: Risk,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) findings: Vec<FindingFixture>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingFixture {
    pub(crate) code: String,
    pub(crate) source: EnrichmentSource,
    pub(crate) severity: RiskLevel,
    pub(crate) summary: String,
    /// RFC 3339, or `{last_seen}`.
    pub(crate) observed_at: String,
    #[serde(default)]
    pub(crate) evidence: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentFixture {
    pub(crate) title: String,
    pub(crate) status: Name,
    pub(crate) severity: RiskLevel,
    pub(crate) timeline: Vec<IncidentEntry>,
}

#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentEntry {
    pub(crate) at: Timestamp,
    pub(crate) source: EnrichmentSource,
    pub(crate) severity: RiskLevel,
    pub(crate) summary: Summary,
}

/// A file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    label: String,
    description: String,
    #[serde(default)]
    combines_with: Vec<String>,
    profile: ProfileFixture,
    #[serde(default)]
    incident: Option<IncidentFixture>,
    #[serde(default)]
    events: BTreeMap<WebhookEvent, IncidentNotice>,
}

/// The shipped fixtures and then the operator's, all checked.
pub(crate) fn all(more: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Fixture>, FixtureError> {
    let shipped = SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let mut fixtures: Vec<Fixture> = Vec::new();
    let mut names = Vec::new();
    for (name, text) in shipped.into_iter().chain(more) {
        let fixture = read(&name, &text)?;
        if fixtures.iter().any(|other| other.scenario.id == fixture.scenario.id) {
            let message = format!("the scenario {} exists already", fixture.scenario.id);
            return Err(FixtureError { file: name, place: "id".to_owned(), message });
        }
        fixtures.push(fixture);
        names.push(name);
    }
    for (fixture, name) in fixtures.iter().zip(names) {
        let known = |id: &String| fixtures.iter().any(|other| other.scenario.id == *id);
        if let Some(index) = fixture.combines_with.iter().position(|id| !known(id)) {
            let message = format!("there is no scenario {}", fixture.combines_with[index]);
            return Err(FixtureError { file: name, place: format!("combines_with[{index}]"), message });
        }
    }
    Ok(fixtures)
}

fn read(name: &str, text: &str) -> Result<Fixture, FixtureError> {
    let file: File = serde_json::from_str(text).map_err(|error| FixtureError {
        file: name.to_owned(),
        place: format!("line {}, column {}", error.line(), error.column()),
        message: error.to_string(),
    })?;
    check(&file).map_err(|(place, message)| FixtureError { file: name.to_owned(), place, message })?;
    Ok(Fixture {
        scenario: Scenario { id: file.id, label: file.label, description: file.description },
        combines_with: file.combines_with,
        profile: file.profile,
        incident: file.incident,
        events: file.events,
    })
}

/// What the types cannot say. An error is the place and what is wrong there.
fn check(file: &File) -> Result<(), (String, String)> {
    let word = |text: &str, others: &[u8]| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte);
        (1..=64).contains(&text.len()) && text.bytes().all(fits)
    };
    if !word(&file.id, b".-_") {
        return fail("id", "must have 1 to 64 characters out of a-z, 0-9 and . - _");
    }
    for (place, text) in [("label", &file.label), ("description", &file.description)] {
        if text.trim().is_empty() {
            return fail(place, "must not be empty");
        }
    }
    let profile = &file.profile;
    template::check_text(&profile.display_name).or_else(|message| fail("profile.display_name", &message))?;
    if profile.risk.score > 100 {
        return fail("profile.risk.score", "must be 0 to 100");
    }
    if profile.updated_at < profile.created_at {
        return fail("profile.updated_at", "must not lie before created_at");
    }
    for (index, finding) in profile.findings.iter().enumerate() {
        let place = |member: &str| format!("profile.findings[{index}].{member}");
        if !word(&finding.code, b"_") {
            return fail(place("code"), "must have 1 to 64 characters out of a-z, 0-9 and _");
        }
        template::check_text(&finding.summary).or_else(|message| fail(place("summary"), &message))?;
        template::moment(&finding.observed_at, 1).or_else(|message| fail(place("observed_at"), &message))?;
        template::check_object(&finding.evidence).or_else(|message| fail(place("evidence"), &message))?;
    }
    for event in file.events.keys() {
        if !matches!(event, WebhookEvent::IncidentUpdated | WebhookEvent::IncidentClosed) {
            return fail(format!("events.{event}"), "a scenario tells of its incident alone");
        }
    }
    Ok(())
}

fn fail<T>(place: impl Into<String>, message: &str) -> Result<T, (String, String)> {
    Err((place.into(), message.to_owned()))
}
