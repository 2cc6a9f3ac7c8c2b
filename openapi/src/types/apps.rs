//! Integration apps: registration, governance and client secrets.

use super::client_keys::ClientJwkSet;
use super::common::{Identifier, Moment, Timestamp, WholeNumber};
use super::graphql::BundleId;
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

wire_enum! {
    /// How an app authenticates at the token endpoint (RFC 7591, section 2).
    pub enum ClientAuthenticationMethod {
        /// With its client secret, by HTTP Basic or in the form.
        ClientSecret = "client_secret_basic",
        /// With an assertion that it signs with a private key of its own (RFC 7523; OpenID Connect Core 1.0, section 9).
        PrivateKeyJwt = "private_key_jwt",
        /// Not at all: a public client, which cannot keep a secret. It must use PKCE.
        NoSecret = "none",
    }
}

impl ClientAuthenticationMethod {
    /// What the metadata of the authorization server calls the ways to authenticate with this method.
    pub const fn published_names(self) -> &'static [&'static str] {
        match self {
            Self::ClientSecret => &["client_secret_basic", "client_secret_post"],
            Self::PrivateKeyJwt => &["private_key_jwt"],
            Self::NoSecret => &["none"],
        }
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
    /// Scopes that the app is to be approved for; at least one. Those beyond the tenant's allowance are pending at first.
    #[validate(length(min = 1, max = 32))]
    pub requested_scopes: Vec<Scope>,
    /// How the app authenticates at the token endpoint and wherever else a client does, with its client secret when
    /// absent. An app with `private_key_jwt` names its public keys in `jwks` and gets no secret. A public client (`none`)
    /// gets no secret and cannot use `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<ClientAuthenticationMethod>,
    /// The app's public keys, with `private_key_jwt` and with no other method; `app_governance_update` replaces them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub jwks: Option<ClientJwkSet>,
}

/// What an app is allowed to do beyond its grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Governance {
    /// Whether service tokens may be minted for the app. `false` when the app is created.
    pub allow_service_tokens: bool,
    /// Whether the authorization code flow requires PKCE (RFC 7636). `true` when the app is created.
    pub enforce_pkce: bool,
    /// Whether the app is stopped: it gets no tokens, and those that it has count no more. `false` when it is created.
    pub suspended: bool,
    /// The app's tokens that were issued until then count no more; `null` when that was never said.
    pub tokens_not_before: Option<Timestamp>,
    /// Operation bundles whose GraphQL documents the app may run on the live host; none when the app is created. The
    /// sandbox runs the documents of every bundle that ships.
    pub approved_bundles: Vec<BundleId>,
}

impl Default for Governance {
    fn default() -> Self {
        Self {
            allow_service_tokens: false,
            enforce_pkce: true,
            suspended: false,
            tokens_not_before: None,
            approved_bundles: Vec::new(),
        }
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
    /// Scopes that the app asked for. It is approved for all of them but the pending ones.
    pub requested_scopes: Vec<Scope>,
    /// Those of `requested_scopes` that lie beyond the tenant's allowance and wait for an administrator, who approves
    /// them with `app_governance_update`. Until then no token is granted them. Empty when none waits.
    pub pending_scopes: Vec<Scope>,
    /// How the app authenticates at the token endpoint and wherever else a client does.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// The public keys of an app with `private_key_jwt`; `null` for any other.
    pub jwks: Option<ClientJwkSet>,
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
    /// Client secret, shown this once. It is stored only as a hash. `null` for an app that has none: a
    /// public client, and one with `private_key_jwt`.
    pub client_secret: Option<SecretText>,
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

/// What to change of an app's governance; what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct GovernanceUpdate {
    /// Whether service tokens may be minted for the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_service_tokens: Option<bool>,
    /// Whether the authorization code flow requires PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_pkce: Option<bool>,
    /// Whether the app is stopped. A stopped app cannot authenticate; tokens that it has are refused on every host within
    /// five seconds, and stay so when it goes on, which every host knows within five seconds, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// The app's tokens that were issued until this moment count no more, on every host within five seconds: for tokens that
    /// have leaked. One that lies ahead counts as now; what was said before is not taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_not_before: Option<Moment>,
    /// The redirect URIs from now on, all of them. At least one is needed for `authorization_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 16))]
    pub redirect_uris: Option<Vec<RedirectUri>>,
    /// The grants that the app may use from now on, all of them. Without `authorization_code`, what users have allowed it
    /// ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2))]
    pub allowed_grant_types: Option<Vec<GrantType>>,
    /// The public keys from now on, all of them, of an app with `private_key_jwt`. They hold for the next request on every
    /// node: a key that is not among them authenticates nobody any more. Tokens that the app has live on. To change over
    /// without a failed request, send the former key beside the new one first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub jwks: Option<ClientJwkSet>,
    /// Operation bundles whose GraphQL documents the app may run on the live host, in the place of those before; an
    /// empty list withdraws all. Both hold for the next request. An unknown bundle is refused, and the known ones are
    /// named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 32))]
    pub approved_bundles: Option<Vec<BundleId>>,
    /// Pending scopes of the app to approve, for the tokens that are granted from now on. One that is approved already
    /// stays so; one that the app has not requested is a conflict (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 32))]
    pub approve_scopes: Option<Vec<Scope>>,
}

/// An app's governance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppGovernance {
    /// OAuth client identifier of the app.
    pub client_id: String,
    /// Governance flags in force.
    pub governance: Governance,
    /// Scopes of the app that still wait for approval.
    pub pending_scopes: Vec<Scope>,
}

/// For how many seconds a replaced client secret counts beside the new one at most: 24 hours.
const SECRET_OVERLAP_MAX_SECONDS: i64 = 24 * 3600;

/// How a client secret is replaced. The member is optional, and so is the body.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AppSecretRotate {
    /// For how many whole seconds the former secret authenticates beside the new one, 0 to 86400 (a day); 0, as when
    /// absent, ends it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 0, max = "SECRET_OVERLAP_MAX_SECONDS"))]
    pub overlap_seconds: Option<WholeNumber>,
}

impl AppSecretRotate {
    /// For how many seconds the former secret counts.
    pub fn overlap_seconds(&self) -> i64 {
        self.overlap_seconds.map_or(0, i64::from)
    }
}

/// A rotated client secret, which is never shown again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppSecret {
    /// OAuth client identifier of the app.
    pub client_id: String,
    /// The new client secret, shown this once.
    pub client_secret: SecretText,
    /// Until when the former one authenticates beside it; `null` when it ended at once.
    pub former_secret_expires_at: Option<Timestamp>,
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
