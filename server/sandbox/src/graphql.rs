//! The GraphQL transport: which documents are approved, and what may be sent with them. What they
//! return lives in `graphql_data`.

use crate::graphql_data;
use crate::graphql_document::Document;
use crate::sandbox::{Answer, Context, Reply, invalid};
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::types::graphql::GraphqlRequest;
use argus_wire::graphql::NormalForm;

/// The approved documents, as they ship beside the contract.
const DOCUMENTS: [(&str, graphql_data::Resolver); 4] = [
    (include_str!("../../../openapi/graphql/profile-risk.graphql"), graphql_data::profile_risk),
    (include_str!("../../../openapi/graphql/sanctions-matches.graphql"), graphql_data::sanctions_matches),
    (include_str!("../../../openapi/graphql/incident-timeline.graphql"), graphql_data::incident_timeline),
    (include_str!("../../../openapi/graphql/device-telemetry.graphql"), graphql_data::device_telemetry),
];

/// The approved documents with what answers them.
pub(crate) struct ApprovedDocuments {
    documents: Vec<(Document, graphql_data::Resolver)>,
}

impl ApprovedDocuments {
    /// Reads the shipped documents.
    pub(crate) fn load() -> Self {
        let read =
            |(text, resolver)| (Document::read(text).expect("the shipped documents are valid"), resolver);
        Self { documents: DOCUMENTS.into_iter().map(read).collect() }
    }

    fn find(&self, query: &str) -> Option<&(Document, graphql_data::Resolver)> {
        let form = NormalForm::of(query)?;
        self.documents.iter().find(|(document, _)| document.matches(&form))
    }
}

pub(crate) fn execute(context: &Context<'_>, tenant_id: Option<&str>, body: &GraphqlRequest) -> Answer {
    if tenant_id.is_some_and(|tenant_id| tenant_id != context.caller.tenant_id) {
        return Err(Error {
            error_code: ErrorCode::TenantMismatch,
            message: "X-Tenant-ID is not the tenant of the token".to_owned(),
        });
    }
    let (document, resolve) = context.sandbox.documents.find(&body.query).ok_or_else(|| Error {
        error_code: ErrorCode::OperationNotApproved,
        message: "the document is not in the approved operation bundles of this app".to_owned(),
    })?;
    if body.operation_name.as_ref().is_some_and(|name| name != document.name) {
        return Err(invalid(format!("operationName must be {} in this document", document.name)));
    }
    document.check_variables(&body.variables).map_err(invalid)?;
    Ok(Reply { status: 200, body: Some(resolve(context, &body.variables)), trace: None })
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
