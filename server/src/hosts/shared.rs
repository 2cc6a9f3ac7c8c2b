//! Operations that more than one host serves in the same way: health and the published documents.

use super::HostContext;
use crate::gate::{Nobody, Outcome, Problem, answer};
use argus_openapi::api::Answer;
use argus_openapi::headers::{Document, Library};
use argus_openapi::http::{Checked, DocumentReply, Reply};
use argus_openapi::types::discovery::{DataSchemaPath, HostDocumentPath, ProtectedResource};
use argus_openapi::types::internal::{Health, Readiness};
use dropshot::{Path, RequestContext};
use http::HeaderMap;

pub(super) async fn health(rqctx: RequestContext<HostContext>) -> Answer<Reply<Health, 200>> {
    answer(rqctx, Nobody, async |_| Ok(Health { status: "ok".to_owned() })).await
}

pub(super) async fn readiness(rqctx: RequestContext<HostContext>) -> Answer<Reply<Readiness, 200>> {
    let host = rqctx.context().host;
    answer(rqctx, Nobody, async |call| {
        let app = call.app();
        app.readiness.look(app, host).await.map_err(Problem::unavailable)?;
        Ok(Readiness { ready: true, store: true, signing_key: true })
    })
    .await
}

pub(super) async fn protected_resource(
    rqctx: RequestContext<HostContext>,
) -> Answer<Reply<ProtectedResource, 200>> {
    let host = rqctx.context().host;
    answer(rqctx, Nobody, async |call| {
        let base_url = call.app().base_urls.of(host);
        Ok(ProtectedResource::of(host, base_url, call.identity().issuer()))
    })
    .await
}

/// Serves a document of the library, 304 or 412.
pub(super) async fn published(
    rqctx: RequestContext<HostContext>,
    choose: impl FnOnce(&Library) -> &Document,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| selected(choose(&call.app().library), call.headers())).await
}

/// What the request's conditions select.
fn selected(document: &Document, request: &HeaderMap) -> Outcome<Document> {
    document.selected(request).map_err(|current| Problem::precondition_failed().with_tag(&current))
}

pub(super) async fn host_descriptor(
    rqctx: RequestContext<HostContext>,
    path: Checked<Path<HostDocumentPath>>,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| {
        let name = call.path(path).map(|path| path.document).ok();
        selected(call.app().library.host(name)?, call.headers())
    })
    .await
}

pub(super) async fn data_schema(
    rqctx: RequestContext<HostContext>,
    path: Checked<Path<DataSchemaPath>>,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| {
        let file = call.path(path)?.file;
        selected(call.app().library.schema(file.as_str())?, call.headers())
    })
    .await
}
