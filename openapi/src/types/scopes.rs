//! The scope catalogue: every scope's name and description, written once.

use super::wire_enum::{WireEnum, wire_enum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

wire_enum! {
    /// A permission that a token may carry.
    #[derive(PartialOrd, Ord)]
    pub enum Scope {
        /// Read the scope catalogue and registered apps
        PlatformRead = "argus:platform:read",
        /// Administer the tenant: register and govern apps, rotate secrets and mint tokens; implies argus:platform:read
        PlatformAdmin = "argus:platform:admin",
        /// Read outbound webhook subscriptions and their deliveries
        WebhooksRead = "webhooks:read",
        /// Create and update outbound webhook subscriptions
        WebhooksWrite = "webhooks:write",
        /// Read jobs and their results
        JobsRead = "argus:jobs:read",
        /// Create and cancel jobs
        JobsWrite = "argus:jobs:write",
        /// Read profiles
        ProfilesRead = "argus:profiles:read",
        /// Enrich profiles
        ProfilesWrite = "argus:profiles:write",
        /// Run approved GraphQL operations
        GraphqlExecute = "argus:graphql:execute",
        /// Look up recorded traces of the tenant
        ObservabilityRead = "argus:observability:read",
        /// List the data schemas that the caller may see
        DiscoveryRead = "argus:discovery:read",
        /// Operate the service: metrics and tenant bootstrap. Never granted to apps
        InternalOperate = "argus:internal:operate",
    }
    // Not in the contract: no request may name it and no error may list it.
    unpublished = InternalOperate
}

impl Scope {
    /// The scopes that an app can be approved for, in catalogue order.
    pub fn catalogue() -> impl Iterator<Item = Scope> {
        Self::published()
    }

    /// The scope with this name, if an app can be approved for it.
    pub fn from_catalogue(name: &str) -> Option<Scope> {
        Self::catalogue().find(|scope| scope.as_str() == name)
    }

    /// The catalogue without the platform scopes: what a partner integration needs.
    pub fn partner() -> impl Iterator<Item = Scope> {
        Self::catalogue().filter(|scope| !matches!(scope, Self::PlatformRead | Self::PlatformAdmin))
    }

    /// Whether a token that holds `self` may do what `required` permits.
    pub fn implies(self, required: Scope) -> bool {
        self == required || (self == Self::PlatformAdmin && required == Self::PlatformRead)
    }
}

/// One entry of the scope catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeEntry {
    /// The scope as it is requested and as it stands in tokens.
    pub name: Scope,
    /// What the scope permits.
    pub description: String,
}

/// The scope catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeList {
    /// Every scope that an app can be approved for.
    pub scopes: Vec<ScopeEntry>,
}
