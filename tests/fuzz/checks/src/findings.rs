//! What a connector reads of a system's answer: the input is the body.
//!
//! Findings that are taken are of the sources that were asked, no more than there may be, and they and the state of an
//! incident read as the same when they are written again, as they are into the store and to partners.

use argus_openapi::types::profiles::EnrichmentSource;
use argus_partner::connectors::{FINDINGS_MAX, read_answer};
use serde_json::json;

const SOURCES: [EnrichmentSource; 2] = [EnrichmentSource::Dispatch, EnrichmentSource::Epcr];

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let Ok(answer) = read_answer(input, &SOURCES) else { return };
    assert!(answer.findings.len() <= FINDINGS_MAX);
    for finding in &answer.findings {
        assert!(SOURCES.contains(&finding.source), "{finding:?}");
        assert!(!finding.code.is_empty() && !finding.summary.is_empty(), "{finding:?}");
    }
    let written = json!({ "findings": answer.findings, "incident": answer.incident }).to_string();
    assert_eq!(read_answer(written.as_bytes(), &SOURCES), Ok(answer));
}
