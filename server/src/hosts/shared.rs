//! Operations that more than one host serves in the same way: health and the published documents.

use super::HostContext;
use crate::discovery::{Document, Library};
use crate::gate::{self, Anonymous};
use crate::problem::{Outcome, Problem};
use argus_openapi::api::Answer;
use argus_openapi::http::{Checked, DocumentReply, Reply};
use argus_openapi::types::discovery::DataSchemaPath;
use argus_openapi::types::internal::{Health, Readiness};
use dropshot::{Path, RequestContext};

pub(super) async fn health(rqctx: RequestContext<HostContext>) -> Answer<Reply<Health, 200>> {
    gate::public(rqctx, |_| async { Ok(Health { status: "ok".to_owned() }) }).await
}

pub(super) async fn readiness(rqctx: RequestContext<HostContext>) -> Answer<Reply<Readiness, 200>> {
    gate::public(rqctx, |call| async move {
        let identity = &call.context().app.identity;
        identity.store().ping().await?;
        if !identity.keys().is_healthy() {
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
    gate::document::<Anonymous>(rqctx, |call, headers| {
        Ok(choose(&call.context().app.library).unless_current(headers))
    })
    .await
}

pub(super) async fn data_schema(
    rqctx: RequestContext<HostContext>,
    path: Checked<Path<DataSchemaPath>>,
) -> Answer<DocumentReply> {
    gate::document::<Anonymous>(rqctx, |call, headers| -> Outcome<Document> {
        let file = call.path(path)?.file;
        Ok(call.context().app.library.schema(file.as_str())?.unless_current(headers))
    })
    .await
}
