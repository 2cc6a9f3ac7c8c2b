//! `Prefer`, one header value a line, and what the sandbox does with it.
//!
//! A value that parses is answered with a documented status, and `Preference-Applied` is itself a
//! `Prefer` value that asks for nothing else.

use crate::sandbox::answer;
use argus_openapi::types::jobs::JobQuery;
use argus_sandbox::{Preferences, Request, ScenarioSet};

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(preferences) = Preferences::parse(text.lines()) else { return };
    let (scenarios, query) = (ScenarioSet::default(), JobQuery::default());
    for request in [
        Request::JobList(&query),
        Request::ProfileView { id: "p1" },
        Request::WebhookDelete { id: "no-such-webhook" },
        Request::SandboxScenarioList,
    ] {
        let mock = answer(request, &preferences, &scenarios);
        if let Some(applied) = &mock.preference_applied {
            let applied = Preferences::parse([applied.as_str()]).expect("what was applied is a preference");
            assert!(!applied.is_empty(), "something was applied");
            let again = answer(request, &applied, &scenarios);
            assert_eq!((mock.status, mock.body), (again.status, again.body), "{text:?}");
        }
    }
}
