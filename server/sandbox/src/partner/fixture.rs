//! Scenario fixtures: the file format, and the checks that a file passes before it is used. What
//! placeholders in its texts become lives in [`crate::engine::template`].

use super::places::{self, Place};
use crate::engine::scenario_set::{ScenarioSet, UnknownScenario};
use crate::engine::template;
use argus_openapi::types::common::{SecrecyLevel, Timestamp};
use argus_openapi::types::events::IncidentNotice;
use argus_openapi::types::incidents::Summary;
use argus_openapi::types::name::Name;
use argus_openapi::types::profiles::{EnrichmentSource, ProfileKind, Risk, RiskLevel};
use argus_openapi::types::sandbox::Scenario;
use argus_openapi::types::webhooks::WebhookEvent;
use schemars::JsonSchema;
use schemars::schema::{Schema, SchemaObject};
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

/// The events that a scenario can tell of.
const EVENTS: [WebhookEvent; 2] = [WebhookEvent::IncidentUpdated, WebhookEvent::IncidentClosed];

/// How many fixtures ship. They come first in the catalogue, and the mixed rotation is theirs: an
/// operator's own scenario must not change the reply to a request that pins nothing.
pub(crate) const ROTATED: usize = SHIPPED.len();

/// Something in a fixture that cannot be used: `file:line:column: member: what to change`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Name of the file.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// The member, as `profile.findings[0].code`; empty for the whole.
    pub member: String,
    /// What to change.
    pub message: String,
}

impl Fault {
    /// What is to be changed at a place of a file's text, to which a pointer (RFC 6901) leads.
    pub fn at(file: &str, text: &str, pointer: &str, message: impl Into<String>) -> Self {
        let (file, member) = (file.to_owned(), member(pointer));
        Self { file, place: places::place(text, pointer), member, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place: Place { line, column }, member, message } = self;
        let member = if member.is_empty() { "the file" } else { member };
        write!(f, "{file}:{line}:{column}: {member}: {message}")
    }
}

/// Fixtures that cannot be used: everything that is to be changed, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixtureError {
    /// There is one at least.
    pub faults: Vec<Fault>,
}

impl fmt::Display for FixtureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.faults.iter().map(Fault::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for FixtureError {}

/// A pointer, as messages show it.
fn member(pointer: &str) -> String {
    let mut shown = String::new();
    for step in pointer.split('/').skip(1) {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            shown.push_str(&format!("[{step}]"));
        } else {
            let dot = if shown.is_empty() { "" } else { "." };
            shown.push_str(&format!("{dot}{}", step.replace("~1", "/").replace("~0", "~")));
        }
    }
    shown
}

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

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileFixture {
    /// What it is.
    pub(crate) kind: ProfileKind,
    /// What it is called; may hold placeholders.
    pub(crate) display_name: String,
    /// Who may see it: a token with less clearance does not.
    #[serde(default)]
    pub(crate) secrecy_level: SecrecyLevel,
    /// What the findings amount to.
    pub(crate) risk: Risk,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it changed last; not before it was made.
    pub(crate) updated_at: Timestamp,
    /// What its enrichment finds.
    pub(crate) findings: Vec<FindingFixture>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingFixture {
    /// What programs tell it by: a-z, 0-9 and _
    #[schemars(regex(pattern = "^[a-z0-9_]{1,64}$"))]
    pub(crate) code: String,
    /// Who found it.
    pub(crate) source: EnrichmentSource,
    /// How bad it is.
    pub(crate) severity: RiskLevel,
    /// What was found, in a sentence; may hold placeholders.
    pub(crate) summary: String,
    /// When: RFC 3339, or `{last_seen}`.
    pub(crate) observed_at: String,
    /// What it was found by; texts in it may hold placeholders.
    #[serde(default)]
    pub(crate) evidence: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentFixture {
    /// What it is called; may hold placeholders.
    pub(crate) title: String,
    /// How far it is, in the words of the dispatch system.
    pub(crate) status: Name,
    /// How bad it is.
    pub(crate) severity: RiskLevel,
    /// What happened, the oldest first.
    pub(crate) timeline: Vec<IncidentEntry>,
}

#[derive(Clone, Debug, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentEntry {
    /// When.
    pub(crate) at: Timestamp,
    /// Who said so.
    pub(crate) source: EnrichmentSource,
    /// How bad it is.
    pub(crate) severity: RiskLevel,
    /// What happened.
    pub(crate) summary: Summary,
}

/// A scenario of the sandbox: what partners see who pin it. Texts may hold `{id}`, the id of what is shown, `{hours}`, a
/// number of hours that depends on the id, and `{last_seen}`, the moment so many hours before the start of time.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Scenario")]
#[serde(deny_unknown_fields)]
struct File {
    /// Where this schema is, for editors.
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    /// What tokens pin: 1 to 64 characters out of a-z, 0-9 and . - _
    #[schemars(regex(pattern = "^[a-z0-9._-]{1,64}$"))]
    id: String,
    /// Its name in the catalogue.
    #[schemars(length(min = 1))]
    label: String,
    /// What it returns, in a sentence.
    #[schemars(length(min = 1))]
    description: String,
    /// Ids of scenarios whose findings join those of this one when both are pinned.
    #[serde(default)]
    combines_with: Vec<String>,
    /// What a profile is shown as.
    profile: ProfileFixture,
    /// What is the case, of a profile of the kind `incident`.
    #[serde(default)]
    incident: Option<IncidentFixture>,
    /// What is told of the events `incident.updated` and `incident.closed`.
    #[serde(default)]
    events: BTreeMap<WebhookEvent, IncidentNotice>,
}

/// The JSON schema of a fixture, for editors: what the types say.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    // The keys of a map are texts to the types.
    if let Some(Schema::Object(events)) =
        schema.schema.object.as_mut().and_then(|object| object.properties.get_mut("events"))
    {
        let names = EVENTS.iter().map(|event| Value::from(event.as_str())).collect();
        let names = SchemaObject { enum_values: Some(names), ..SchemaObject::default() };
        events.object().property_names = Some(Box::new(names.into()));
    }
    serde_json::to_value(schema).unwrap_or_default()
}

