//! An open call: what a handler may know of its request.

use super::misfit::{self, within_bounds};
use super::principal::{Anonymous, Live, Sandboxed, TokenAudience};
use super::refusal;
use crate::hosts::HostContext;
use crate::identity::Identity;
use crate::problem::{Outcome, Problem};
use argus_openapi::http::{Body, Checked, Documented};
use argus_openapi::types::error::Error;
use argus_openapi::{Access, Operation};
use argus_sandbox::{Mock, Preferences, Request};
use dropshot::{Header, Path, Query, RequestContext};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use validator::Validate;

const PREFER: &str = "Prefer";

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
        match query.into_result() {
            Ok(query) => within_bounds(query.into_inner(), |field| field.to_owned()),
            // dropshot's message does not always name the parameter.
            Err(error) => {
                let sent = self.rqctx.request.uri().query().unwrap_or_default();
                Err(misfit::query::<T>(sent).map_or_else(|| error.into(), Problem::invalid))
            }
        }
    }

    /// The one request header that the operation documents, within its bounds.
    pub fn documented_header<T>(&self, name: &'static str, _: Documented<Header<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync,
    {
        let value = self.single_header(name)?;
        let member = value.map(|value| (name.to_ascii_lowercase(), value.into()));
        let members: serde_json::Map<_, _> = member.into_iter().collect();
        let header = serde_json::from_value(members.into())
            .map_err(|error| Problem::invalid(format!("the `{name}` header does not fit: {error}")))?;
        within_bounds(header, |_| name.to_owned())
    }

    /// The request body, within its bounds.
    pub async fn body<T>(&self, body: Body<T>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync + 'static,
    {
        within_bounds(body.read(&self.rqctx).await?, |field| field.to_owned())
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

    /// The value of a request header, or none where it was not sent. A header that is repeated or is
    /// not ASCII text is an `invalid_request` that names it.
    pub fn single_header(&self, name: &str) -> Outcome<Option<&str>> {
        let mut values = self.rqctx.request.headers().get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Problem::invalid(format!("the `{name}` header is repeated")));
        }
        header_text(name, value).map(Some)
    }
}

fn header_text<'v>(name: &str, value: &'v http::HeaderValue) -> Outcome<&'v str> {
    value.to_str().map_err(|_| Problem::invalid(format!("the `{name}` header is not ASCII text")))
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
        // A list, so that it may be repeated (RFC 7240, section 2).
        let headers = self.rqctx.request.headers().get_all(PREFER).iter();
        let values = headers.map(|value| header_text(PREFER, value)).collect::<Outcome<Vec<_>>>()?;
        let preferences = Preferences::parse(values)?;
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
