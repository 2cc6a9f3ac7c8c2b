//! What runs before dropshot routes a request: does this host serve an operation there? If not, the
//! answer is given here, because dropshot's own would lack the standard headers.
//!
//! dropshot has no middleware, but its version policy sees every request first and may refuse it.

use super::HostContext;
use crate::gate::trace::{self, Inbound};
use argus_openapi::Host;
use argus_openapi::api::argus_api_mod;
use argus_openapi::contract::ARGUS;
use argus_openapi::http::StandardHeaders;
use argus_openapi::types::error::ErrorCode;
use dropshot::semver::Version;
use dropshot::{Body, ClientErrorStatusCode, DynamicVersionPolicy, HttpError};
use http::header::ALLOW;
use http::{HeaderValue, Method, Request};
use percent_encoding::percent_decode_str;
use std::fmt;

/// The paths of one host, from the trait.
pub(super) struct Routing {
    paths: matchit::Router<Vec<Method>>,
    version: Version,
    context: HostContext,
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").field("host", &self.context.host).finish_non_exhaustive()
    }
}

impl Routing {
    /// The paths that the context's host serves.
    pub(super) fn new(context: HostContext) -> Result<Self, String> {
        let router = argus_api_mod::stub_api_description().map_err(|error| error.to_string())?.into_router();
        let mut methods = std::collections::BTreeMap::<String, Vec<Method>>::new();
        for (path, method, endpoint) in router.endpoints(None) {
            let row = context
                .app
                .contract
                .row(&endpoint.operation_id)
                .ok_or_else(|| format!("{} has no row in the operation table", endpoint.operation_id))?;
            if row.hosts.contains(&context.host) {
                let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
                methods.entry(path).or_default().push(method);
            }
        }
        let mut paths = matchit::Router::new();
        for (path, methods) in methods {
            paths.insert(path, methods).map_err(|error| error.to_string())?;
        }
        let version = Version::parse(ARGUS.version).map_err(|error| error.to_string())?;
        Ok(Self { paths, version, context })
    }

    /// The refusal of a request that no operation of this host takes.
    fn check(&self, request: &Request<Body>) -> Result<(), Refusal> {
        let path = request.uri().path();
        let Ok(found) = self.paths.at(path) else {
            return Err(if is_canonical(path) { Refusal::NoSuchOperation } else { Refusal::BadPath });
        };
        // Beyond its parameters, a path that matches stands in the table as it is.
        if !found.params.iter().all(|(_, value)| is_canonical(value)) {
            return Err(Refusal::BadPath);
        }
        let methods = found.value;
        if methods.contains(request.method()) { Ok(()) } else { Err(Refusal::NoSuchMethod(allow(methods))) }
    }

    fn refuse(&self, request: &Request<Body>, refusal: Refusal) -> HttpError {
        self.context.app.metrics.count_unrouted();
        let (code, message, allow) = match refusal {
            Refusal::BadPath => (
                ErrorCode::InvalidRequest,
                "the path must be percent-encoded UTF-8 without empty or dot segments",
                None,
            ),
            Refusal::NoSuchOperation => (ErrorCode::NotFound, "this host has no such operation", None),
            Refusal::NoSuchMethod(allow) => {
                (ErrorCode::MethodNotAllowed, "the path takes the methods that Allow lists", Some(allow))
            }
        };
        let status =
            ClientErrorStatusCode::from_u16(code.status()).unwrap_or(ClientErrorStatusCode::NOT_FOUND);
        let mut error = HttpError::for_client_error(Some(code.to_string()), status, message.to_owned());
        if let Some(allow) = allow {
            error.headers_mut().insert(ALLOW, allow);
        }
        self.standard_headers(request).stamp(error.headers_mut());
        error
    }

    fn standard_headers(&self, request: &Request<Body>) -> StandardHeaders {
        let sandbox = self.context.host == Host::Sandbox;
        let ids = if sandbox {
            argus_sandbox::derive_trace(None, &format!("{} {}", request.method(), request.uri()))
        } else {
            trace::fresh_ids(&self.context.app.clock)
        };
        trace::standard_headers(Inbound::of(request.headers()).as_ref(), ids, sandbox)
    }
}

impl DynamicVersionPolicy for Routing {
    fn request_extract_version(
        &self,
        request: &Request<Body>,
        _: &slog::Logger,
    ) -> Result<Version, HttpError> {
        match self.check(request) {
            Ok(()) => Ok(self.version.clone()),
            Err(refusal) => Err(self.refuse(request, refusal)),
        }
    }
}

enum Refusal {
    BadPath,
    NoSuchOperation,
    NoSuchMethod(HeaderValue),
}

/// Whether dropshot's router would take the path as it stands: what it would refuse by itself is
/// refused here instead, and what it would normalise is not an operation of the contract.
fn is_canonical(path: &str) -> bool {
    let decodes = !path.contains('%') || percent_decode_str(path).decode_utf8().is_ok();
    decodes && !path.contains("//") && !path.split('/').any(|segment| segment == "." || segment == "..")
}

fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    names.sort_unstable();
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}
