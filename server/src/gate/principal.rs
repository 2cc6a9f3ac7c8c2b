//! Who is calling, as the verified token says. A live and a sandbox caller are different types, so
//! that what is written for the one cannot be reached by the other.

use crate::identity::signing_keys::VerifyingKey;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;
use argus_sandbox::ScenarioSet;
use std::ops::Deref;
use std::sync::Arc;

/// The caller behind a verified token. Tenant and organisation come from here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The tenant whose data the caller may touch.
    pub tenant_id: String,
    /// The organisation inside the tenant.
    pub organization_id: String,
    /// The app that the token was issued to, or the operator's own name.
    pub client_id: String,
    /// Scopes of the token.
    pub scopes: Vec<Scope>,
    /// Clearance of the caller.
    pub secrecy_level: SecrecyLevel,
}

impl Principal {
    /// Whether the token permits what `required` names.
    pub fn holds(&self, required: Scope) -> bool {
        self.scopes.iter().any(|scope| scope.implies(required))
    }
}

/// No token was asked for.
pub struct Anonymous;

/// A caller with a live token.
pub struct Live(pub(super) Arc<Verified>);

/// A caller with a sandbox token.
pub struct Sandboxed {
    pub(super) verified: Arc<Verified>,
    pub(super) scenarios: Arc<ScenarioSet>,
}

/// What a token said when it was verified.
#[derive(Debug)]
pub struct Verified {
    pub(super) principal: Principal,
    /// The key that signed it; once that is not published any more, the token is worth nothing.
    pub(super) key: Arc<VerifyingKey>,
    pub(super) expires_at: i64,
    pub(super) audience: TokenAudience,
}

/// Which hosts a token is for.
#[derive(Debug)]
pub(super) enum TokenAudience {
    Live,
    Sandbox(Arc<ScenarioSet>),
    /// Signed by us, for neither; nothing that this service serves takes it.
    Other,
}

impl Deref for Live {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0.principal
    }
}

impl Deref for Sandboxed {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.verified.principal
    }
}

impl Sandboxed {
    /// The scenarios that the token is pinned to.
    pub fn scenarios(&self) -> &ScenarioSet {
        &self.scenarios
    }
}
