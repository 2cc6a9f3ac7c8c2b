//! What runs before dropshot routes a request: does this host serve an operation there, and which endpoint of
//! it answers? dropshot has no middleware, but its version policy sees every request first and may refuse it.
//!
//! A refusal from here cannot read the request's body, so that one with a body is left to an endpoint that
//! refuses wherever there is one: at every path of the host, for every usual method. Where there is none the
//! connection ends with the answer, and a sender of a long body may be cut off before it has read that.

use super::HostContext;
use super::endpoints::{Kind, Resource, USUAL_METHODS};
use super::refusal::{Head, Refusal};
use dropshot::{Body, DynamicVersionPolicy, HttpError, semver};
use http::header::CONNECTION;
use http::{HeaderValue, Request, Version};
use hyper::body::Body as _;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The paths of one host.
pub(super) struct Routing {
    paths: matchit::Router<Arc<Resource>>,
    context: HostContext,
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").field("host", &self.context.host).finish_non_exhaustive()
    }
}

impl Routing {
    /// The paths that the context's host serves.
    pub(super) fn new(context: HostContext, served: BTreeMap<String, Arc<Resource>>) -> Result<Self, String> {
        let mut paths = matchit::Router::new();
        for (path, resource) in served {
            paths.insert(path, resource).map_err(|error| error.to_string())?;
        }
        Ok(Self { paths, context })
    }

    /// What is at a path.
    fn resource(&self, path: &str) -> Result<&Resource, Refusal> {
        let Ok(found) = self.paths.at(path) else {
            return Err(if is_canonical(path) { Refusal::NoSuchOperation } else { Refusal::BadPath });
        };
        // Beyond its parameters, a path that matches stands in the table as it is.
        if found.params.iter().all(|(_, value)| is_canonical(value)) {
            Ok(found.value)
        } else {
            Err(Refusal::BadPath)
        }
    }

    /// The refusal of a request that no operation of this host takes.
    fn check(&self, head: Head<'_>) -> Result<(), Refusal> {
        if !head.has_host() {
            return Err(Refusal::BadHost);
        }
        let resource = self.resource(head.uri.path())?;
        if resource.methods.contains(head.method) { Ok(()) } else { Err(Refusal::NoSuchMethod) }
    }

    /// Whether an endpoint can refuse a request.
    fn has_endpoint(&self, head: Head<'_>) -> bool {
        USUAL_METHODS.contains(head.method) && self.resource(head.uri.path()).is_ok()
    }

    fn refuse(&self, head: Head<'_>, refusal: Refusal, has_body: bool) -> HttpError {
        let at = self.paths.at(head.uri.path()).ok().map(|found| &**found.value);
        let mut error = refusal.answer(&self.context, head, at);
        // Nobody reads the body, and dropshot does not give it away.
        if has_body && head.version < Version::HTTP_2 {
            error.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        error
    }
}

impl DynamicVersionPolicy for Routing {
    fn request_extract_version(
        &self,
        request: &Request<Body>,
        _: &slog::Logger,
    ) -> Result<semver::Version, HttpError> {
        let (head, has_body) = (Head::from(request), !request.body().is_end_stream());
        let kind = match self.check(head) {
            Ok(()) if has_body => Kind::WithBody,
            Ok(()) => Kind::Bare,
            Err(_) if has_body && self.has_endpoint(head) => Kind::Refused,
            Err(refusal) => return Err(self.refuse(head, refusal, has_body)),
        };
        Ok(kind.version())
    }
}

/// Whether dropshot's router would take the path as it stands: what it would refuse by itself is
/// refused here instead, and what it would normalise is not an operation of the contract.
fn is_canonical(path: &str) -> bool {
    let decodes = !path.contains('%') || percent_decode_str(path).decode_utf8().is_ok();
    decodes && !path.contains("//") && !path.split('/').any(|segment| segment == "." || segment == "..")
}
