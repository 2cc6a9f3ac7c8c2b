//! The state of an incident, as its dispatch system says it. An incident is a profile
//! ([`super::profiles`]); what is told of its changes lives in [`super::events`].

use super::checked_text::{Published, checked_text};
use super::name::Name;
use super::profiles::RiskLevel;
use argus_wire::objects;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest summary, in characters.
pub const SUMMARY_MAX_LENGTH: usize = 500;

checked_text! {
    /// A sentence or two for people, in one line: no control character.
    pub struct Summary {
        check: check_summary,
        published: Published {
            format: None,
            max_length: SUMMARY_MAX_LENGTH,
            pattern: Some(r"^[^\u0000-\u001F\u007F-\u009F]+$".to_owned()),
        },
    }
}

fn check_summary(text: &str) -> Result<(), &'static str> {
    if !(1..=SUMMARY_MAX_LENGTH).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err("a summary has 1 to 500 characters, none of them a control character");
    }
    Ok(())
}

/// State of an incident, as whoever knows it says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct IncidentState {
    /// State in the words of the dispatch system, 1 to 128 visible characters; exactly `closed` once the incident is
    /// closed.
    pub status: Name,
    /// How bad it is.
    pub severity: RiskLevel,
    /// What happened last, in a sentence or two: 1 to 500 characters, none of them a control character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

objects!(IncidentState);

impl IncidentState {
    /// The status of an incident that is over.
    pub const CLOSED: &'static str = "closed";

    /// Whether the incident is over.
    pub fn is_closed(&self) -> bool {
        self.status.as_str() == Self::CLOSED
    }
}

/// State of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// State in the words of the dispatch system; `closed` once the incident is closed.
    pub status: String,
    /// How bad it is.
    pub severity: RiskLevel,
    /// What happened last, in a sentence or two; `null` when nobody said.
    pub summary: Option<String>,
}

impl From<IncidentState> for Incident {
    fn from(IncidentState { status, severity, summary }: IncidentState) -> Self {
        Self { status: status.into(), severity, summary: summary.map(String::from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::r#gen::SchemaGenerator;

    #[test]
    fn a_summary_is_taken_exactly_if_its_schema_takes_it() {
        let schema = Summary::json_schema(&mut SchemaGenerator::default());
        let schema = serde_json::to_value(schema).expect("it is JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        let bound = |length| "\u{1f692}".repeat(length);
        for (text, fits) in [
            ("Second alarm: five units.", true),
            (" ", true),
            (&bound(SUMMARY_MAX_LENGTH), true),
            (&bound(SUMMARY_MAX_LENGTH + 1), false),
            ("", false),
            ("two\nlines", false),
            ("a\u{0}", false),
            ("\u{7f}", false),
            ("a\u{9f}b", false),
            ("\u{a0}", true),
        ] {
            assert_eq!(text.parse::<Summary>().is_ok(), fits, "{text:.20?}");
            assert_eq!(schema.is_valid(&text.into()), fits, "{text:.20?}");
        }
    }

    #[test]
    fn closed_is_one_word_in_small_letters() {
        for (status, is_closed) in [("closed", true), ("Closed", false), ("not closed", false)] {
            let status = status.parse().expect("a name");
            let state = IncidentState { status, severity: RiskLevel::Low, summary: None };
            assert_eq!(state.is_closed(), is_closed, "{state:?}");
        }
    }
}
