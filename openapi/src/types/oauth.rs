//! What the authorization server takes and answers beside tokens: authorization requests, pushed ones, revocation and
//! introspection. Token requests stand in [`super::tokens`].

use super::common::SecrecyLevel;
use super::secret::SecretText;
use super::tokens::TokenRequest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A form with which a client authenticates (RFC 6749, section 2.3.1; RFC 7521, section 4.2).
pub trait ClientForm {
    /// Client identifier, unless HTTP Basic carries it.
    fn client_id(&self) -> Option<&str>;
    /// Client secret, unless HTTP Basic carries it or the client has none.
    fn client_secret(&self) -> Option<&SecretText>;
    /// What kind of assertion it is.
    fn client_assertion_type(&self) -> Option<&str>;
    /// What the client has signed in place of showing a secret.
    fn client_assertion(&self) -> Option<&SecretText>;
}

macro_rules! client_forms {
    ($($form:ty),+) => {$(
        impl ClientForm for $form {
            fn client_id(&self) -> Option<&str> {
                self.client_id.as_deref()
            }

            fn client_secret(&self) -> Option<&SecretText> {
                self.client_secret.as_ref()
            }

            fn client_assertion_type(&self) -> Option<&str> {
                self.client_assertion_type.as_deref()
            }

            fn client_assertion(&self) -> Option<&SecretText> {
                self.client_assertion.as_ref()
            }
        }
    )+};
}

client_forms!(TokenRequest, PushedAuthorizationRequest, TokenReference);

/// An authorization request (RFC 6749, section 4.1.1), or the reference to one that was pushed (RFC 9126, section 4):
/// `client_id` and `request_uri`, and nothing else.
// Any text is read, so that the refusal can be what RFC 6749 has for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct AuthorizationRequest {
    /// Always `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub response_type: Option<String>,
    /// Client identifier of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_id: Option<String>,
    /// Where the answer goes: one of the app's redirect URIs, letter for letter; on a loopback address the port may
    /// differ (RFC 8252, section 7.3). May be absent when the app has one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub redirect_uri: Option<String>,
    /// Scopes with one space between them; every scope that the app is approved for when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub scope: Option<String>,
    /// Comes back with the answer as it is; bind it to the browser's session (RFC 9700, section 4.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub state: Option<String>,
    /// Base64url of the SHA-256 of the code verifier (RFC 7636, section 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub code_challenge: Option<String>,
    /// Always `S256`; `plain` is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub code_challenge_method: Option<String>,
    /// Reference to a request that was pushed, in place of all but `client_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub request_uri: Option<String>,
}

/// An authorization request that is pushed (RFC 9126, section 2.1), form-encoded. Unknown parameters are ignored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PushedAuthorizationRequest {
    /// Client identifier, unless HTTP Basic or the assertion carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_id: Option<String>,
    /// Client secret, unless HTTP Basic carries it or the client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub client_secret: Option<SecretText>,
    /// Always `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    // Any text is read, so that the refusal can be RFC 7521's `invalid_client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_assertion_type: Option<String>,
    /// A JWT that the client has signed, of an app with `private_key_jwt` (RFC 7523, section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub client_assertion: Option<SecretText>,
    /// Always `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub response_type: Option<String>,
    /// Where the answer goes: one of the app's redirect URIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub redirect_uri: Option<String>,
    /// Scopes with one space between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub scope: Option<String>,
    /// Comes back with the answer as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub state: Option<String>,
    /// Base64url of the SHA-256 of the code verifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub code_challenge: Option<String>,
    /// Always `S256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub code_challenge_method: Option<String>,
    /// Not taken here (RFC 9126, section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub request_uri: Option<String>,
}

impl PushedAuthorizationRequest {
    /// What is pushed, without the credentials.
    pub fn parameters(&self) -> AuthorizationRequest {
        AuthorizationRequest {
            response_type: self.response_type.clone(),
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scope: self.scope.clone(),
            state: self.state.clone(),
            code_challenge: self.code_challenge.clone(),
            code_challenge_method: self.code_challenge_method.clone(),
            request_uri: self.request_uri.clone(),
        }
    }
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
    /// Client identifier, unless HTTP Basic or the assertion carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_id: Option<String>,
    /// Client secret, unless HTTP Basic carries it or the client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub client_secret: Option<SecretText>,
    /// Always `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    // Any text is read, so that the refusal can be RFC 7521's `invalid_client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub client_assertion_type: Option<String>,
    /// A JWT that the client has signed, of an app with `private_key_jwt` (RFC 7523, section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretText")]
    pub client_assertion: Option<SecretText>,
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
