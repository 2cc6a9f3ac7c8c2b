//! The endpoints of one host: the operations that it serves, `HEAD` beside each `GET`, and `OPTIONS` on
//! every path. They come from the trait and the operation table. dropshot chooses among endpoints of one path
//! and method by a version: here, by what is to become of the request's body. So what takes none stands there
//! twice, and beside all of them an endpoint that refuses.

use super::refusal::{Head, Refusal};
use super::{HostContext, live, options, sandbox};
use crate::discovery;
use crate::gate::{Sender, settle};
use argus_openapi::api::argus_api_mod;
use argus_openapi::http::{EmptyReply, Unread};
use argus_openapi::row::RequestBody;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::{Host, Operation, OperationRow};
use dropshot::semver::Version;
use dropshot::{
    ApiDescription, ApiEndpoint, ApiEndpointBodyContentType, ApiEndpointParameter,
    ApiEndpointParameterLocation, ApiEndpointResponse, ApiEndpointVersions, Body, ExtensionMode, HttpError,
    Path, RawRequest, RequestContext, SharedExtractor,
};
use http::{Method, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// dropshot wants a media type, body or not.
const JSON: &str = dropshot::CONTENT_TYPE_JSON;

/// The methods whose requests have an endpoint that refuses them. Of any other, the body is not read.
pub(super) const USUAL_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// What becomes of a request, as dropshot's versions tell endpoints of one path and method apart.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It has no body.
    Bare = 1,
    /// It has one, whether its operation takes it or not.
    WithBody,
    /// It has one, and no operation takes the request.
    Refused,
}

impl Kind {
    /// The version by which dropshot finds the endpoint.
    pub(super) const fn version(self) -> Version {
        Version::new(self as u64, 0, 0)
    }

    /// The versions of an endpoint that takes these kinds of requests.
    fn versions(from: Self, to: Self) -> Result<ApiEndpointVersions, String> {
        let after = Version::new(to as u64 + 1, 0, 0);
        ApiEndpointVersions::from_until(from.version(), after).map_err(str::to_owned)
    }
}

/// What one host answers.
pub(super) struct Endpoints {
    /// For dropshot.
    pub(super) description: ApiDescription<HostContext>,
    /// What is at each path, as it is published.
    pub(super) paths: BTreeMap<String, Arc<Resource>>,
}

/// What is at one path.
pub(super) struct Resource {
    /// The methods that it takes.
    pub(super) methods: Vec<Method>,
    /// Whether pages of any origin may read its replies.
    pub(super) is_open: bool,
}

/// An operation that the trait describes.
struct Served<'d> {
    row: &'static OperationRow,
    method: Method,
    endpoint: &'d ApiEndpoint<HostContext>,
}

impl Endpoints {
    /// The endpoints of the context's host.
    pub(super) fn of(context: &HostContext) -> Result<Self, String> {
        let described = match context.host {
            Host::Auth | Host::Api => argus_api_mod::api_description::<live::LiveHost>(),
            Host::Sandbox => argus_api_mod::api_description::<sandbox::SandboxHost>(),
        };
        let router = described.map_err(|error| error.to_string())?.into_router();
        let mut paths = BTreeMap::<String, Vec<Served<'_>>>::new();
        for (path, method, endpoint) in router.endpoints(None) {
            let id = &endpoint.operation_id;
            let row = context.app.contract.row(id);
            let row = row.ok_or_else(|| format!("{id} has no row in the operation table"))?;
            if !row.served_by(context.host) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
            if row.id == Operation::OauthMetadataView.id()
                && let Some(issuer_path) = discovery::issuer_path(context.app.identity.issuer())
            {
                let served = Served { row, method: method.clone(), endpoint };
                paths.entry(format!("{path}{issuer_path}")).or_default().push(served);
            }
            paths.entry(path).or_default().push(Served { row, method, endpoint });
        }
        let mut endpoints = Self { description: ApiDescription::new(), paths: BTreeMap::new() };
        for (path, served) in &paths {
            endpoints.add(path, served)?;
        }
        Ok(endpoints)
    }

