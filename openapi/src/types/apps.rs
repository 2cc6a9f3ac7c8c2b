//! Integration apps: registration, governance and client secrets.

use super::common::{Identifier, Timestamp};
use super::name::Name;
use super::scopes::Scope;
use super::secret::SecretText;
use super::uri::RedirectUri;
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

wire_enum! {
    /// An OAuth 2.0 grant that an app may use.
    pub enum GrantType {
        /// Machine-to-machine access with the app's own credentials (RFC 6749, section 4.4).
        ClientCredentials = "client_credentials",
        /// Access on behalf of a signed-in user (RFC 6749, section 4.1).
        AuthorizationCode = "authorization_code",
    }
}

/// Registration of an app.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AppCreate {
    /// Name that people will recognise, 1 to 128 characters, with a visible one at both ends. Controls and
    /// characters that take no room or turn the direction of a text are refused, also beyond U+FFFF (tags,
    /// U+E0000 to U+E0FFF), where the pattern cannot say so. Joiners (U+200C, U+200D) stand behind a
    /// character of a script that has them.
    pub name: Name,
    /// Grants that the app may use; at least one.
    #[validate(length(min = 1, max = 2))]
    pub grant_types: Vec<GrantType>,
    /// Redirect URIs, matched letter for letter: `https`, or for native apps `http` on the literal
    /// address `127.0.0.1` or `[::1]` (RFC 8252, section 7.3; not `localhost`, section 8.3). Absolute
    /// URIs in the letters of RFC 3986, without user name, password or fragment, at most 2000
    /// characters each; none when absent. At least one is needed for `authorization_code`.
    #[serde(default)]
    #[validate(length(max = 16))]
    pub redirect_uris: Vec<RedirectUri>,
    /// Scopes that the app is to be approved for; at least one.
    #[validate(length(min = 1, max = 32))]
    pub requested_scopes: Vec<Scope>,
}

/// What an app is allowed to do beyond its grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Governance {
    /// Whether service tokens may be minted for the app. `false` when the app is created.
    pub allow_service_tokens: bool,
    /// Whether the authorization code flow requires PKCE (RFC 7636). `true` when the app is created.
    pub enforce_pkce: bool,
}

impl Default for Governance {
    fn default() -> Self {
        Self { allow_service_tokens: false, enforce_pkce: true }
    }
}

/// A registered app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// OAuth client identifier.
    pub client_id: String,
    /// Name that people will recognise.
    pub name: String,
    /// Grants that the app may use.
    pub grant_types: Vec<GrantType>,
    /// Redirect URIs, matched exactly.
    pub redirect_uris: Vec<String>,
    /// Scopes that the app is approved for.
    pub requested_scopes: Vec<Scope>,
    /// Governance flags in force.
    pub governance: Governance,
    /// Tenant that owns the app.
    pub tenant_id: String,
    /// Organisation inside the tenant.
    pub organization_id: String,
    /// When the app was registered.
    pub created_at: Timestamp,
}

/// A newly registered app with its secrets, which are never shown again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppCreated {
    /// The app.
    #[serde(flatten)]
    pub app: App,
    /// Client secret, shown this once. It is stored only as a hash.
    pub client_secret: SecretText,
    /// Secret that signs the completion callbacks of the app's jobs, shown this once: `whsec_` and Base64, as
    /// Standard Webhooks has it.
    pub callback_secret: SecretText,
}

/// One page of the tenant's apps, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppList {
    /// The apps of this page.
    pub apps: Vec<App>,
    /// Cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// Path of an app.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppPath {
    /// OAuth client identifier of the app.
    pub client_id: Identifier,
}

/// Governance flags to change; an absent flag stays as it is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct GovernanceUpdate {
    /// Whether service tokens may be minted for the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_service_tokens: Option<bool>,
    /// Whether the authorization code flow requires PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_pkce: Option<bool>,
}

/// An app's governance flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppGovernance {
    /// OAuth client identifier of the app.
    pub client_id: String,
    /// Governance flags in force.
    pub governance: Governance,
}

/// A rotated client secret, which is never shown again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppSecret {
    /// OAuth client identifier of the app.
    pub client_id: String,
    /// The new client secret, shown this once. The old one no longer works.
    pub client_secret: SecretText,
}

/// A rotated callback secret, which is never shown again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppCallbackSecret {
    /// OAuth client identifier of the app.
    pub client_id: String,
    /// The new callback secret, shown this once: `whsec_` and Base64, as Standard Webhooks has it.
    pub callback_secret: SecretText,
    /// Until when the former one signs beside it; `null` when there was none.
    pub former_secret_expires_at: Option<Timestamp>,
}
