//! What answers each of the approved documents. The sandbox runs every bundle that ships, whichever of them governance
//! has given the app on the live host, so that a partner can try one before asking for it; it has no answer for the bundles
//! of an installation.

use crate::partner::graphql::resolvers::{self, Resolver};
use argus_openapi::graphql::Bundles;

/// What answers a document, by its name.
const RESOLVERS: [(&str, Resolver); 4] = [
    ("ProfileRisk", resolvers::profile_risk),
    ("SanctionsMatches", resolvers::sanctions_matches),
    ("IncidentTimeline", resolvers::incident_timeline),
    ("DeviceTelemetry", resolvers::device_telemetry),
];

/// The approved documents with what answers them.
#[derive(Clone)]
pub(crate) struct ApprovedDocuments {
    pub(crate) bundles: Bundles,
}

impl ApprovedDocuments {
    /// Reads the shipped documents.
    pub(crate) fn load() -> Self {
        Self { bundles: Bundles::shipped() }
    }

    /// What answers the document with this name.
    pub(crate) fn resolver(name: &str) -> Option<Resolver> {
        RESOLVERS.into_iter().find_map(|(known, resolver)| (known == name).then_some(resolver))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_document_has_something_that_answers_it() {
        let documents = ApprovedDocuments::load();
        let named: Vec<String> = documents
            .bundles
            .iter()
            .flat_map(|bundle| bundle.documents.iter().map(|(_, document)| document.name().to_owned()))
            .collect();
        assert_eq!(named.len(), RESOLVERS.len());
        assert!(named.iter().all(|name| ApprovedDocuments::resolver(name).is_some()), "{named:?}");
    }
}