    /// Adds what is served at one path.
    fn add(&mut self, path: &str, served: &[Served<'_>]) -> Result<(), String> {
        let mut methods: Vec<Method> = served.iter().map(|served| served.method.clone()).collect();
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.push(Method::OPTIONS);
        methods.sort_by(|left, right| left.as_str().cmp(right.as_str()));
        for Served { row, method, endpoint } in served {
            if row.body == RequestBody::None {
                self.register(path, method, endpoint)?;
            } else {
                // Its handler sees to the body.
                self.insert(ApiEndpoint {
                    versions: Kind::versions(Kind::Bare, Kind::WithBody)?,
                    request_body_max_bytes: Some(row.body_max_bytes),
                    ..without_body(path, method, endpoint)?
                })?;
            }
            if *method == Method::GET {
                self.register(path, &Method::HEAD, endpoint)?;
            }
        }
        let headers = options::headers(&methods, served.iter().map(|served| served.row));
        self.register(path, &Method::OPTIONS, &options(headers))?;
        let is_open = served.iter().any(|served| served.row.is_open());
        let resource = Arc::new(Resource { methods, is_open });
        for method in &USUAL_METHODS {
            self.insert(refused(path, method, &resource)?)?;
        }
        let published = served.iter().find_map(|served| served.row.published_path);
        let path = published.map_or(path, |published| published.template);
        self.paths.insert(path.to_owned(), resource);
        Ok(())
    }

    /// Adds an endpoint that takes no body.
    fn register(
        &mut self,
        path: &str,
        method: &Method,
        endpoint: &ApiEndpoint<HostContext>,
    ) -> Result<(), String> {
        self.insert(without_body(path, method, endpoint)?)?;
        self.insert(with_body(path, method, endpoint)?)
    }

    fn insert(&mut self, endpoint: ApiEndpoint<HostContext>) -> Result<(), String> {
        self.description.register(endpoint).map_err(|error| error.to_string())
    }
}

/// The endpoint for requests without a body.
fn without_body(
    path: &str,
    method: &Method,
    endpoint: &ApiEndpoint<HostContext>,
) -> Result<ApiEndpoint<HostContext>, String> {
    Ok(ApiEndpoint {
        operation_id: endpoint.operation_id.clone(),
        handler: Arc::clone(&endpoint.handler),
        method: method.clone(),
        path: path.to_owned(),
        parameters: variables(path).filter_map(variable).collect(),
        body_content_type: endpoint.body_content_type.clone(),
        request_body_max_bytes: endpoint.request_body_max_bytes,
        response: ApiEndpointResponse::default(),
        error: None,
        summary: None,
        description: None,
        tags: Vec::new(),
        extension_mode: ExtensionMode::None,
        visible: false,
        deprecated: endpoint.deprecated,
        versions: Kind::versions(Kind::Bare, Kind::Bare)?,
    })
}

/// The endpoint for requests with a body that is of no use to their handler.
fn with_body(
    path: &str,
    method: &Method,
    endpoint: &ApiEndpoint<HostContext>,
) -> Result<ApiEndpoint<HostContext>, String> {
    let handler = Arc::clone(&endpoint.handler);
    let settled = move |rqctx: RequestContext<HostContext>, request: RawRequest| {
        let handler = Arc::clone(&handler);
        async move {
            let (parts, body) = request.into_inner().into_parts();
            let sender = Sender::of(parts.version, &parts.headers);
            let request = Request::from_parts(parts, Body::empty());
            // Handlers answer with replies; what they let through here is a defect of the table.
            let outcome = handler.handle_request(rqctx, request).await;
            let mut response = outcome.map_err(|_| Error {
                error_code: ErrorCode::Internal,
                message: "a fault on this side".to_owned(),
            })?;
            settle(Unread::of(body), sender, response.headers_mut()).await;
            Ok::<_, Error>(response)
        }
    };
    let all = ApiEndpointVersions::All;
    let settled = ApiEndpoint::new(String::new(), settled, Method::GET, JSON, path, all);
    Ok(ApiEndpoint {
        handler: settled.handler,
        versions: Kind::versions(Kind::WithBody, Kind::WithBody)?,
        ..without_body(path, method, endpoint)?
    })
}

/// The endpoint for requests with a body that no operation takes: those of another method, and those without
/// a valid `Host`.
fn refused(
    path: &str,
    method: &Method,
    resource: &Arc<Resource>,
) -> Result<ApiEndpoint<HostContext>, String> {
    let resource = Arc::clone(resource);
    let refuse = move |rqctx: RequestContext<HostContext>, request: RawRequest| {
        let resource = Arc::clone(&resource);
        async move {
            let head = Head::from(&rqctx.request);
            let refusal = if head.has_host() { Refusal::NoSuchMethod } else { Refusal::BadHost };
            let mut error = refusal.answer(rqctx.context(), head, Some(&resource));
            let sender = Sender::of(head.version, head.headers);
            settle(Unread::of(request.into_inner().into_body()), sender, error.headers_mut()).await;
            Err::<EmptyReply, HttpError>(error)
        }
    };
    let all = ApiEndpointVersions::All;
    let refused = ApiEndpoint::new("refused".to_owned(), refuse, method.clone(), JSON, path, all);
    Ok(ApiEndpoint {
        versions: Kind::versions(Kind::Refused, Kind::Refused)?,
        ..without_body(path, method, &refused)?
    })
}

/// The endpoint that answers `OPTIONS` with these headers.
fn options(headers: http::HeaderMap) -> ApiEndpoint<HostContext> {
    let headers = Arc::new(headers);
    let answer = move |rqctx: RequestContext<HostContext>| {
        let headers = Arc::clone(&headers);
        async move { Ok::<_, Error>(options::answer(&rqctx, &headers)) }
    };
    ApiEndpoint::new("options".to_owned(), answer, Method::OPTIONS, JSON, "", ApiEndpointVersions::All)
}

/// The path's variables.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// A path variable as dropshot wants it described.
fn variable(name: &str) -> Option<ApiEndpointParameter> {
    /// Any segment.
    #[derive(Deserialize, JsonSchema)]
    struct Segment {
        #[serde(rename = "segment")]
        _segment: String,
    }
    let described = <Path<Segment> as SharedExtractor>::metadata(ApiEndpointBodyContentType::default());
    let schema = described.parameters.into_iter().next()?.schema;
    let place = ApiEndpointParameterLocation::Path;
    Some(ApiEndpointParameter::new_named(&place, name.to_owned(), None, true, schema, Vec::new()))
}
