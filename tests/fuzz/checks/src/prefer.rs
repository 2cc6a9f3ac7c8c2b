//! `Prefer`, one header value a line, and what the sandbox does with it.
//!
//! A value that parses is answered with a documented status, and `Preference-Applied` is itself a
//! `Prefer` value that asks for nothing else.

use crate::sandbox::answer;
use argus_openapi::types::jobs::JobQuery;
use argus_sandbox::{Mock, Preferences, Sandbox, ScenarioSet, partner};

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(preferences) = Preferences::parse(text.lines()) else { return };
    check_with(&preferences, &partner::JobList { query: &JobQuery::default() });
    check_with(&preferences, &partner::ProfileView { id: "p1" });
    check_with(&preferences, &partner::WebhookDelete { id: "no-such-webhook" });
    check_with(&preferences, &partner::SandboxScenarioList);
}

fn check_with(preferences: &Preferences, mock: &impl Mock<Data = Sandbox>) {
    let scenarios = ScenarioSet::default();
    let reply = answer(mock, preferences, &scenarios);
    if let Some(applied) = &reply.preference_applied {
        let applied = Preferences::parse([applied.as_str()]).expect("what was applied is a preference");
        assert!(!applied.is_empty(), "something was applied");
        let again = answer(mock, &applied, &scenarios);
        assert_eq!((reply.status, reply.body), (again.status, again.body), "{preferences:?}");
    }
}
