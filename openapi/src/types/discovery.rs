//! Discovery: the API catalogue, the data schemas and the authorization server.

use super::common::{Identifier, SecrecyLevel};
use super::scopes::Scope;
use super::wire_enum;
use crate::published::Format;
use crate::{Access, Host, Operation};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize};
use std::fmt;
use validator::Validate;

/// Documentation for people.
pub const DOCUMENTATION: &str = "https://knogin.com/en/docs/api-reference";

/// The API catalogue: a link set (RFC 9727, RFC 9264).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiCatalog {
    /// One entry per API.
    pub linkset: Vec<ApiCatalogEntry>,
}

/// Where an API is, and what describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiCatalogEntry {
    /// Base URL of the API.
    pub anchor: String,
    /// Machine-readable descriptions.
    #[serde(rename = "service-desc")]
    pub service_desc: Vec<Link>,
    /// Documentation for people.
    #[serde(rename = "service-doc")]
    pub service_doc: Vec<Link>,
}

/// A link of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Target URL.
    pub href: String,
    /// Media type of the target.
    #[serde(rename = "type")]
    pub media_type: String,
}

/// Name of the descriptor of a host: `auth.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostDocument {
    /// The host that it describes.
    pub host: Host,
    /// How it is written.
    pub format: Format,
}

impl HostDocument {
    /// Every name.
    pub fn all() -> impl Iterator<Item = Self> {
        Host::ALL.into_iter().flat_map(|host| Format::ALL.map(|format| Self { host, format }))
    }
}

impl fmt::Display for HostDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.host.name(), self.format.extension())
    }
}

impl TryFrom<String> for HostDocument {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::all()
            .find(|name| name.to_string() == text)
            .ok_or_else(|| "not the descriptor of a host".to_owned())
    }
}

impl From<HostDocument> for String {
    fn from(name: HostDocument) -> String {
        name.to_string()
    }
}

impl JsonSchema for HostDocument {
    fn schema_name() -> String {
        "HostDocument".to_owned()
    }

    // Inline, as an identifier is.
    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let value = |name: Self| {
            let Self { host, format } = name;
            let meaning = format!("{}, as {format:?}.", host.description());
            (name.to_string(), format!("{host:?}{format:?}"), meaning)
        };
        wire_enum::one_of(Self::all().map(value)).into()
    }
}

/// Path of the descriptor of a host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HostDocumentPath {
    /// The host, and `.json` or `.yaml`.
    pub document: HostDocument,
}

/// Which data schemas to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DataSchemaQuery {
    /// Whether to add the sources that approved Communities of Interest share; `false` when absent.
    #[serde(default)]
    pub include_federated: bool,
    /// Highest secrecy level to list; the caller's own clearance when absent or lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrecy_max: Option<SecrecyLevel>,
}

/// The data schemas that the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataSchemaList {
    /// Tenant of the caller.
    pub tenant_id: String,
    /// The schemas, by id.
    pub schemas: Vec<DataSchema>,
    /// Sources that approved Communities of Interest share; empty unless asked for.
    pub federated_sources: Vec<FederatedSource>,
}

/// A published data schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataSchema {
    /// Stable identifier, for example `argus.profile.v1`.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Secrecy of the data that the schema describes.
    pub secrecy_level: SecrecyLevel,
    /// Operations that take, return or act on it, or that ask for deliveries which hold it, as method and path.
    pub operations: Vec<String>,
    /// Where the JSON Schema document is.
    #[schemars(url)]
    pub schema_url: String,
}

/// A source that a Community of Interest shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FederatedSource {
    /// Stable identifier.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Channel that the source is reached through.
    pub channel: String,
    /// Secrecy of the data.
    pub secrecy_level: SecrecyLevel,
}

/// Path of a data schema document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DataSchemaPath {
    /// Identifier of the schema, followed by `.json`.
    pub file: Identifier,
}

/// Authorization server metadata (RFC 8414, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OauthMetadata {
    /// Issuer, as in the `iss` claim of every token.
    pub issuer: String,
    /// Token endpoint.
    pub token_endpoint: String,
    /// Where the signing keys are.
    pub jwks_uri: String,
    /// Scopes that can be asked for.
    pub scopes_supported: Vec<String>,
    /// Authorization endpoint.
    pub authorization_endpoint: String,
    /// Where authorization requests can be pushed first (RFC 9126).
    pub pushed_authorization_request_endpoint: String,
    /// Where tokens end (RFC 7009).
    pub revocation_endpoint: String,
    /// Where a token's worth is told (RFC 7662).
    pub introspection_endpoint: String,
    /// Response types of the authorization endpoint.
    pub response_types_supported: Vec<String>,
    /// How the authorization endpoint answers.
    pub response_modes_supported: Vec<String>,
    /// PKCE methods (RFC 7636).
    pub code_challenge_methods_supported: Vec<String>,
    /// Whether the answers of the authorization endpoint name the issuer (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
    /// Grants that the token endpoint takes.
    pub grant_types_supported: Vec<String>,
    /// How a client can authenticate at the token endpoint, and where it pushes authorization requests.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// What an assertion for it may be signed with, with `private_key_jwt`.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How a client can authenticate where tokens end.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// What an assertion for it may be signed with.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How a client can authenticate where a token's worth is told.
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    /// What an assertion for it may be signed with.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Documentation for people.
    pub service_documentation: String,
}

/// What clients of a host need to know to get a token for it (RFC 9728, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProtectedResource {
    /// The host, by its base URL.
    #[schemars(url)]
    pub resource: String,
    /// Who issues tokens for it, by the issuer's identifier.
    pub authorization_servers: Vec<String>,
    /// Scopes that its operations ask for.
    pub scopes_supported: Vec<String>,
    /// How a token is sent: in the `Authorization` header alone (RFC 6750).
    pub bearer_methods_supported: Vec<String>,
    /// Documentation for people.
    pub resource_documentation: String,
}

impl ProtectedResource {
    /// What the clients of a host are told that they reach under `base_url`, and whose tokens `issuer` issues.
    pub fn of(host: Host, base_url: &str, issuer: &str) -> Self {
        let served = Operation::ALL.iter().filter(|operation| operation.served_by(host));
        let asked: Vec<Access> = served.map(|operation| operation.row().access).collect();
        let scopes = Scope::catalogue().filter(|scope| asked.contains(&Access::Scope(*scope)));
        Self {
            resource: base_url.to_owned(),
            authorization_servers: vec![issuer.to_owned()],
            scopes_supported: scopes.map(|scope| scope.to_string()).collect(),
            bearer_methods_supported: vec!["header".to_owned()],
            resource_documentation: DOCUMENTATION.to_owned(),
        }
    }
}
