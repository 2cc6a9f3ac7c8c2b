//! What the authorization server takes and answers beside tokens: authorization requests, pushed ones, revocation and
//! introspection. Token requests stand in [`super::tokens`].

use super::common::SecrecyLevel;
use super::secret::SecretText;
use super::tokens::{TokenRequest, scope_names};
use super::wire_enum::{in_form, wire_enum};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// How a client says in a form who it is (RFC 6749, section 2.3.1; RFC 7521, section 4.2).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClientAuthentication {
    /// Client identifier, unless HTTP Basic or the assertion carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_id: Option<String>,
    /// Client secret, unless HTTP Basic carries it or the client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub client_secret: Option<SecretText>,
    /// What kind of assertion it is, with `client_assertion`.
    // Any text is read, so that the refusal can be RFC 7521's `invalid_client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "in_form::<ClientAssertionType>")]
    pub client_assertion_type: Option<String>,
    /// A JWT that the client has signed, of an app with `private_key_jwt` (RFC 7523, section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub client_assertion: Option<SecretText>,
}

wire_enum! {
    /// The kind of a client's assertion.
    pub enum ClientAssertionType {
        /// A JWT (RFC 7523, section 2.2).
        JwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
}

/// A form with which a client authenticates.
pub trait ClientForm {
    /// Who the client says it is.
    fn client(&self) -> &ClientAuthentication;
}

macro_rules! client_forms {
    ($($form:ty),+) => {$(
        impl ClientForm for $form {
            fn client(&self) -> &ClientAuthentication {
                &self.client
            }
        }
    )+};
}

client_forms!(TokenRequest, PushedAuthorizationRequest, TokenReference);

wire_enum! {
    /// What the authorization endpoint answers with.
    pub enum ResponseType {
        /// An authorization code (RFC 6749, section 4.1).
        Code = "code",
    }
}

wire_enum! {
    /// How a code challenge is made of its verifier.
    pub enum CodeChallengeMethod {
        /// Its SHA-256 (RFC 7636, section 4.2); `plain` proves nothing to whoever has seen the request.
        S256 = "S256",
    }
}

/// The longest `state`, in characters.
pub const STATE_MAX_LENGTH: u32 = 2048;

/// What an app asks of a user (RFC 6749, section 4.1.1). A parameter without a value counts as absent (section 3.1).
// Any text is read, so that the refusal can be what RFC 6749 has for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationParameters {
    /// Always `code`; it must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "in_form::<ResponseType>")]
    pub response_type: Option<String>,
    /// Where the answer goes: one of the app's redirect URIs, letter for letter; on a loopback address the port may
    /// differ (RFC 8252, section 7.3). May be absent when the app has one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub redirect_uri: Option<String>,
    /// Scopes with one space between them; every scope that the app is approved for when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "scope_names")]
    pub scope: Option<String>,
    /// Comes back with the answer as it is; bind it to the browser's session (RFC 9700, section 4.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "state")]
    pub state: Option<String>,
    /// Base64url of the SHA-256 of the code verifier (RFC 7636, section 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9_-]{43}$"))]
    pub code_challenge: Option<String>,
    /// Always `S256`, with `code_challenge`; `plain` is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "in_form::<CodeChallengeMethod>")]
    pub code_challenge_method: Option<String>,
}

/// Schema of a `state`: of the characters that RFC 6749 has for it (appendix A.5), so that it fits into a URL.
fn state(_: &mut SchemaGenerator) -> Schema {
    let mut schema =
        SchemaObject { instance_type: Some(InstanceType::String.into()), ..SchemaObject::default() };
    let string = schema.string();
    string.max_length = Some(STATE_MAX_LENGTH);
    string.pattern = Some("^[ -~]*$".to_owned());
    schema.into()
}

/// An authorization request (RFC 6749, section 4.1.1), or the reference to one that was pushed (RFC 9126, section 4):
/// `client_id` and `request_uri`, and nothing else.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct AuthorizationRequest {
    /// Client identifier of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_id: Option<String>,
    /// What the app asks for.
    #[serde(flatten)]
    pub parameters: AuthorizationParameters,
    /// Reference to a request that was pushed, in place of all but `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub request_uri: Option<String>,
}

/// An authorization request that is pushed (RFC 9126, section 2.1), form-encoded. Unknown parameters are ignored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PushedAuthorizationRequest {
    /// Who pushes it.
    #[serde(flatten)]
    pub client: ClientAuthentication,
    /// What the app asks for.
    #[serde(flatten)]
    pub parameters: AuthorizationParameters,
    /// Not taken here (RFC 9126, section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub request_uri: Option<String>,
}

/// A request that was pushed (RFC 9126, section 2.2).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PushedAuthorization {
    /// Stands for the request at the authorization endpoint, once.
    pub request_uri: String,
    /// For how many seconds it can be opened there.
    pub expires_in: u32,
}

/// A token that is asked about or ended, form-encoded (RFC 7009, section 2.1; RFC 7662, section 2.1). Unknown parameters
/// are ignored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TokenReference {
    /// The access or refresh token.
    // Any form is read, so that the refusal can be RFC 6749's `invalid_request`.
    #[schemars(required, with = "SecretText")]
    pub token: Option<SecretText>,
    /// What kind of token it may be, `access_token` or `refresh_token`; it is found without, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub token_type_hint: Option<String>,
    /// Who asks.
    #[serde(flatten)]
    pub client: ClientAuthentication,
}

/// The token counts no more, if it was one of the client's own; nothing is told of any other.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct TokenRevoked {}

/// What a token is worth (RFC 7662, section 2.2). Of a token that is worth nothing to the client that asks, `active` is
/// all that is said.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct TokenIntrospection {
    /// Whether the token counts now.
    pub active: bool,
    /// Its scopes, space-delimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub scope: Option<String>,
    /// The app that it was issued to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_id: Option<String>,
    /// `Bearer` for an access token, absent for a refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub token_type: Option<String>,
    /// When it expires, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub exp: Option<i64>,
    /// When it was issued, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub iat: Option<i64>,
    /// On whose behalf: a user, or the app itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub sub: Option<String>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub aud: Option<String>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub iss: Option<String>,
    /// Its identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub jti: Option<String>,
    /// Tenant of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub tenant_id: Option<String>,
    /// Clearance of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecrecyLevel")]
    pub secrecy_level: Option<SecrecyLevel>,
}
