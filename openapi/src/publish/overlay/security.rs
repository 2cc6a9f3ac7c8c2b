//! What each operation needs of the contract's security schemes.

use crate::row::OperationRow;
use crate::{Access, Host};
use serde_json::{Value, json};

/// What an operation needs.
pub(super) fn requirement(row: &OperationRow) -> Value {
    // Client credentials give a live token, which the sandbox host refuses.
    let takes_live_tokens = row.hosts.iter().any(|host| *host != Host::Sandbox);
    match row.access {
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
