//! An open call: what a handler may know of its request.

use super::principal::{Anonymous, Live, Sandboxed, TokenAudience};
use super::refusal;
use crate::hosts::HostContext;
use crate::identity::Identity;
use crate::problem::{Outcome, Problem};
use argus_openapi::http::{Body, Checked};
use argus_openapi::types::error::Error;
use argus_openapi::{Access, Operation};
use argus_sandbox::{Mock, Preferences, Request};
use dropshot::{Header, Path, Query, RequestContext};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use validator::Validate;

const PREFER: http::HeaderName = http::HeaderName::from_static("prefer");

/// A request that passed the gate, with its caller as the type `P`.
pub struct Call<P> {
    pub(super) rqctx: RequestContext<HostContext>,
    /// Which operation was called.
    pub operation: Operation,
    /// Who calls.
    pub caller: P,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::new(error.error_code, error.message)
    }
}

impl<P> Call<P> {
    /// The host's state.
    pub fn context(&self) -> &HostContext {
        self.rqctx.context()
    }

    /// The path parameters.
    pub fn path<T>(&self, path: Checked<Path<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Send + Sync,
    {
        Ok(path.into_result()?.into_inner())
    }

    /// The query parameters, within their bounds.
    pub fn query<T>(&self, query: Checked<Query<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync,
    {
        within_bounds(query.into_result()?.into_inner())
    }

    /// The documented request headers, within their bounds.
    pub fn headers<T>(&self, headers: Checked<Header<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync,
    {
        within_bounds(headers.into_result()?.into_inner())
    }

    /// The request body, within its bounds.
    pub async fn body<T>(&self, body: Body<T>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync + 'static,
    {
        within_bounds(body.read(&self.rqctx).await?)
    }

    /// The request body, or its default where none was sent.
    pub async fn optional_body<T>(&self, body: Body<T>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Default + Send + Sync + 'static,
    {
        if body.is_empty() { Ok(T::default()) } else { self.body(body).await }
    }

    /// A form body, whose own rules the operation checks.
    pub async fn form<T>(&self, body: Body<T>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Send + Sync + 'static,
    {
        Ok(body.read(&self.rqctx).await?)
    }

    /// The value of a request header, if it is there once and is text.
    pub fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.rqctx.request.headers().get(name)?.to_str().ok()
    }
}

fn within_bounds<T: Validate>(value: T) -> Outcome<T> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(errors) => Err(Problem::invalid(explain(&errors))),
    }
}

/// The broken bounds by field, in a stable order.
fn explain(errors: &validator::ValidationErrors) -> String {
    let mut parts: Vec<String> = errors
        .field_errors()
        .iter()
        .flat_map(|(field, errors)| errors.iter().map(move |error| explain_one(field, error)))
        .collect();
    parts.sort();
    parts.join("; ")
}

fn explain_one(field: &str, error: &validator::ValidationError) -> String {
    if let Some(message) = &error.message {
        return format!("`{field}` {message}");
    }
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    let unit = if error.code == "length" { " in length" } else { "" };
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => format!("`{field}` must be {min} to {max}{unit}"),
        (Some(min), None) => format!("`{field}` must be at least {min}{unit}"),
        (None, Some(max)) => format!("`{field}` must be at most {max}{unit}"),
        (None, None) => format!("`{field}` does not fit the contract"),
    }
}

/// A kind of caller that the gate can let through.
pub trait Caller: Sized + Send {
    /// The caller of a request, or the refusal.
    fn admit(rqctx: &RequestContext<HostContext>, operation: Operation) -> Outcome<Self>;
}

impl Caller for Anonymous {
    fn admit(_: &RequestContext<HostContext>, operation: Operation) -> Outcome<Self> {
        match operation.spec().access {
            Access::Public | Access::Client => Ok(Self),
            // Only a wrong wrapper in a host's trait impl leads here; deny by default.
            Access::AnyToken | Access::Scope(_) => Err(refusal::missing_token()),
        }
    }
}

impl Caller for Live {
    fn admit(rqctx: &RequestContext<HostContext>, operation: Operation) -> Outcome<Self> {
        let verified = verified(rqctx)?;
        match verified.audience {
            TokenAudience::Live => {}
            TokenAudience::Sandbox(_) => return Err(refusal::sandbox_token_on_live_host()),
            TokenAudience::Other => return Err(refusal::invalid_token("the token is for another audience")),
        }
        permitted(&verified.principal, operation)?;
        Ok(Self(verified))
    }
}

impl Caller for Sandboxed {
    fn admit(rqctx: &RequestContext<HostContext>, operation: Operation) -> Outcome<Self> {
        let verified = verified(rqctx)?;
        let TokenAudience::Sandbox(scenarios) = &verified.audience else {
            return Err(refusal::live_token_on_sandbox_host());
        };
        permitted(&verified.principal, operation)?;
        let scenarios = Arc::clone(scenarios);
        Ok(Self { verified, scenarios })
    }
}

fn verified(rqctx: &RequestContext<HostContext>) -> Outcome<Arc<super::principal::Verified>> {
    rqctx.context().app.verifier.verify(rqctx.request.headers())
}

fn permitted(principal: &super::Principal, operation: Operation) -> Outcome<()> {
    match operation.spec().access {
        Access::Scope(required) if !principal.holds(required) => Err(refusal::insufficient_scope(required)),
        _ => Ok(()),
    }
}

impl Call<Live> {
    /// Tenants, apps, keys and tokens.
    pub fn identity(&self) -> &Identity {
        &self.context().app.identity
    }
}

impl Call<Anonymous> {
    /// Tenants, apps, keys and tokens.
    pub fn identity(&self) -> &Identity {
        &self.context().app.identity
    }
}

impl Call<Sandboxed> {
    /// What the sandbox answers to this caller, its preferences considered.
    pub fn answer(&self, request: Request<'_>) -> Outcome<Mock> {
        let headers = self.rqctx.request.headers().get_all(PREFER).iter();
        let preferences = Preferences::parse(headers.filter_map(|value| value.to_str().ok()))?;
        let caller = argus_sandbox::Caller {
            tenant_id: &self.caller.tenant_id,
            organization_id: &self.caller.organization_id,
            secrecy_level: self.caller.secrecy_level,
            scenarios: self.caller.scenarios(),
            preferences: &preferences,
        };
        Ok(self.context().app.sandbox.answer(&caller, request))
    }
}