/// A fixture to begin with: the text of one that ships under another id.
///
/// # Errors
///
/// When no such scenario ships; the error names those that do.
pub fn template(id: &str, from: &str, schema: &str) -> Result<String, UnknownScenario> {
    let of = |name: &str| name.strip_suffix(".json").unwrap_or(name).to_owned();
    let Some((_, text)) = SHIPPED.iter().find(|(name, _)| of(name) == from) else {
        let valid = SHIPPED.iter().map(|(name, _)| of(name)).collect();
        return Err(UnknownScenario { id: from.to_owned(), valid });
    };
    let mut text = (*text).to_owned();
    let description = format!("Like {from} so far: say here what it returns.");
    // From the last one on, so that those before it stay where they are.
    for (pointer, value) in [("/description", description.as_str()), ("/label", id), ("/id", id)] {
        text.replace_range(places::span(&text, pointer), &Value::from(value).to_string());
    }
    Ok(text.replacen('{', &format!("{{\n  \"$schema\": {},", Value::from(schema)), 1))
}

/// Whether an operator can call a scenario so.
pub fn check_id(id: &str) -> Result<(), String> {
    if word(id, b".-_") {
        Ok(())
    } else {
        Err("must have 1 to 64 characters out of a-z, 0-9 and . - _".to_owned())
    }
}

