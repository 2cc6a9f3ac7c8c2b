//! The endpoints of one host: the operations that it serves, `HEAD` beside each `GET`, and `OPTIONS` on
//! every path. They come from the trait and the operation table. What takes no body stands there twice,
//! because dropshot chooses among endpoints of one path by a version: here, by whether the request has one
//! all the same.

use super::{HostContext, live, options, sandbox};
use crate::discovery;
use crate::gate::{Sender, settle};
use argus_openapi::api::argus_api_mod;
use argus_openapi::http::Unread;
use argus_openapi::row::RequestBody;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::{Host, Operation, OperationRow};
use dropshot::semver::Version;
use dropshot::{
    ApiDescription, ApiEndpoint, ApiEndpointBodyContentType, ApiEndpointParameter,
    ApiEndpointParameterLocation, ApiEndpointResponse, ApiEndpointVersions, Body, ExtensionMode, Path,
    RawRequest, RequestContext, SharedExtractor,
};
use http::{Method, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// dropshot wants a media type, body or not.
const JSON: &str = dropshot::CONTENT_TYPE_JSON;

/// What one host answers.
pub(super) struct Endpoints {
    /// For dropshot.
    pub(super) description: ApiDescription<HostContext>,
    /// What is at each path, as it is published.
    pub(super) paths: BTreeMap<String, Resource>,
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
                    versions: ApiEndpointVersions::All,
                    request_body_max_bytes: Some(row.body_max_bytes),
                    ..without_body(path, method, endpoint)
                })?;
            }
            if *method == Method::GET {
                self.register(path, &Method::HEAD, endpoint)?;
            }
        }
        let headers = options::headers(&methods, served.iter().map(|served| served.row));
        self.register(path, &Method::OPTIONS, &options(headers))?;
        let published = served.iter().find_map(|served| served.row.published_path);
        let path = published.map_or(path, |published| published.template);
        let is_open = served.iter().any(|served| served.row.is_open());
        self.paths.insert(path.to_owned(), Resource { methods, is_open });
        Ok(())
    }

    /// Adds an endpoint that takes no body.
    fn register(
        &mut self,
        path: &str,
        method: &Method,
        endpoint: &ApiEndpoint<HostContext>,
    ) -> Result<(), String> {
        self.insert(without_body(path, method, endpoint))?;
        self.insert(with_body(path, method, endpoint))
    }

    fn insert(&mut self, endpoint: ApiEndpoint<HostContext>) -> Result<(), String> {
        self.description.register(endpoint).map_err(|error| error.to_string())
    }
}

/// The version by which dropshot finds the endpoint of a request.
pub(super) const fn version(has_body: bool) -> Version {
    Version::new(if has_body { 2 } else { 1 }, 0, 0)
}

/// The endpoint for requests without a body.
fn without_body(
    path: &str,
    method: &Method,
    endpoint: &ApiEndpoint<HostContext>,
) -> ApiEndpoint<HostContext> {
    ApiEndpoint {
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
        versions: ApiEndpointVersions::until(version(true)),
    }
}

/// The endpoint for requests with a body that is of no use to their handler.
fn with_body(path: &str, method: &Method, endpoint: &ApiEndpoint<HostContext>) -> ApiEndpoint<HostContext> {
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
    ApiEndpoint {
        handler: settled.handler,
        versions: ApiEndpointVersions::from(version(true)),
        ..without_body(path, method, endpoint)
    }
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
