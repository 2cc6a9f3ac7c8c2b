//! Token requests and responses. How a token is signed or verified does not live here.

use super::checked_text::{Published, checked_text};
use super::common::{Timestamp, WholeNumber};
use super::oauth::ClientAuthentication;
use super::scopes::Scope;
use super::secret::SecretText;
use super::wire_enum::{in_form, wire_enum};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// Least lifetime of a sandbox token, in seconds.
pub const SANDBOX_TTL_MIN: i64 = 60;
/// Greatest lifetime of a sandbox token, in seconds.
pub const SANDBOX_TTL_MAX: i64 = 86_400;
/// Lifetime of a sandbox token when the caller does not say, in seconds.
pub const SANDBOX_TTL_DEFAULT: i64 = 3_600;

/// Token request (RFC 6749, sections 4.1.3, 4.4.2 and 6), form-encoded. Unknown parameters are ignored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TokenRequest {
    /// The grant; `refresh_token` comes with `authorization_code`.
    // Any text is read, so that the refusal can be RFC 6749's `unsupported_grant_type`.
    #[schemars(required, schema_with = "in_form::<TokenGrant>")]
    pub grant_type: Option<String>,
    /// Who asks.
    #[serde(flatten)]
    pub client: ClientAuthentication,
    /// Scopes with one space between them (RFC 6749, section 3.3). With client credentials: every scope that the app is
    /// approved for when absent or empty. With a refresh token: some of those that the user allowed, or all of them when
    /// absent. With a code it is of no meaning: the user has allowed what was asked for there.
    // Any text is read, so that the refusal can be RFC 6749's `invalid_scope`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "scope_names")]
    pub scope: Option<String>,
    /// The authorization code, with `authorization_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub code: Option<SecretText>,
    /// The redirect URI of the authorization request, with `authorization_code`, if the request had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub redirect_uri: Option<String>,
    /// The code verifier, with `authorization_code`, if the request had a `code_challenge` (RFC 7636, section 4.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub code_verifier: Option<SecretText>,
    /// The refresh token, with `refresh_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub refresh_token: Option<SecretText>,
}

wire_enum! {
    /// A grant of the token endpoint.
    pub enum TokenGrant {
        /// An authorization code that a user's consent has led to (RFC 6749, section 4.1).
        AuthorizationCode = "authorization_code",
        /// The app's own credentials (RFC 6749, section 4.4).
        ClientCredentials = "client_credentials",
        /// A refresh token (RFC 6749, section 6).
        RefreshToken = "refresh_token",
    }
}

/// Schema of names of scopes with one space between them (RFC 6749, section 3.3), or of none.
pub(crate) fn scope_names(_: &mut SchemaGenerator) -> Schema {
    let mut schema =
        SchemaObject { instance_type: Some(InstanceType::String.into()), ..SchemaObject::default() };
    schema.string().pattern = Some(r"^(?:[!#-\[\]-~]+(?: [!#-\[\]-~]+)*)?$".to_owned());
    schema.into()
}

/// Token response (RFC 6749, section 5.1).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TokenResponse {
    /// The signed access token (RFC 9068).
    pub access_token: SecretText,
    /// Always `Bearer`.
    pub token_type: String,
    /// Lifetime in seconds.
    pub expires_in: u32,
    /// The granted scopes, space-delimited.
    pub scope: String,
    /// The refresh token, where a user has allowed the access: it is good once, within 30 days, and each answer has the
    /// next one. Sent again within 30 seconds, while its successor has not been used, it gets that successor again, so
    /// that an answer may be lost; used later, it ends what the user allowed. Absent with client credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub refresh_token: Option<SecretText>,
}

/// Request for a service token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ServiceTokenCreate {
    /// Scopes that the token is to carry; each must be approved for the app.
    #[validate(length(min = 1, max = 32))]
    pub scopes: Vec<Scope>,
}

/// A service token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServiceToken {
    /// The signed token; send it as `Authorization: Bearer`.
    pub token: SecretText,
    /// When it stops working.
    pub expires_at: Timestamp,
}

checked_text! {
    /// The id of a scenario. Which ones there are is not the type's business.
    pub struct ScenarioId {
        check: |text: &str| match text.chars().take(SCENARIO_ID_MAX_LENGTH + 1).count() {
            1..=SCENARIO_ID_MAX_LENGTH => Ok(()),
            _ => Err("a scenario id has 1 to 64 characters"),
        },
        published: Published { format: None, max_length: SCENARIO_ID_MAX_LENGTH, pattern: None },
    }
}

/// The longest scenario id, in characters.
const SCENARIO_ID_MAX_LENGTH: usize = 64;

/// Request for a sandbox token. Both fields are optional, and so is the body.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SandboxTokenCreate {
    /// Scenarios to pin, by id; without any, each request picks one by its own digest.
    #[serde(default)]
    #[validate(length(max = 16))]
    pub scenarios: Vec<ScenarioId>,
    /// Lifetime in whole seconds, 3600 when absent. Values outside 60 to 86400 are clamped to that range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub ttl_seconds: Option<WholeNumber>,
}

impl SandboxTokenCreate {
    /// The lifetime in seconds, clamped to [60, 86400] however large or small the number is.
    pub fn ttl_seconds(&self) -> i64 {
        let asked = match &self.ttl_seconds {
            None => SANDBOX_TTL_DEFAULT,
            Some(WholeNumber(number)) => *number,
        };
        asked.clamp(SANDBOX_TTL_MIN, SANDBOX_TTL_MAX)
    }
}

/// A sandbox token and what it is good for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SandboxToken {
    /// The signed token, with `aud` `sandbox`; send it to the sandbox host as `Authorization: Bearer`.
    pub token: SecretText,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// Always `sandbox`.
    pub audience: String,
    /// Scopes that the token carries.
    pub scopes: Vec<Scope>,
    /// Base URL of the sandbox host.
    pub sandbox_host: String,
    /// The pinned scenarios, as they were asked for; empty for the mixed rotation.
    pub scenarios: Vec<String>,
}
