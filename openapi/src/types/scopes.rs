//! The scope catalogue: every scope's name and description, written once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

macro_rules! scopes {
    ($($(#[$meta:meta])* $variant:ident = $name:literal, $description:literal;)+) => {
        /// A permission that a token may carry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Scope {
            $($(#[$meta])* #[doc = $description] #[serde(rename = $name)] $variant,)+
        }

        impl Scope {
            const EVERY: &'static [Scope] = &[$(Scope::$variant),+];

            /// The scope as it stands in a token.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the scope permits.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }
        }
    };
}

scopes! {
    PlatformRead = "argus:platform:read", "Read the scope catalogue and registered apps";
    PlatformAdmin = "argus:platform:admin", "Administer the tenant: register and govern apps, rotate secrets and mint tokens; implies argus:platform:read";
    WebhooksRead = "webhooks:read", "Read outbound webhook subscriptions and their deliveries";
    WebhooksWrite = "webhooks:write", "Create and update outbound webhook subscriptions";
    JobsRead = "argus:jobs:read", "Read jobs and their results";
    JobsWrite = "argus:jobs:write", "Create and cancel jobs";
    ProfilesRead = "argus:profiles:read", "Read profiles";
    ProfilesWrite = "argus:profiles:write", "Enrich profiles";
    GraphqlExecute = "argus:graphql:execute", "Run approved GraphQL operations";
    ObservabilityRead = "argus:observability:read", "Look up recorded traces of the tenant";
    DiscoveryRead = "argus:discovery:read", "List the data schemas that the caller may see";
    // Not in the contract: no request may name it and no error may list it.
    #[schemars(skip)]
    #[serde(skip_deserializing)]
    InternalOperate = "argus:internal:operate", "Operate the service: metrics and tenant bootstrap. Never granted to apps";
}

impl Scope {
    /// The scopes that an app can be approved for, in catalogue order.
    pub fn catalogue() -> impl Iterator<Item = Scope> {
        Self::EVERY.iter().copied().filter(|scope| *scope != Self::InternalOperate)
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

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        Self::EVERY
            .iter()
            .copied()
            .find(|scope| scope.as_str() == name)
            .ok_or_else(|| UnknownScope(name.to_owned()))
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A scope name that is not in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl std::fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not a scope of the catalogue", self.0)
    }
}

impl std::error::Error for UnknownScope {}

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
