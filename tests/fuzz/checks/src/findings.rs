//! What a connector reads of a system's answer: the input is the body.
//!
//! Findings that are taken are of the sources that were asked, no more than there may be, and read as the same
//! findings when they are written again, as they are into the store and to partners.

use argus_openapi::types::profiles::EnrichmentSource;
use argus_partner::connectors::{FINDINGS_MAX, read_findings};
use serde_json::json;

const SOURCES: [EnrichmentSource; 2] = [EnrichmentSource::Dispatch, EnrichmentSource::Epcr];

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let Ok(findings) = read_findings(input, &SOURCES) else { return };
    assert!(findings.len() <= FINDINGS_MAX);
    for finding in &findings {
        assert!(SOURCES.contains(&finding.source), "{finding:?}");
        assert!(!finding.code.is_empty() && !finding.summary.is_empty(), "{finding:?}");
    }
    let written = json!({ "findings": findings }).to_string();
    assert_eq!(read_findings(written.as_bytes(), &SOURCES), Ok(findings));
}
