//! What runs before dropshot routes a request: does this host serve an operation there? If not, the
//! answer is given here, because dropshot's own would lack the standard headers.
//!
//! dropshot has no middleware, but its version policy sees every request first and may refuse it.

use super::endpoints::{self, Resource};
use super::{HostContext, host_header, options};
use crate::discovery;
use crate::gate::trace;
use argus_openapi::types::error::ErrorCode;
use dropshot::{Body, ClientErrorStatusCode, DynamicVersionPolicy, HttpError, semver};
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION};
use http::{HeaderValue, Request, Version};
use hyper::body::Body as _;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::fmt;

/// The paths of one host.
pub(super) struct Routing {
    paths: matchit::Router<Resource>,
    context: HostContext,
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").field("host", &self.context.host).finish_non_exhaustive()
    }
}

impl Routing {
    /// The paths that the context's host serves.
    pub(super) fn new(context: HostContext, served: BTreeMap<String, Resource>) -> Result<Self, String> {
        let mut paths = matchit::Router::new();
        for (path, resource) in served {
            paths.insert(path, resource).map_err(|error| error.to_string())?;
        }
        Ok(Self { paths, context })
    }

    /// The refusal of a request that no operation of this host takes.
    fn check(&self, request: &Request<Body>) -> Result<(), Refusal> {
        if !host_header::is_valid(request.version(), request.headers()) {
            return Err(Refusal::BadHost);
        }
        let path = request.uri().path();
        let Ok(found) = self.paths.at(path) else {
            return Err(if is_canonical(path) { Refusal::NoSuchOperation } else { Refusal::BadPath });
        };
        // Beyond its parameters, a path that matches stands in the table as it is.
        if !found.params.iter().all(|(_, value)| is_canonical(value)) {
            return Err(Refusal::BadPath);
        }
        let methods = &found.value.methods;
        if methods.contains(request.method()) {
            Ok(())
        } else {
            Err(Refusal::NoSuchMethod(options::allow(methods)))
        }
    }

    fn refuse(&self, request: &Request<Body>, refusal: Refusal) -> HttpError {
        self.context.app.metrics.count_unrouted();
        let (code, message, allow) = match refusal {
            Refusal::BadHost => {
                (ErrorCode::InvalidRequest, "the request must have one valid Host header", None)
            }
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
        let headers = error.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(allow) = allow {
            headers.insert(ALLOW, allow);
        }
        let resource = self.paths.at(request.uri().path()).ok().map(|found| found.value);
        if resource.is_some_and(|at| at.is_open && at.methods.contains(request.method())) {
            discovery::open_to_all(headers);
        }
        // Nobody reads the body, and dropshot does not give it away.
        if !request.body().is_end_stream() && request.version() < Version::HTTP_2 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        trace::unrouted(&self.context, request.method(), request.uri(), request.headers()).stamp(headers);
        error
    }
}

impl DynamicVersionPolicy for Routing {
    fn request_extract_version(
        &self,
        request: &Request<Body>,
        _: &slog::Logger,
    ) -> Result<semver::Version, HttpError> {
        match self.check(request) {
            Ok(()) => Ok(endpoints::version(!request.body().is_end_stream())),
            Err(refusal) => Err(self.refuse(request, refusal)),
        }
    }
}

enum Refusal {
    BadHost,
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
