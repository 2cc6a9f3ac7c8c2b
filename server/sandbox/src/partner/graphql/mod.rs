//! The GraphQL transport: what may be sent with an approved document. Which documents are approved
//! lives in [`argus_openapi::graphql`], what answers each in [`documents`], what they return in [`resolvers`].

pub(crate) mod documents;
mod resolvers;

use crate::engine::digest::Frame;
use crate::engine::errors::invalid;
use crate::engine::graphql_selection::Selection;
use crate::engine::mock::Mock;
use crate::engine::reply::{Answer, Reply};
use crate::partner::graphql::documents::ApprovedDocuments;
use crate::partner::sandbox::{Context, Sandbox};
use argus_openapi::Operation;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::types::graphql::GraphqlRequest;
use serde::Serialize;

/// `graphql_execute`
pub struct GraphqlExecute<'a> {
    /// Value of `X-Tenant-ID`.
    pub tenant_id: Option<&'a str>,
    /// The body.
    pub body: &'a GraphqlRequest,
}

/// The reply. The contract's own type holds a map, whose order depends on how serde_json was built; here it
/// is that of the query, as GraphQL wants it.
#[derive(Serialize)]
struct Data<D> {
    data: D,
}

impl Mock for GraphqlExecute<'_> {
    type Data = Sandbox;
    const OPERATION: Operation = Operation::GraphqlExecute;
    const SHOWS_TIME: bool = false;
    const SHOWS_TENANT: bool = false;

    fn frame(&self, frame: &mut Frame) {
        // The tenant that may be named is the token's, so that naming it changes nothing; nor do extensions.
        let Self { tenant_id: _, body } = self;
        let GraphqlRequest { query, variables, operation_name, extensions: _ } = body;
        frame.scalar(operation_name);
        frame.part(query.as_bytes());
        frame.object(variables);
    }

    fn answer(&self, context: &Context<'_>) -> Answer {
        if self.tenant_id.is_some_and(|tenant_id| tenant_id != context.caller.tenant_id) {
            return Err(Error {
                error_code: ErrorCode::TenantMismatch,
                message: "X-Tenant-ID is not the tenant of the token".to_owned(),
            });
        }
        let document = context.data.documents.bundles.admit(self.body, |_| true)?;
        let no_answer = || invalid("the sandbox has no answer to this document");
        let resolve = ApprovedDocuments::resolver(document.name()).ok_or_else(no_answer)?;
        let selection = Selection::of(&document).ok_or_else(no_answer)?;
        let fixtures = context.data.fixtures(context.caller);
        let data = resolve(&fixtures, &self.body.variables);
        Ok(Reply::json(200, &Data { data: selection.pick(&data) }))
    }
}
