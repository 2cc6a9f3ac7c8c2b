//! Operations that more than one host serves in the same way: health and the published documents.

use super::HostContext;
use crate::discovery::{Document, Library};
use crate::gate::{Nobody, Problem, answer};
use argus_openapi::api::Answer;
use argus_openapi::http::{Checked, DocumentReply, Reply};
use argus_openapi::types::discovery::DataSchemaPath;
use argus_openapi::types::internal::{Health, Readiness};
use dropshot::{Path, RequestContext};

pub(super) async fn health(rqctx: RequestContext<HostContext>) -> Answer<Reply<Health, 200>> {
    answer(rqctx, Nobody, async |_| Ok(Health { status: "ok".to_owned() })).await
}

pub(super) async fn readiness(rqctx: RequestContext<HostContext>) -> Answer<Reply<Readiness, 200>> {
    answer(rqctx, Nobody, async |call| {
        let app = call.app();
        app.database.requests.ping().await?;
        if !app.identity.keys().is_healthy() {
            return Err(Problem::unavailable("the signing keys cannot be read"));
        }
        Ok(Readiness { ready: true, store: true, signing_key: true })
    })
    .await
}

/// Serves a document of the library, or 304.
pub(super) async fn published(
    rqctx: RequestContext<HostContext>,
    choose: impl FnOnce(&Library) -> &Document,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| Ok(choose(&call.app().library).unless_current(call.headers()))).await
}

pub(super) async fn data_schema(
    rqctx: RequestContext<HostContext>,
    path: Checked<Path<DataSchemaPath>>,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| {
        let file = call.path(path)?.file;
        let schema = call.app().library.schema(file.as_str());
        let schema = schema.ok_or_else(|| Problem::not_found("data schema"))?;
        Ok(schema.unless_current(call.headers()))
    })
    .await
}
