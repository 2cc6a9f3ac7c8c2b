//! The one wrapper around every handler. Its steps stand in [`answer`], in their order; a reply can only
//! be made by the last of them, so that none loses its headers.

use super::call::Call;
use super::credentials::Credentials;
use super::entry::Entry;
use super::problem::{Outcome, Problem};
use super::render::{Render, Rendered};
use super::unread::{Content, Sender, settle};
use crate::hosts::HostContext;
use argus_openapi::api::Answer;
use argus_openapi::headers;
use argus_openapi::http::FromStamped;
use dropshot::RequestContext;

/// Answers a request with what `handler` makes of it, if the operation's row and the caller's
/// credentials allow it. Limits of what callers do, once there are any, stand between caller and handler; those of
/// failures to authenticate stand with the credentials.
pub async fn answer_body<C, B, T, R>(
    rqctx: RequestContext<HostContext>,
    credentials: C,
    mut body: B,
    handler: impl AsyncFnOnce(&mut Call<'_, C::Caller, B>) -> Outcome<T>,
) -> Answer<R>
where
    C: Credentials<B>,
    B: Content,
    T: Render<R>,
    R: FromStamped,
{
    // Trace and host row.
    let entry = Entry::of(&rqctx)?;
    // Caller, precondition, handler.
    let admitted = entry.admit(credentials, &mut body).await;
    let outcome = match admitted.and_then(|caller| may_perform(&entry).map(|()| caller)) {
        Ok(caller) => handler(&mut Call { entry: &entry, caller, body: &mut body }).await,
        Err(problem) => Err(problem),
    };
    let mut rendered = match outcome {
        Ok(value) => value.render(&entry),
        Err(problem) => refuse(&entry, problem),
    };
    // What was not read.
    if let Some(unread) = body.into_unread() {
        let sender = Sender::of(entry.request().version(), entry.request().headers());
        settle(unread, sender, rendered.response.headers_mut()).await;
    }
    // Stamp and count.
    Ok(R::from_stamped(entry.stamp(rendered)))
}

/// Whether the request's conditions let the operation be performed.
fn may_perform(entry: &Entry<'_>) -> Outcome<()> {
    Ok(headers::precondition(entry.row, entry.request().headers())?)
}

/// Answers a request for an operation that takes no body.
pub fn answer<C, T, R>(
    rqctx: RequestContext<HostContext>,
    credentials: C,
    handler: impl AsyncFnOnce(&mut Call<'_, C::Caller, ()>) -> Outcome<T>,
) -> impl Future<Output = Answer<R>>
where
    C: Credentials<()>,
    T: Render<R>,
    R: FromStamped,
{
    answer_body(rqctx, credentials, (), handler)
}

/// The reply to a problem. What an operator needs to know of it goes to the log here, once.
fn refuse(entry: &Entry<'_>, problem: Problem) -> Rendered {
    if let Some(cause) = problem.cause() {
        tracing::error!(operation = entry.row.id, cause = %cause, "operation failed");
    }
    problem.render(entry)
}
