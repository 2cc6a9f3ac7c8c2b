//! Authorization server metadata (RFC 8414), from what the server really does.

use argus_openapi::types::discovery::OauthMetadata;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::uri::base_url_path;
use argus_partner::Identity;

/// The metadata of the authorization server that clients reach under `auth_url`.
pub fn oauth_metadata(identity: &Identity, auth_url: &str) -> OauthMetadata {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    OauthMetadata {
        issuer: identity.issuer().to_owned(),
        token_endpoint: format!("{auth_url}/v1/oauth/token"),
        jwks_uri: format!("{auth_url}/.well-known/jwks.json"),
        scopes_supported: Scope::catalogue().map(|scope| scope.to_string()).collect(),
        // RFC 8414 wants the member, and clients refuse an empty list.
        response_types_supported: texts(&["none"]),
        grant_types_supported: texts(&["client_credentials"]),
        token_endpoint_auth_methods_supported: texts(&["client_secret_basic", "client_secret_post"]),
        service_documentation: "https://knogin.com/en/docs/api-reference".to_owned(),
    }
}

/// The path of an issuer that has one. Its metadata stands where the well-known path is put before it
/// (RFC 8414, section 3.1).
pub fn issuer_path(issuer: &str) -> Option<&str> {
    base_url_path(issuer).filter(|path| !path.is_empty())
}
