//! The scope catalogue as an operation's reply.

use argus_openapi::types::scopes::{Scope, ScopeEntry, ScopeList};

/// Every scope that an app can be approved for.
pub fn list() -> ScopeList {
    let entry = |scope: Scope| ScopeEntry { name: scope, description: scope.description().to_owned() };
    ScopeList { scopes: Scope::catalogue().map(entry).collect() }
}
