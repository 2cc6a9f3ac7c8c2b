//! What is known of one call, from the gate down to the SQL: in place of loose strings, every domain
//! function takes a [`Context`]. Where it is made does not live here; for calls over HTTP that is the
//! gate.

use crate::Clock;
use crate::ids::{ClientId, OrganizationId, TenantId, UserId};
use crate::usage::MeteredCall;
use argus_openapi::OperationRow;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;
use argus_wire::trace_context::{TraceFlags, TraceIds, Traceparent};
use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

/// An environment that calls are made in. Environments are types, so that what is written for one of
/// them cannot be reached from another.
pub trait Environment: Clone + Send + Sync + 'static {}

/// Real data and real effects.
#[derive(Clone, Copy, Debug)]
pub struct Live;

impl Environment for Live {}

/// One call in the environment `E`. It reads as its [`Invocation`].
#[derive(Clone, Debug)]
pub struct Context<E> {
    invocation: Invocation,
    environment: E,
    /// What counts the call, where it counts.
    metered: Option<Arc<MeteredCall>>,
}

/// Who calls, from where, in which trace, when, and for which operation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The caller. Tenant and organisation come from here and nowhere else.
    pub principal: Arc<Principal>,
    /// Network address of the caller; none for a command of the operator.
    pub address: Option<IpAddr>,
    /// Trace of the call; none in an environment that derives it from its reply.
    pub trace: Option<Trace>,
    /// Tells the time.
    pub clock: Clock,
    /// The operation that was called; none for a command of the operator.
    pub operation: Option<&'static OperationRow>,
}

/// The trace that a call is a part of (W3C Trace Context).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Trace and span of the call itself.
    pub parent: Traceparent,
    /// What vendors have added, as it came.
    pub state: Option<Arc<str>>,
}

impl Trace {
    /// A trace that begins here. Its ids need to differ, not to be secret.
    pub fn begin() -> Self {
        let ids = TraceIds::new(rand::random(), rand::random());
        Self { parent: Traceparent { ids, flags: TraceFlags::SAMPLED }, state: None }
    }
}

impl Invocation {
    /// The tenant whose data the call may touch.
    pub fn tenant_id(&self) -> &TenantId {
        &self.principal.tenant_id
    }
}

impl<E: Environment> Context<E> {
    /// A call in `environment`.
    pub fn new(invocation: Invocation, environment: E) -> Self {
        Self { invocation, environment, metered: None }
    }

    /// What counts the call; none where it does not count.
    pub(crate) fn metered_call(&self) -> Option<&Arc<MeteredCall>> {
        self.metered.as_ref()
    }

    /// The environment of the call.
    pub fn environment(&self) -> &E {
        &self.environment
    }

    /// The call, whatever its environment.
    pub fn invocation(&self) -> &Invocation {
        &self.invocation
    }
}

impl Context<Live> {
    /// The same call, counted by the first transaction that it commits. There is no other way to count one, so that
    /// what is done in another environment never counts.
    #[must_use]
    pub fn metered(self, call: Arc<MeteredCall>) -> Self {
        Self { metered: Some(call), ..self }
    }

    /// A command of the operator inside a tenant.
    pub fn of_operator(tenant_id: TenantId, organization_id: OrganizationId, clock: Clock) -> Self {
        let principal = Principal::operator(tenant_id, organization_id, SecrecyLevel::default());
        Self::in_background(principal, clock)
    }

    /// A command of the operator on all that a tenant has, whatever its secrecy, in a trace that begins here. It can be
    /// made of a tenant alone, so that no caller's context becomes one.
    pub(crate) fn of_cleared_operator(
        tenant_id: TenantId,
        organization_id: OrganizationId,
        clock: Clock,
    ) -> Self {
        let principal = Principal::operator(tenant_id, organization_id, SecrecyLevel::Secret);
        let mut context = Self::in_background(principal, clock);
        context.invocation.trace = Some(Trace::begin());
        context
    }

    /// Work that no call waits for, on behalf of somebody.
    pub fn in_background(principal: Principal, clock: Clock) -> Self {
        let invocation =
            Invocation { principal: Arc::new(principal), address: None, trace: None, clock, operation: None };
        Self::new(invocation, Live)
    }
}

impl<E> Deref for Context<E> {
    type Target = Invocation;

    fn deref(&self) -> &Invocation {
        &self.invocation
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// An app.
    App(ClientId),
    /// Somebody who is signed in.
    User(UserId),
    /// The operator of the service, through the command line or with an operator token.
    Operator,
}

impl Actor {
    /// The operator's name in tokens and in the audit trail.
    pub const OPERATOR: &'static str = "operator";

    /// The actor as it stands in tokens and in the audit trail.
    pub fn as_str(&self) -> &str {
        match self {
            Self::App(client_id) => client_id.as_str(),
            Self::User(user_id) => user_id.as_str(),
            Self::Operator => Self::OPERATOR,
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = crate::ids::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == Self::OPERATOR {
            return Ok(Self::Operator);
        }
        text.parse().map(Self::User).or_else(|_| text.parse().map(Self::App))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The caller behind a verified token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The tenant whose data the caller may touch.
    pub tenant_id: TenantId,
    /// The organisation inside the tenant.
    pub organization_id: OrganizationId,
    /// Who acts.
    pub actor: Actor,
    /// On whose behalf, where a user has allowed it.
    pub user_id: Option<UserId>,
    /// Scopes of the token.
    pub scopes: Vec<Scope>,
    /// Clearance of the caller.
    pub secrecy_level: SecrecyLevel,
    /// Whether the token is for the sandbox. What reaches other systems asks for it again, whatever the type of the
    /// context says.
    pub is_sandboxed: bool,
}

impl Principal {
    /// The operator, with no scope and in the live environment.
    fn operator(tenant_id: TenantId, organization_id: OrganizationId, secrecy_level: SecrecyLevel) -> Self {
        let (actor, scopes) = (Actor::Operator, Vec::new());
        Self { tenant_id, organization_id, actor, user_id: None, scopes, secrecy_level, is_sandboxed: false }
    }

    /// Whether the token permits what `required` names.
    pub fn holds(&self, required: Scope) -> bool {
        self.scopes.iter().any(|scope| scope.implies(required))
    }
}
