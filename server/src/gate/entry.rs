//! What is known of a request before anybody looks at its caller, and the stamp that its reply gets.

use super::credentials::Credentials;
use super::problem::{Outcome, Problem};
use super::render::Rendered;
use super::trace;
use crate::hosts::{App, HostContext};
use crate::observability::InProgress;
use argus_core::context::{Environment, Invocation, Principal, Trace};
use argus_core::{Clock, Context};
use argus_openapi::headers::{self, Inbound, StandardHeaders};
use argus_openapi::http::Stamped;
use argus_openapi::types::error::{Error, ErrorCode};
use argus_openapi::{Host, OperationRow};
use argus_wire::trace_context::TraceIds;
use chrono::{DateTime, Utc};
use dropshot::{RequestContext, RequestInfo};
use std::net::IpAddr;
use std::sync::Arc;

/// A request that was routed to an operation of this host.
pub struct Entry<'r> {
    pub(super) rqctx: &'r RequestContext<HostContext>,
    pub(super) row: &'static OperationRow,
    /// Where the row stands in its contract.
    position: usize,
    inbound: Option<Inbound>,
    /// Trace and span on the live hosts; the sandbox derives them from its reply.
    ids: Option<TraceIds>,
    /// When the request came.
    pub(super) now: DateTime<Utc>,
    _in_progress: InProgress<'r>,
}

impl<'r> Entry<'r> {
    /// The request's trace and its operation's row. Only a route without a row, or one that another host
    /// serves, is an error; a test forbids the first and pre-routing the second.
    pub(super) fn of(rqctx: &'r RequestContext<HostContext>) -> Result<Self, Error> {
        let host = rqctx.context();
        let app = &host.app;
        let position = host.position(&rqctx.endpoint.operation_id).ok_or_else(|| Error {
            error_code: ErrorCode::NotFound,
            message: "this host does not serve this operation".to_owned(),
        })?;
        let inbound = Inbound::of(rqctx.request.headers());
        let ids = match host.host {
            Host::Auth | Host::Api => Some(Inbound::continued(inbound.as_ref(), trace::fresh_ids())),
            Host::Sandbox => None,
        };
        let now = app.clock.now();
        let _in_progress = app.metrics.begin(host.host, position);
        Ok(Self { rqctx, row: &app.contract.rows[position], position, inbound, ids, now, _in_progress })
    }

    pub(super) fn request(&self) -> &'r RequestInfo {
        &self.rqctx.request
    }

    pub(super) fn app(&self) -> &'r App {
        &self.rqctx.context().app
    }

    pub(super) fn host(&self) -> Host {
        self.rqctx.context().host
    }

    pub(super) fn clock(&self) -> &'r Clock {
        &self.app().clock
    }

    pub(super) fn trace(&self) -> Option<Trace> {
        Some(trace::of_call(self.inbound.as_ref(), self.ids?))
    }

    /// What goes down to the domain for whoever acts.
    pub(super) fn context<E: Environment>(&self, principal: Arc<Principal>, environment: E) -> Context<E> {
        let invocation = Invocation {
            principal,
            address: Some(self.address()),
            trace: self.trace(),
            clock: self.clock().clone(),
            operation: Some(self.row),
        };
        Context::new(invocation, environment)
    }

    /// The caller's address.
    pub(super) fn address(&self) -> IpAddr {
        let peer = self.request().remote_addr().ip();
        self.app().trusted_proxies.caller(peer, self.request().headers())
    }

    /// The caller that the credentials prove. Credentials of another kind than the row asks for are a
    /// defect of a host's trait impl, which the coverage test finds; nobody passes by it.
    pub(super) async fn admit<C, B>(&self, credentials: C, body: &mut B) -> Outcome<C::Caller>
    where
        C: Credentials<B>,
    {
        if !C::satisfy(self.row.access) {
            return Err(Problem::defect(
                "the handler admits another kind of caller than the operation's row",
            ));
        }
        credentials.admit(self, body).await
    }

    /// Gives the response its standard headers, and counts it.
    pub(super) fn stamp(&self, rendered: Rendered) -> Stamped {
        let Rendered { mut response, trace } = rendered;
        let ids = trace.or(self.ids).unwrap_or_else(|| self.derived_ids());
        let sandbox = self.host() == Host::Sandbox;
        if self.row.is_open() {
            headers::open_to_all(response.headers_mut());
        }
        self.app().metrics.count(self.host(), self.position, response.status());
        let standard = StandardHeaders::new(self.inbound.as_ref(), ids, sandbox);
        tracing::debug!(
            operation = self.row.id,
            status = response.status().as_u16(),
            caller = %self.address(),
            host = self.host().name(),
            trace_id = standard.trace_id.to_str().unwrap_or_default(),
            took_us = (self.clock().now() - self.now).num_microseconds(),
            "answered"
        );
        Stamped::new(standard, response)
    }

    /// Trace and span of a sandbox reply that is not a mock's.
    fn derived_ids(&self) -> TraceIds {
        argus_sandbox::responder::derived_ids(self.row, self.request().method(), self.request().uri())
    }
}
