//! The reference pages and their Markdown, in the language that is asked for. What they hold does not live here.

use super::HostContext;
use super::shared::selected;
use crate::discovery::{Document, Reference};
use crate::gate::{Nobody, Problem, answer};
use crate::pages::Language;
use argus_openapi::api::Answer;
use argus_openapi::http::DocumentReply;
use dropshot::RequestContext;

/// The page in a language.
pub(super) async fn page(rqctx: RequestContext<HostContext>, language: Language) -> Answer<DocumentReply> {
    serve(rqctx, |_| language, Reference::page).await
}

/// The Markdown in the language that the request prefers.
pub(super) async fn markdown(rqctx: RequestContext<HostContext>) -> Answer<DocumentReply> {
    serve(rqctx, Language::of_request, Reference::markdown).await
}

async fn serve(
    rqctx: RequestContext<HostContext>,
    language: impl FnOnce(&http::HeaderMap) -> Language,
    choose: for<'r> fn(&'r Reference, &str) -> Option<&'r Document>,
) -> Answer<DocumentReply> {
    answer(rqctx, Nobody, async |call| {
        let language = language(call.headers());
        let document = choose(&call.app().library.reference, language.tag());
        selected(document.ok_or_else(|| Problem::not_found("reference"))?, call.headers())
    })
    .await
}
