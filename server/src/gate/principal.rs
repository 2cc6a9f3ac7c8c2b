//! Who is calling, as the verified token says.

use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;

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
