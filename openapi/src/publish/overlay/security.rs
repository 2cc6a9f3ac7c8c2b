//! What each operation needs of the contract's security schemes.

use crate::publish::document::Object;
use crate::row::OperationRow;
use crate::{Access, Host};
use serde_json::{Value, json};

/// Says what an operation needs, to tools and to people.
pub(super) fn complete(operation: &mut Object, row: &OperationRow) {
    operation.insert("security".to_owned(), requirement(row));
    if let Access::Scope(scope) = row.access {
        let description = operation.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{description}\n\nThe token needs the scope `{scope}`.");
        operation.insert("description".to_owned(), json!(description.trim_start()));
    }
}

/// What an operation needs. A scope stands in OAuth's alternative, which OpenAPI has scopes for, and for
/// every kind of token in `x-argus-scopes`: linters refuse scopes of other schemes.
///
/// Generators that send an OAuth token as it is, without `Bearer`, take the alternatives in the order of
/// their names and let the last one win: `live_token`, which is sent with `Bearer`.
fn requirement(row: &OperationRow) -> Value {
    let scope = match row.access {
        // The signature is a part of the URL. A cookie is a browser's, and nobody else is to send one.
        Access::Public | Access::SignedUrl | Access::Browser => return json!([]),
        // The empty alternative is the form: a body cannot be named as a scheme.
        Access::Client => return json!([{ "client_basic": [] }, {}]),
        Access::AnyToken => None,
        Access::Scope(scope) => Some(scope),
    };
    let mut alternatives = Vec::new();
    if row.hosts.iter().any(|host| *host != Host::Sandbox) {
        alternatives.extend(scope.map(|scope| json!({ "authorization_code": [scope.as_str()] })));
        alternatives.extend(scope.map(|scope| json!({ "client_credentials": [scope.as_str()] })));
        alternatives.push(json!({ "live_token": [] }));
    }
    if row.served_by(Host::Sandbox) {
        alternatives.push(json!({ "sandbox_token": [] }));
    }
    Value::Array(alternatives)
}