/// The shipped fixtures and then the operator's, all checked.
pub(crate) fn all(more: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Fixture>, FixtureError> {
    let shipped = SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let files: Vec<(String, String)> = shipped.into_iter().chain(more).collect();
    let (mut fixtures, mut faults): (Vec<(Fixture, usize)>, Vec<Fault>) = Default::default();
    for (index, (name, text)) in files.iter().enumerate() {
        match read(name, text) {
            Ok(fixture) => fixtures.push((fixture, index)),
            Err(more) => faults.extend(more),
        }
    }
    // Of a file that cannot be read, what it is called may be known nevertheless.
    let ids: Vec<Option<String>> = files.iter().map(|(_, text)| id(text)).collect();
    for (index, (name, text)) in files.iter().enumerate() {
        if let Some(earlier) = ids[..index].iter().position(|id| id.is_some() && *id == ids[index]) {
            let message = match files.get(earlier) {
                Some((file, _)) if earlier >= ROTATED => {
                    format!("{file} has this id already; choose another")
                }
                _ => "a scenario that ships has this id; choose another".to_owned(),
            };
            faults.push(Fault::at(name, text, "/id", message));
        }
    }
    for (fixture, index) in &fixtures {
        for (position, other) in fixture.combines_with.iter().enumerate() {
            if !ids.iter().flatten().any(|id| id == other) {
                let (name, text) = &files[*index];
                let pointer = format!("/combines_with/{position}");
                faults.push(Fault::at(name, text, &pointer, format!("there is no scenario {other}")));
            }
        }
    }
    if !faults.is_empty() {
        let order = |fault: &Fault| files.iter().position(|(name, _)| *name == fault.file);
        faults.sort_by_key(|fault| (order(fault), fault.place));
        return Err(FixtureError { faults });
    }
    Ok(fixtures.into_iter().map(|(fixture, _)| fixture).collect())
}

/// What a text that may be no fixture is called.
fn id(text: &str) -> Option<String> {
    serde_json::from_str::<Value>(text).ok()?.get("id")?.as_str().map(str::to_owned)
}

fn read(name: &str, text: &str) -> Result<Fixture, Vec<Fault>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize::<_, File>(&mut deserializer);
    let file = match read {
        Ok(file) => match deserializer.end() {
            Ok(()) => file,
            Err(error) => return Err(vec![misfit(name, String::new(), &error)]),
        },
        Err(error) => {
            let path = error.path().to_string();
            return Err(vec![misfit(name, path, error.inner())]);
        }
    };
    let mut faults: Vec<Fault> =
        check(&file).into_iter().map(|(pointer, message)| Fault::at(name, text, &pointer, message)).collect();
    let twice = |pointer: &String| Fault::at(name, text, pointer, "stands here twice; take one away");
    faults.extend(places::repeated(text).iter().map(twice));
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Fixture {
        scenario: Scenario { id: file.id, label: file.label, description: file.description },
        combines_with: file.combines_with,
        profile: file.profile,
        incident: file.incident,
        events: file.events,
    })
}

/// What serde says, at its place.
fn misfit(name: &str, path: String, error: &serde_json::Error) -> Fault {
    let place = Place { line: error.line(), column: error.column() };
    let said = error.to_string();
    let suffix = format!(" at line {} column {}", place.line, place.column);
    let message = said.strip_suffix(&suffix).unwrap_or(&said).to_owned();
    let member = if path == "." { String::new() } else { path };
    Fault { file: name.to_owned(), place, member, message }
}

fn word(text: &str, others: &[u8]) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// What the types cannot say: pointers with what is wrong there.
fn check(file: &File) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut note = |pointer: String, outcome: Result<(), String>| {
        faults.extend(outcome.err().map(|message| (pointer, message)));
    };
    let must = |holds: bool, message: &str| if holds { Ok(()) } else { Err(message.to_owned()) };
    note("/id".to_owned(), check_id(&file.id));
    for (pointer, text) in [("/label", &file.label), ("/description", &file.description)] {
        note(pointer.to_owned(), must(!text.trim().is_empty(), "must not be empty"));
    }
    let profile = &file.profile;
    note("/profile/display_name".to_owned(), template::check_text(&profile.display_name));
    note("/profile/risk/score".to_owned(), must(profile.risk.score <= 100, "must be 0 to 100"));
    let in_order = profile.updated_at >= profile.created_at;
    note("/profile/updated_at".to_owned(), must(in_order, "must not lie before created_at"));
    for (index, finding) in profile.findings.iter().enumerate() {
        let at = |member: &str| format!("/profile/findings/{index}/{member}");
        let is_code = word(&finding.code, b"_");
        note(at("code"), must(is_code, "must have 1 to 64 characters out of a-z, 0-9 and _"));
        note(at("summary"), template::check_text(&finding.summary));
        note(at("observed_at"), template::moment(&finding.observed_at, 1).map(|_| ()));
        note(at("evidence"), template::check_object(&finding.evidence));
    }
    let is_incident = profile.kind == ProfileKind::Incident;
    match &file.incident {
        None if is_incident => note(
            "/profile/kind".to_owned(),
            Err("an incident needs the member `incident`, which profile_view and graphql_execute show"
                .to_owned()),
        ),
        Some(_) if !is_incident => {
            let message =
                "is shown of an incident alone; make `profile.kind` \"incident\", or take this away";
            note("/incident".to_owned(), Err(message.to_owned()));
        }
        Some(incident) => {
            note("/incident/title".to_owned(), template::check_text(&incident.title));
        }
        None => {}
    }
    for event in file.events.keys().filter(|event| !EVENTS.contains(event)) {
        let message = "a scenario tells of its incident alone: incident.updated and incident.closed";
        note(format!("/events/{event}"), Err(message.to_owned()));
    }
    faults
}
