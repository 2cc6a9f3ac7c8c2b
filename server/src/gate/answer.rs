//! How a handler's outcome becomes a reply: the gate is opened before the handler runs, and the
//! standard headers are stamped on whatever comes out.

use super::call::{Call, Caller};
use super::principal::{Anonymous, Live, Sandboxed};
use super::trace::{self, Inbound};
use crate::discovery::{Document, publish};
use crate::hosts::HostContext;
use crate::identity::oauth::OauthProblem;
use crate::problem::{Outcome, Problem};
use argus_openapi::api::Answer;
use argus_openapi::http::{DocumentReply, FromStamped, Reply, Stamped, StandardHeaders};
use argus_openapi::types::error::{Error, ErrorCode, OauthError};
use argus_openapi::{Host, Operation};
use argus_sandbox::Mock;
use argus_wire::trace_context::TraceIds;
use dropshot::RequestContext;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a reply needs of its request after the handler has consumed the call.
struct Envelope {
    context: HostContext,
    operation: Operation,
    inbound: Option<Inbound>,
    method: http::Method,
    uri: Uri,
    log: slog::Logger,
}

impl Envelope {
    fn of(rqctx: &RequestContext<HostContext>) -> Option<Self> {
        Some(Self {
            context: rqctx.context().clone(),
            operation: Operation::from_id(&rqctx.endpoint.operation_id)?,
            inbound: Inbound::of(rqctx.request.headers()),
            method: rqctx.request.method().clone(),
            uri: rqctx.request.uri().clone(),
            log: rqctx.log.clone(),
        })
    }

    /// Trace ids of a reply that is not a mock's.
    fn trace_ids(&self) -> TraceIds {
        match self.context.host {
            Host::Sandbox => self.context.app.sandbox.derive_trace(
                Some(self.operation),
                &format!("{} {}", self.method, self.uri.path_and_query().map_or("/", |path| path.as_str())),
            ),
            Host::Auth | Host::Api => trace::random_ids(),
        }
    }

    /// Stamps and counts the response.
    fn send<R: FromStamped>(self, ids: &TraceIds, response: Response<dropshot::Body>) -> Answer<R> {
        let sandbox = self.context.host == Host::Sandbox;
        self.context.app.metrics.count(self.context.host, self.operation, response.status());
        let standard: StandardHeaders = trace::standard_headers(self.inbound, ids, sandbox);
        Ok(R::from_stamped(Stamped::new(standard, response)))
    }

    fn send_problem<R: FromStamped>(self, problem: Problem) -> Answer<R> {
        let ids = self.trace_ids();
        if let Some(cause) = &problem.cause {
            slog::error!(self.log, "operation failed"; "operation" => self.operation.id(), "cause" => %cause);
        }
        let body = Error { error_code: problem.code, message: problem.message };
        let mut response = json(status(problem.code.status()), &body);
        response.headers_mut().extend(problem.headers);
        self.send(&ids, response)
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response<dropshot::Body> {
    match serde_json::to_vec(body) {
        Ok(bytes) => response(status, Some(JSON), Some(bytes)),
        // Contract types always serialise; a map with a key that is not text would not.
        Err(_) => response(StatusCode::INTERNAL_SERVER_ERROR, None, None),
    }
}

/// A response that no cache may keep: it was made for one caller.
fn response(
    status: StatusCode,
    media_type: Option<HeaderValue>,
    body: Option<Vec<u8>>,
) -> Response<dropshot::Body> {
    let mut response = Response::new(body.map_or_else(dropshot::Body::empty, dropshot::Body::from));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(10);
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Some(media_type) = media_type {
        headers.insert(CONTENT_TYPE, media_type);
    }
    response
}

/// Only a route without a row in the operation table leads here, and a test forbids one.
fn no_operation<R>() -> Answer<R> {
    Err(Error { error_code: ErrorCode::Internal, message: "the route has no operation".to_owned() })
}

async fn open<P, T, F, Fut>(
    rqctx: RequestContext<HostContext>,
    operation: Operation,
    handler: F,
) -> Outcome<T>
where
    P: Caller,
    F: FnOnce(Call<P>) -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    let caller = P::admit(&rqctx, operation)?;
    handler(Call { rqctx, operation, caller }).await
}

async fn typed<P, T, const STATUS: u16, F, Fut>(
    rqctx: RequestContext<HostContext>,
    dress: fn(&mut HeaderMap),
    handler: F,
) -> Answer<Reply<T, STATUS>>
where
    P: Caller,
    T: JsonSchema + Serialize + Send + Sync + 'static,
    F: FnOnce(Call<P>) -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    let Some(envelope) = Envelope::of(&rqctx) else { return no_operation() };
    match open(rqctx, envelope.operation, handler).await {
        Ok(body) => {
            let ids = envelope.trace_ids();
            let mut reply = json(status(STATUS), &body);
            dress(reply.headers_mut());
            envelope.send(&ids, reply)
        }
        Err(problem) => envelope.send_problem(problem),
    }
}

