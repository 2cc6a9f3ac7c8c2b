//! The sandbox host without a socket: a whole HTTP request goes in and the response comes out, with the bytes and the
//! headers that the host sends. Only `date` and `x-request-id`, which a connection and a server add, are not there.
//!
//! What both have in common is here or in `argus_openapi::headers`, and the host on a socket calls it. Who may call is
//! not asked: whoever holds a [`Responder`] says whose token is shown.

mod objects;
mod routes;

use crate::engine::mock::Caller;
use crate::engine::preferences::Preferences;
use crate::engine::reply::MockReply;
use crate::engine::scenario_set::ScenarioSet;
use crate::partner::Sandbox;
use crate::{SignedObject, derive_trace};
use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use argus_openapi::contract::ARGUS;
use argus_openapi::headers::{self, Document, Inbound, Library, NotSent, PREFER, StandardHeaders};
use argus_openapi::read::{RequestParts, too_large};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::discovery::{DataSchemaPath, HostDocumentPath, ProtectedResource};
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::{Access, Host, Operation, OperationRow};
use argus_wire::trace_context::TraceIds;
use bytes::Bytes;
use routes::{Routed, Routes};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a mock has answered, as a response without the standard headers, and its trace.
pub fn rendered(mock: MockReply, row: &OperationRow) -> (Response<Bytes>, TraceIds) {
    let media_type = mock.body.is_some().then_some(headers::JSON);
    let mut response = headers::response(mock.status, media_type, mock.body);
    if let Some(applied) = mock.preference_applied.and_then(|text| HeaderValue::try_from(text).ok()) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    // What is refused in a mock looks as it would without.
    if let Some(error) = &mock.error {
        response.headers_mut().extend(headers::of_error(error, row));
    }
    (response, mock.trace)
}

/// Trace and span of a reply that is not a mock's.
pub fn derived_ids(row: &OperationRow, method: &Method, uri: &Uri) -> TraceIds {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // What HEAD brings are the headers of GET.
    let method = Some(method).filter(|method| **method != Method::HEAD).unwrap_or(&Method::GET);
    derive_trace(Some(row.id), &format!("{method} {path}"))
}

/// Whose token every request is taken to show. It holds every scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its tenant.
    pub tenant_id: String,
    /// Its organisation.
    pub organization_id: String,
    /// Its clearance.
    pub secrecy_level: SecrecyLevel,
    /// The scenarios that it is pinned to.
    pub scenarios: ScenarioSet,
}

impl Shown {
    /// A token of a made-up tenant that is pinned to these.
    pub fn with(scenarios: ScenarioSet) -> Self {
        let (tenant_id, organization_id) = ("tnt_sandbox".to_owned(), "org_sandbox".to_owned());
        Self { tenant_id, organization_id, secrecy_level: SecrecyLevel::default(), scenarios }
    }
}

/// Answers whole requests. It never changes after it was built, and can be shared freely.
#[derive(Clone, Debug)]
pub struct Responder {
    sandbox: Sandbox,
    shown: Shown,
    library: Library,
    routes: Routes,
}

/// Why a request is refused, and the header that goes with it beside the error's own.
struct Refusal {
    error: Error,
    header: Option<(HeaderName, HeaderValue)>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, header: None }
    }
}

impl From<NotSent> for Refusal {
    fn from(NotSent { error, header }: NotSent) -> Self {
        Self { error, header: Some(header) }
    }
}

/// A response without the standard headers, and the trace that is its own.
type Answered = (Response<Bytes>, Option<TraceIds>);

impl Responder {
    /// A host with these mocks for whoever shows such a token.
    pub fn new(sandbox: Sandbox, shown: Shown) -> Self {
        Self { sandbox, shown, library: Library::new(&ARGUS), routes: Routes::of(ARGUS.documents.json) }
    }

    /// Method and path template of an operation that the sandbox host serves.
    pub fn route(&self, operation_id: &str) -> Option<(&Method, &str)> {
        self.routes.of_operation(operation_id)
    }

