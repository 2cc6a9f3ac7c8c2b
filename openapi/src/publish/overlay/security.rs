//! Security schemes, and what each operation needs of them.

use crate::types::scopes::Scope;
use crate::{Access, Host, Operation};
use serde_json::{Map, Value, json};

/// The schemes that operations refer to.
pub(super) fn schemes() -> Value {
    let scopes: Map<String, Value> =
        Scope::catalogue().map(|scope| (scope.as_str().to_owned(), json!(scope.description()))).collect();
    let token_url = format!("{}/v1/oauth/token", Host::Auth.public_url());
    json!({
        "oauth2": {
            "type": "oauth2",
            "description": "Client credentials (RFC 6749, section 4.4) for the live hosts.",
            "flows": { "clientCredentials": { "tokenUrl": token_url, "scopes": scopes } },
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A service token or an administrator's token on the live hosts, a sandbox token on the \
                sandbox host, with the scope that the operation names.",
        },
        "client_basic": {
            "type": "http",
            "scheme": "basic",
            "description": "`client_id` and `client_secret`, each form-encoded first (RFC 6749, section 2.3.1).",
        },
    })
}

/// What an operation needs.
pub(super) fn requirement(operation: Operation) -> Value {
    // Client credentials give a live token, which the sandbox host refuses.
    let takes_live_tokens = operation.row().hosts.iter().any(|host| *host != Host::Sandbox);
    match operation.row().access {
        Access::Public => json!([]),
        // The empty alternative is the form: a body cannot be named as a scheme.
        Access::Client => json!([{ "client_basic": [] }, {}]),
        Access::AnyToken => json!([{ "bearer": [] }]),
        Access::Scope(scope) if takes_live_tokens => {
            json!([{ "oauth2": [scope.as_str()] }, { "bearer": [] }])
        }
        // OpenAPI 3.1 lets a scheme other than OAuth 2.0 name the roles that it needs.
        Access::Scope(scope) => json!([{ "bearer": [scope.as_str()] }]),
    }
}
