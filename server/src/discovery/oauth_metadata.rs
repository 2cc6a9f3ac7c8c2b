//! Authorization server metadata (RFC 8414), from what the server really does.

use argus_openapi::types::apps::ClientAuthenticationMethod;
use argus_openapi::types::client_keys::SigningAlgorithm;
use argus_openapi::types::discovery::{DOCUMENTATION, OauthMetadata};
use argus_openapi::types::oauth::{CodeChallengeMethod, ResponseType};
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::TokenGrant;
use argus_openapi::types::uri::base_url_path;
use argus_partner::{Identity, oauth};

/// The metadata of the authorization server that clients reach under `auth_url`.
pub fn oauth_metadata(identity: &Identity, auth_url: &str) -> OauthMetadata {
    let endpoint = |path: &str| format!("{auth_url}{path}");
    // Of endpoints that say nothing, clients take `client_secret_basic` for the only one (section 2).
    OauthMetadata {
        issuer: identity.issuer().to_owned(),
        authorization_endpoint: endpoint("/v1/oauth/authorize"),
        pushed_authorization_request_endpoint: endpoint("/v1/oauth/par"),
        token_endpoint: endpoint(oauth::TOKEN_PATH),
        revocation_endpoint: endpoint("/v1/oauth/revoke"),
        introspection_endpoint: endpoint("/v1/oauth/introspect"),
        jwks_uri: endpoint("/.well-known/jwks.json"),
        scopes_supported: Scope::catalogue().map(|scope| scope.to_string()).collect(),
        response_types_supported: ResponseType::ALL.iter().map(ToString::to_string).collect(),
        response_modes_supported: vec!["query".to_owned()],
        grant_types_supported: TokenGrant::ALL.iter().map(ToString::to_string).collect(),
        code_challenge_methods_supported: CodeChallengeMethod::ALL.iter().map(ToString::to_string).collect(),
        authorization_response_iss_parameter_supported: true,
        token_endpoint_auth_methods_supported: methods(),
        token_endpoint_auth_signing_alg_values_supported: algorithms(),
        revocation_endpoint_auth_methods_supported: methods(),
        revocation_endpoint_auth_signing_alg_values_supported: algorithms(),
        introspection_endpoint_auth_methods_supported: methods(),
        introspection_endpoint_auth_signing_alg_values_supported: algorithms(),
        service_documentation: DOCUMENTATION.to_owned(),
    }
}

/// How a client can authenticate, the same wherever one does.
fn methods() -> Vec<String> {
    let names = ClientAuthenticationMethod::ALL.into_iter().flat_map(|method| method.published_names());
    names.map(ToString::to_string).collect()
}

/// What it can sign an assertion with.
fn algorithms() -> Vec<String> {
    SigningAlgorithm::ALL.iter().map(ToString::to_string).collect()
}

/// The path of an issuer that has one. Its metadata stands where the well-known path is put before it
/// (RFC 8414, section 3.1).
pub fn issuer_path(issuer: &str) -> Option<&str> {
    base_url_path(issuer).filter(|path| !path.is_empty())
}
