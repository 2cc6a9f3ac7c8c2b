//! Whether the variables of a request fit those that a document declares. Whether the document makes sense was decided
//! when it was approved.

use crate::read::quoted;
use crate::types::common::Identifier;
use argus_wire::graphql::Document;
use argus_wire::graphql::syntax::{BaseType, Type, VariableDefinition};
use serde_json::{Map, Value};

/// What an `ID` must be besides what GraphQL asks of it, as a message says it.
const ID_RULE: &str = ", an identifier of 1 to 128 characters out of letters, digits and . _ : ~ -";

/// Says what is wrong with the variables of a request.
pub(super) fn check(document: &Document, given: &Map<String, Value>) -> Result<(), String> {
    let declared = |name: &String| document.variables().any(|variable| variable.name.node == name.as_str());
    // The least of them, because the order of a JSON map depends on how serde_json was built.
    if let Some(unknown) = given.keys().filter(|name| !declared(name)).min() {
        return Err(format!("{} declares no variable {:?}", document.name(), quoted(unknown)));
    }
    for VariableDefinition { name, var_type, default_value, .. } in document.variables() {
        let (name, kind) = (name.node.as_str(), &var_type.node);
        let fits = match given.get(name) {
            None => default_value.is_some() || kind.nullable,
            Some(value) => fits(value, kind),
        };
        if !fits {
            let rule = if is_of_ids(kind) { ID_RULE } else { "" };
            return Err(format!("the variable ${name} of {} must be {kind}{rule}", document.name()));
        }
    }
    Ok(())
}

fn is_of_ids(kind: &Type) -> bool {
    match &kind.base {
        BaseType::Named(name) => name == "ID",
        BaseType::List(entry) => is_of_ids(entry),
    }
}

/// Whether a JSON value can be given for a variable of a type.
fn fits(value: &Value, kind: &Type) -> bool {
    match (value, &kind.base) {
        (Value::Null, _) => kind.nullable,
        (Value::Array(items), BaseType::List(entry)) => items.iter().all(|item| fits(item, entry)),
        // A single value stands for a list of one (section 3.11).
        (value, BaseType::List(entry)) => fits(value, entry),
        (value, BaseType::Named(name)) => match (value, name.as_str()) {
            // An id names the same resources as in a path, and has the same bounds.
            (Value::String(id), "ID") => Identifier::try_from(id.clone()).is_ok(),
            (value, "ID") => value.is_i64() || value.is_u64(),
            (value, "String") => value.is_string(),
            (value, "Int") => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            (value, "Float") => value.is_number(),
            (value, "Boolean") => value.is_boolean(),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_must_fit_their_declaration() {
        let text = "query Q($id: ID!, $first: Int = 3, $flags: [Boolean!], $x: Float! = 1) { a }";
        let document = Document::read(text).expect("a document");
        let check = |variables: Value| check(&document, variables.as_object().expect("object"));
        assert_eq!(check(json!({ "id": "a" })), Ok(()));
        assert_eq!(check(json!({ "id": 7, "first": null, "flags": true, "x": 1.5 })), Ok(()));
        assert_eq!(check(json!({ "id": "a", "flags": [true, false] })), Ok(()));
        for wrong in [
            json!({}),
            json!({ "id": null }),
            json!({ "id": ["a"] }),
            json!({ "id": "" }),
            json!({ "id": "a".repeat(129) }),
            json!({ "id": "a b" }),
            json!({ "id": "a", "first": 2_147_483_648_u64 }),
            json!({ "id": "a", "first": 1.5 }),
            json!({ "id": "a", "flags": [null] }),
            json!({ "id": "a", "x": null }),
            json!({ "id": "a", "more": 1 }),
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
