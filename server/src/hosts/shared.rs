//! Operations that more than one host serves in the same way: health and the published documents.

use super::HostContext;
use crate::discovery::{self, Document, Library};
use crate::gate::{Nobody, Outcome, Problem, answer};
use argus_openapi::api::Answer;
use argus_openapi::http::{Checked, DocumentReply, Reply};
use argus_openapi::types::discovery::{DataSchemaPath, HostDocument, HostDocumentPath, ProtectedResource};
use argus_openapi::types::error::ErrorCode;
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
        let app = call.app();
        Ok(discovery::protected_resource(call.identity(), host, app.base_urls.of(host), &app.docs_url))
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

/// What the request's conditions select, in the order of RFC 9110, section 13.2.2.
pub(super) fn selected(document: &Document, request: &HeaderMap) -> Outcome<Document> {
    match document.unwanted_tag(request) {
        Some(current) => Err(Problem::precondition_failed().with_tag(current)),
        None => Ok(document.unless_current(request)),
    }
}

pub(super) async fn host_descriptor(
    rqctx: RequestContext<HostContext>,
    path: Checked<Path<HostDocumentPath>>,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| {
        let name = call.path(path).map(|path| path.document).ok();
        let descriptor = name.and_then(|name| call.app().library.host(name));
        let descriptor = descriptor.ok_or_else(|| {
            let names: Vec<String> = HostDocument::all().map(|name| name.to_string()).collect();
            Problem::new(ErrorCode::NotFound, format!("no such descriptor; there are {}", names.join(", ")))
        })?;
        selected(descriptor, call.headers())
    })
    .await
}

pub(super) async fn data_schema(
    rqctx: RequestContext<HostContext>,
    path: Checked<Path<DataSchemaPath>>,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| {
        let file = call.path(path)?.file;
        let schema = call.app().library.schema(file.as_str());
        let schema = schema.ok_or_else(|| Problem::not_found("data schema"))?;
        selected(schema, call.headers())
    })
    .await
}