    /// The response to a request: the same bytes for the same request, for ever.
    pub fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let inbound = Inbound::of(request.headers());
        let (mut response, ids) = match self.routes.find(request.method(), request.uri().path()) {
            Some(routed) => self.routed(&routed, request),
            None => unrouted(request),
        };
        StandardHeaders::new(inbound.as_ref(), ids, true).stamp(response.headers_mut());
        declare_length(&mut response);
        response
    }

    fn routed(&self, routed: &Routed, request: &Request<Bytes>) -> (Response<Bytes>, TraceIds) {
        let row = routed.operation.row();
        // A signed URL is what its caller shows, and that comes first.
        let admitted = self.admit(routed.operation, request);
        let outcome = admitted.and_then(|()| Ok(headers::precondition(row, request.headers())?));
        let (mut response, trace) = outcome.and_then(|()| self.answer(routed, request)).unwrap_or_else(
            |Refusal { error, header }| {
                let mut response = headers::refused(&ARGUS, row, &error);
                response.headers_mut().extend(header.or_else(|| headers::of_error(&error, row)));
                (response, None)
            },
        );
        if row.is_open() {
            headers::open_to_all(response.headers_mut());
        }
        (response, trace.unwrap_or_else(|| derived_ids(row, request.method(), request.uri())))
    }

    fn admit(&self, operation: Operation, request: &Request<Bytes>) -> Result<(), Refusal> {
        let is_signed = operation.row().access == Access::SignedUrl;
        if is_signed && self.signed(request).is_none() { Err(objects::not_signed()) } else { Ok(()) }
    }

    /// What the URL of a request allows.
    fn signed(&self, request: &Request<Bytes>) -> Option<SignedObject> {
        let (method, uri) = (request.method(), request.uri());
        self.sandbox.signed_object(method.as_str(), uri.path(), uri.query().unwrap_or_default())
    }

    fn answer(&self, routed: &Routed, request: &Request<Bytes>) -> Result<Answered, Refusal> {
        let sent = text_headers(request.headers());
        let parts = RequestParts {
            path: &routed.path,
            query: request.uri().query().unwrap_or_default(),
            headers: &sent,
            content_type: request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes),
            body: request.body(),
        };
        let document = |document: &Document| selected(document, request.headers());
        match routed.operation {
            Operation::OpenapiJson => document(&self.library.openapi_json),
            Operation::OpenapiYaml => document(&self.library.openapi_yaml),
            Operation::ApiCatalog => document(&self.library.api_catalog),
            Operation::OpenapiHostView => {
                let name = parts.path::<HostDocumentPath>().map(|path| path.document).ok();
                document(self.library.host(name)?)
            }
            Operation::DataSchemaView => {
                document(self.library.schema(parts.path::<DataSchemaPath>()?.file.as_str())?)
            }
            Operation::ProtectedResourceView => {
                let (base_url, issuer) = (&self.sandbox.base_url, Host::Auth.public_url());
                let body = ProtectedResource::of(Host::Sandbox, base_url, issuer);
                let mut response = headers::json(StatusCode::OK.as_u16(), &body);
                headers::keep(response.headers_mut(), routed.operation.row().caching);
                Ok((response, None))
            }
            Operation::ObjectView | Operation::ObjectCreate => Ok((self.object(request)?, None)),
            _ => self.mock(routed.operation, &parts, request.headers()),
        }
    }

    fn mock(
        &self,
        operation: Operation,
        parts: &RequestParts<'_>,
        headers: &HeaderMap,
    ) -> Result<Answered, Refusal> {
        let row = operation.row();
        if parts.body.len() > row.body_max_bytes {
            return Err(too_large(row.body_max_bytes).into());
        }
        let preferred = PREFER.list(headers).and_then(Preferences::parse);
        let preferences = preferred.as_ref().cloned().unwrap_or_default();
        let caller = Caller {
            tenant_id: &self.shown.tenant_id,
            organization_id: &self.shown.organization_id,
            secrecy_level: self.shown.secrecy_level,
            scenarios: &self.shown.scenarios,
            preferences: &preferences,
        };
        // The host reads the parts first.
        let mock = self.sandbox.answer_request(&caller, operation, parts)?;
        preferred?;
        let mock = mock.ok_or_else(no_such_operation)?;
        let (response, trace) = rendered(mock, row);
        Ok((response, Some(trace)))
    }

    fn object(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Refusal> {
        match self.signed(request) {
            Some(SignedObject::Result { key, name, bytes }) => {
                objects::view(&key, &name, &bytes, request.method(), request.headers())
            }
            Some(SignedObject::Upload { max_bytes }) => objects::discard(request.body(), max_bytes),
            None => Err(objects::not_signed()),
        }
    }
}

/// What the request's conditions select.
fn selected(document: &Document, request: &HeaderMap) -> Result<Answered, Refusal> {
    match document.selected(request) {
        Ok(document) => Ok((document.into_response(), None)),
        Err(tag) => Err(Refusal { error: headers::precondition_failed(), header: Some((ETAG, tag)) }),
    }
}

/// What is no text becomes something that is none either, so that whoever reads it refuses it.
fn text_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn no_such_operation() -> Error {
    Error { error_code: ErrorCode::NotFound, message: "this host has no such operation".to_owned() }
}

/// The answer to a request that no operation takes.
fn unrouted(request: &Request<Bytes>) -> (Response<Bytes>, TraceIds) {
    let error = no_such_operation();
    let response = headers::json(error.error_code.status(), &error);
    (response, derive_trace(None, &format!("{} {}", request.method(), request.uri())))
}

/// The length, as a connection declares it (RFC 9110, section 8.6).
fn declare_length(response: &mut Response<Bytes>) {
    let has_none = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !has_none && !response.headers().contains_key(CONTENT_LENGTH) {
        let length = response.body().len();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
}