/// Answers an operation that needs a live token.
pub async fn live<T, const STATUS: u16, F, Fut>(
    rqctx: RequestContext<HostContext>,
    handler: F,
) -> Answer<Reply<T, STATUS>>
where
    T: JsonSchema + Serialize + Send + Sync + 'static,
    F: FnOnce(Call<Live>) -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    typed(rqctx, |_| {}, handler).await
}

/// Answers an operation that needs no token.
pub async fn public<T, const STATUS: u16, F, Fut>(
    rqctx: RequestContext<HostContext>,
    handler: F,
) -> Answer<Reply<T, STATUS>>
where
    T: JsonSchema + Serialize + Send + Sync + 'static,
    F: FnOnce(Call<Anonymous>) -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    typed(rqctx, |_| {}, handler).await
}

/// Answers an operation that needs no token and whose reply is the same for everyone: caches may keep
/// it, and pages of any origin may read it.
pub async fn published<T, const STATUS: u16, F, Fut>(
    rqctx: RequestContext<HostContext>,
    handler: F,
) -> Answer<Reply<T, STATUS>>
where
    T: JsonSchema + Serialize + Send + Sync + 'static,
    F: FnOnce(Call<Anonymous>) -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    typed(rqctx, publish, handler).await
}

/// Answers an OAuth endpoint, whose errors have a shape of their own (RFC 6749, section 5.2).
pub async fn oauth<T, const STATUS: u16, F, Fut>(
    rqctx: RequestContext<HostContext>,
    handler: F,
) -> Answer<Reply<T, STATUS>>
where
    T: JsonSchema + Serialize + Send + Sync + 'static,
    F: FnOnce(Call<Anonymous>) -> Fut,
    Fut: Future<Output = Result<T, OauthProblem>>,
{
    let Some(envelope) = Envelope::of(&rqctx) else { return no_operation() };
    let operation = envelope.operation;
    let outcome = match Anonymous::admit(&rqctx, operation) {
        Ok(caller) => handler(Call { rqctx, operation, caller }).await,
        Err(problem) => return envelope.send_problem(problem),
    };
    let ids = envelope.trace_ids();
    let reply = match outcome {
        Ok(body) => json(status(STATUS), &body),
        Err(problem) => oauth_error(&envelope.log, &problem),
    };
    envelope.send(&ids, reply)
}

fn oauth_error(log: &slog::Logger, problem: &OauthProblem) -> Response<dropshot::Body> {
    if let Some(cause) = &problem.cause {
        slog::error!(log, "operation failed"; "operation" => "oauth_token", "cause" => %cause);
    }
    let mut reply = json(status(problem.status), &OauthError::from(problem));
    if let Some(challenge) = problem.www_authenticate {
        reply.headers_mut().insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    reply
}

/// Answers an operation whose reply is a document that is served as it is.
pub async fn document<P: Caller>(
    rqctx: RequestContext<HostContext>,
    handler: impl FnOnce(Call<P>, &HeaderMap) -> Outcome<Document>,
) -> Answer<DocumentReply> {
    let Some(envelope) = Envelope::of(&rqctx) else { return no_operation() };
    let request_headers = rqctx.request.headers().clone();
    let outcome = P::admit(&rqctx, envelope.operation)
        .and_then(|caller| handler(Call { rqctx, operation: envelope.operation, caller }, &request_headers));
    match outcome {
        Ok(document) => {
            let ids = envelope.trace_ids();
            envelope.send(&ids, document.into_response())
        }
        Err(problem) => envelope.send_problem(problem),
    }
}

/// Answers an operation of the sandbox host.
pub async fn mock<R, F, Fut>(rqctx: RequestContext<HostContext>, handler: F) -> Answer<R>
where
    R: FromStamped,
    F: FnOnce(Call<Sandboxed>) -> Fut,
    Fut: Future<Output = Outcome<Mock>>,
{
    let Some(envelope) = Envelope::of(&rqctx) else { return no_operation() };
    match open(rqctx, envelope.operation, handler).await {
        Ok(mock) => {
            let media_type = mock.body.is_some().then_some(JSON);
            let mut reply = response(status(mock.status), media_type, mock.body);
            if let Some(applied) = mock.preference_applied.and_then(|text| HeaderValue::try_from(text).ok()) {
                reply.headers_mut().insert(PREFERENCE_APPLIED, applied);
            }
            if let Some(seconds) = mock.retry_after_seconds {
                reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            envelope.send(&mock.trace, reply)
        }
        Err(problem) => envelope.send_problem(problem),
    }
}
