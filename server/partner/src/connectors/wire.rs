//! What goes over the wire to a system and back. A member that is not known here is passed over, so that a system may
//! add one; what is known must fit, because it goes on to partners and into the store.

use argus_openapi::read::MediaType;
use argus_openapi::types::common::Moment;
use argus_openapi::types::incidents::{IncidentState, Summary};
use argus_openapi::types::json_object::JsonObject;
use argus_openapi::types::name::Name;
use argus_openapi::types::profiles::{EnrichmentSource, Finding, ProfileKind, RiskLevel};
use argus_wire::objects;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

/// Where a system takes questions, below its base URL. They are safe to repeat.
pub const FINDINGS_PATH: &str = "/v1/findings";
/// Most findings of an answer.
pub const FINDINGS_MAX: usize = 100;
/// The longest code of a finding, in bytes.
const CODE_MAX: usize = 64;

/// What a system is asked: `POST {base URL}/v1/findings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The profile, as the tenant calls it.
    pub profile_id: String,
    /// What the profile is about.
    pub kind: ProfileKind,
    /// Its name for people.
    pub display_name: String,
    /// Which of the system's sources are asked; at least one.
    pub sources: Vec<EnrichmentSource>,
}

/// What it knows of the profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What it found.
    pub findings: Vec<Finding>,
    /// The state of the incident, where dispatch was asked about one and said it.
    pub incident: Option<IncidentState>,
}

/// What it answers with. What it says of an incident is `I`.
#[derive(Debug, Deserialize)]
struct Answered<I> {
    findings: Vec<Found>,
    #[serde(default = "Option::default")]
    incident: Option<I>,
}

/// The state of an incident, as it comes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Stated {
    status: Name,
    severity: RiskLevel,
    #[serde(default)]
    summary: Option<Summary>,
}

/// A finding, as it comes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Found {
    code: String,
    source: EnrichmentSource,
    severity: RiskLevel,
    summary: String,
    observed_at: Moment,
    evidence: JsonObject,
}

objects!(Found, Stated);

/// The answer to a question about these sources.
///
/// # Errors
///
/// What does not fit, for the operator.
pub fn read_answer(body: &[u8], sources: &[EnrichmentSource]) -> Result<Answer, String> {
    // The state of an incident is dispatch's to say; whatever another source calls so is passed over.
    if !sources.contains(&EnrichmentSource::Dispatch) {
        return read::<IgnoredAny>(body, sources).map(|(findings, _)| Answer { findings, incident: None });
    }
    let (findings, stated) = read::<Stated>(body, sources)?;
    let state = |Stated { status, severity, summary }| IncidentState { status, severity, summary };
    Ok(Answer { findings, incident: stated.map(state) })
}

fn read<I: DeserializeOwned>(
    body: &[u8],
    sources: &[EnrichmentSource],
) -> Result<(Vec<Finding>, Option<I>), String> {
    let Answered { findings, incident } = MediaType::Json.parse(body).map_err(|error| error.message)?;
    if findings.len() > FINDINGS_MAX {
        return Err(format!("there are more than {FINDINGS_MAX} findings"));
    }
    let checked = findings.into_iter().enumerate().map(|(place, found)| {
        found.checked(sources).map_err(|reason| format!("`findings[{place}].{reason}"))
    });
    Ok((checked.collect::<Result<_, _>>()?, incident))
}

impl Found {
    fn checked(self, sources: &[EnrichmentSource]) -> Result<Finding, &'static str> {
        if !is_code(&self.code) {
            return Err("code` must be 1 to 64 small letters, digits and `_`, a letter first");
        }
        if !sources.contains(&self.source) {
            return Err("source` is none that was asked");
        }
        if self.summary.parse::<Summary>().is_err() {
            return Err("summary` must be 1 to 500 characters without a control character");
        }
        let Moment(observed_at) = self.observed_at;
        Ok(Finding {
            code: self.code,
            source: self.source,
            severity: self.severity,
            summary: self.summary,
            observed_at: observed_at.into(),
            evidence: (*self.evidence).clone(),
        })
    }
}

fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= CODE_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answer(change: impl FnOnce(&mut Value)) -> String {
        let mut finding = json!({
            "code": "sanctions_match", "source": "osint", "severity": "critical", "summary": "It is on a list.",
            "observed_at": "2026-05-08T11:58:00Z", "evidence": { "list": "OFAC SDN" },
        });
        change(&mut finding);
        json!({ "findings": [finding] }).to_string()
    }

    fn read(body: &str) -> Result<Vec<Finding>, String> {
        read_answer(body.as_bytes(), &[EnrichmentSource::Osint]).map(|answer| answer.findings)
    }

    fn of_incident(incident: &Value, source: EnrichmentSource) -> Result<Option<IncidentState>, String> {
        let body = json!({ "findings": [], "incident": incident }).to_string();
        read_answer(body.as_bytes(), &[source]).map(|answer| answer.incident)
    }

    #[test]
    fn the_state_of_an_incident_is_taken_from_dispatch_alone() {
        let said = json!({ "status": "on scene", "severity": "high", "summary": "Units came.", "units": 2 });
        let state = of_incident(&said, EnrichmentSource::Dispatch).expect("it fits").expect("a state");
        let summary = state.summary.as_ref().map(Summary::as_str);
        assert_eq!(
            (state.status.as_str(), state.severity, summary),
            ("on scene", RiskLevel::High, Some("Units came."))
        );
        assert_eq!(of_incident(&Value::Null, EnrichmentSource::Dispatch), Ok(None));
        for other in [said, json!([1, "anything"])] {
            assert_eq!(of_incident(&other, EnrichmentSource::Epcr), Ok(None), "{other}");
        }
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused_with_its_member() {
        for (member, value) in [
            ("status", json!("")),
            ("status", json!("a\u{0}b")),
            ("status", json!("a".repeat(129))),
            ("severity", json!("worst")),
            ("summary", json!("")),
            ("summary", json!("a".repeat(501))),
            ("summary", json!("two\nlines")),
        ] {
            let mut said = json!({ "status": "on scene", "severity": "high", "summary": "Units came." });
            said[member] = value.clone();
            let error = of_incident(&said, EnrichmentSource::Dispatch).expect_err(member);
            assert!(error.contains(&format!("incident.{member}")), "{value}: {error}");
        }
        for said in
            [json!({}), json!({ "status": "on scene" }), json!(["on scene", "high", null]), json!("closed")]
        {
            let error = of_incident(&said, EnrichmentSource::Dispatch).expect_err("no state");
            assert!(error.contains("incident"), "{said}: {error}");
        }
    }

    #[test]
    fn an_answer_that_fits_is_read_and_a_member_that_is_not_known_is_passed_over() {
        let findings = read(&answer(|finding| finding["confidence"] = json!(0.9))).expect("it fits");
        assert_eq!((&*findings[0].code, findings.len()), ("sanctions_match", 1));
        assert_eq!(read(r#"{"findings":[],"page":1}"#), Ok(Vec::new()));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_place() {
        let refused = |member: &str, value: Value| {
            let error = read(&answer(|finding| finding[member] = value.clone())).expect_err(member);
            assert!(error.contains(&format!("findings[0].{member}")), "{value}: {error}");
        };
        for code in ["", "Sanctions", "9a", "a-b", &"a".repeat(65)] {
            refused("code", json!(code));
        }
        refused("source", json!("finance"));
        refused("source", json!("rumour"));
        refused("severity", json!("worst"));
        refused("summary", json!(""));
        refused("summary", json!("a\u{0}b"));
        refused("summary", json!("a".repeat(501)));
        refused("observed_at", json!("+12026-05-08T11:58:00Z"));
        refused("evidence", json!([]));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let many = json!({ "findings": vec![json!({
            "code": "a", "source": "osint", "severity": "low", "summary": "a", "observed_at": "2026-05-08T11:58:00Z",
            "evidence": {},
        }); FINDINGS_MAX + 1] });
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"findings":null}"#,
            r#"{"findings":[[]]}"#,
            r#"{"findings":[["a","osint","low","a","2026-05-08T11:58:00Z",{}]]}"#,
            r#"{"findings":[],"findings":[]}"#,
            r#"{"findings":[]} x"#,
            &answer(|finding| drop(finding.as_object_mut().expect("an object").remove("evidence"))),
            &answer(|_| ()).replace(r#""list""#, r#""list":1,"list""#),
            &many.to_string(),
        ] {
            assert!(read(body).is_err(), "{body:.80}");
        }
    }
}
