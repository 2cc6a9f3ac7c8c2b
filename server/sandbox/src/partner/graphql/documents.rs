//! The approved documents, each with what answers it.

use crate::engine::graphql_document::Document;
use crate::engine::graphql_selection::Selection;
use crate::partner::graphql::resolvers::{self, Resolver};
use argus_wire::graphql::NormalForm;

/// The approved documents, as they ship beside the contract.
const DOCUMENTS: [(&str, Resolver); 4] = [
    (include_str!("../../../../../openapi/graphql/profile-risk.graphql"), resolvers::profile_risk),
    (include_str!("../../../../../openapi/graphql/sanctions-matches.graphql"), resolvers::sanctions_matches),
    (include_str!("../../../../../openapi/graphql/incident-timeline.graphql"), resolvers::incident_timeline),
    (include_str!("../../../../../openapi/graphql/device-telemetry.graphql"), resolvers::device_telemetry),
];

/// The approved documents with what answers them.
#[derive(Clone)]
pub(crate) struct ApprovedDocuments {
    documents: Vec<(Document, Resolver)>,
}

impl ApprovedDocuments {
    /// Reads the shipped documents.
    pub(crate) fn load() -> Self {
        let read =
            |(text, resolver)| (Document::read(text).expect("the shipped documents are valid"), resolver);
        Self { documents: DOCUMENTS.into_iter().map(read).collect() }
    }

    /// The approved document that is the query's, whatever its white space, commas and comments, what
    /// answers it, and what the query selects of the answer: the type names, too, that it asks for.
    pub(crate) fn find<'q>(&self, query: &'q str) -> Option<(&Document, Resolver, Selection<'q>)> {
        let form = NormalForm::of(query)?;
        let (document, resolver) = self.documents.iter().find(|(document, _)| document.matches(&form))?;
        Some((document, *resolver, Selection::of(&form)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_document_is_read_under_a_name_of_its_own() {
        let documents = ApprovedDocuments::load().documents;
        let mut names: Vec<_> = documents.iter().map(|(document, _)| document.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["DeviceTelemetry", "IncidentTimeline", "ProfileRisk", "SanctionsMatches"]);
    }
}
