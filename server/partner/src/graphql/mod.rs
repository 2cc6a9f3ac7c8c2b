//! GraphQL on the live host: the gate in front of every document, and running the one that passes it. Which documents are
//! approved in bundles, and what may be sent with one, is the contract's ([`argus_openapi::graphql`]), because the sandbox
//! says the same.
//!
//! - `schema`: what documents can ask for
//! - `objects`: what the objects of the schema say
//! - `data`: what a request may load, and the one place where its scopes are looked at
//! - `batch`: objects that are asked for at the same time
//! - `check`: whether bundles still fit the schema
//!
//! Who may run what: an app the documents of the bundles that its governance approves, and of no other; the operator's
//! tokens, which are no app's, those of every bundle of the installation, because whoever holds one could approve them.
//! What governance says is read for each request, in one statement: nothing is cached by document or app, so that a
//! withdrawal holds for the next request on every node.

mod batch;
mod check;
mod data;
mod objects;
mod schema;

pub use check::Misfit;

use crate::error::Error;
use crate::store::apps;
use argus_core::context::{Actor, Context, Live};
use argus_core::store::Reader;
use argus_core::{Fault, Store};
use argus_openapi::graphql::Bundles;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::graphql::{BundleId, GraphqlRequest, GraphqlResponse};
use argus_openapi::types::rendered::Rendered;
use argus_openapi::types::scopes::Scope;
use argus_wire::graphql::Document;
use async_graphql::{Request, Variables};
use data::{Data, Failure};
use schema::ArgusSchema;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long a document may run.
const RUN_LIMIT: Duration = Duration::from_secs(10);

/// Everything that GraphQL works with. Nothing in it is of one request.
pub struct Graphql {
    store: Store,
    bundles: Arc<Bundles>,
    schema: ArgusSchema,
}

/// Why a document did not run, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token lacks the scope of what the document reaches, by whatever way.
    #[error("what the document asks for needs the scope `{0}`")]
    Scope(Scope),
    /// Anything else.
    #[error(transparent)]
    Domain(#[from] Error),
}

impl Graphql {
    /// GraphQL on this database, with these bundles.
    pub fn new(store: Store, bundles: Arc<Bundles>) -> Self {
        Self { store, bundles, schema: schema::schema() }
    }

    /// Refuses bundles that there are not, for governance to name.
    ///
    /// # Errors
    ///
    /// `unknown_bundle`, with the known ones.
    pub fn check_known(&self, ids: &[BundleId]) -> Result<(), Error> {
        let Some(unknown) = ids.iter().find(|id| !self.bundles.contains(id)) else { return Ok(()) };
        let known: Vec<&str> = self.bundles.iter().map(|bundle| bundle.id.as_str()).collect();
        let known = known.join(", ");
        let message = format!("`approved_bundles`: there is no bundle `{unknown}`; there are {known}");
        Err(Error::refused(ErrorCode::UnknownBundle, message))
    }
}

/// The schema in the schema language, for maintainers and tests. No host shows it.
pub fn sdl() -> String {
    schema::schema().sdl()
}

/// Documents of these bundles that do not fit the schema.
pub fn misfits(bundles: &Bundles) -> Vec<Misfit> {
    check::misfits(bundles)
}

/// Runs an approved document.
///
/// # Errors
///
/// `tenant_mismatch` for another tenant's header, `operation_not_approved` for any document that is in no approved
/// bundle, `invalid_request` for variables that do not fit, `document_too_complex` for those that ask for too much,
/// `insufficient_scope`, `unavailable` after ten seconds.
pub async fn execute(
    graphql: &Graphql,
    context: &Context<Live>,
    tenant_id: Option<&str>,
    request: &GraphqlRequest,
) -> Result<GraphqlResponse, Refusal> {
    if tenant_id.is_some_and(|tenant_id| tenant_id != context.tenant_id().as_str()) {
        return Err(
            Error::refused(ErrorCode::TenantMismatch, "X-Tenant-ID is not the tenant of the token").into()
        );
    }
    let approved = approved(graphql, context).await?;
    let is_approved = |id: &BundleId| approved.as_ref().is_none_or(|approved| approved.contains(id));
    let document = graphql.bundles.admit(request, is_approved);
    let document = document.map_err(|error| Error::refused(error.error_code, error.message))?;
    match tokio::time::timeout(RUN_LIMIT, run(graphql, context, &document, request)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            Err(Error::refused(ErrorCode::Unavailable, "the document took too long; ask for less").into())
        }
    }
}

/// The bundles of the caller's app; none of which is asked where every bundle is the caller's.
async fn approved(graphql: &Graphql, context: &Context<Live>) -> Result<Option<Vec<BundleId>>, Error> {
    let Actor::App(client_id) = context.principal.actor.clone() else { return Ok(None) };
    let look = move |reader: &mut Reader<'_>| Ok::<_, Error>(apps::approved_bundles(reader, &client_id)?);
    match graphql.store.read_row(context, look).await? {
        Some(bundles) => crate::apps::from_json(&bundles).map(Some),
        // Its token outlives an app.
        None => Ok(Some(Vec::new())),
    }
}

async fn run(
    graphql: &Graphql,
    context: &Context<Live>,
    document: &Document,
    request: &GraphqlRequest,
) -> Result<GraphqlResponse, Refusal> {
    let data = Arc::new(Data::of(&graphql.store, context));
    let mut query = Request::new("").operation_name(document.name()).data(Arc::clone(&data));
    query.set_parsed_query(document.parsed().clone());
    let variables = Variables::from_json(Value::Object(Map::clone(&request.variables)));
    let response = data.drive(graphql.schema.execute(query.variables(variables))).await;
    // A document is answered whole or not at all: what is missing in it could be taken for what is not there.
    match data.failure() {
        Some(Failure::Scope(scope)) => return Err(Refusal::Scope(scope)),
        Some(Failure::Domain(error)) => return Err(error.into()),
        None => {}
    }
    if let Some(error) = response.errors.into_iter().next() {
        // Every document was checked at the start, and its variables before it ran.
        return Err(Error::from(Fault::new(format!("{} failed: {}", document.name(), error.message))).into());
    }
    let text = serde_json::to_string(&response.data).map_err(Error::fault)?;
    Ok(GraphqlResponse { data: Some(Rendered::from_json(text).map_err(Error::fault)?), errors: Vec::new() })
}
