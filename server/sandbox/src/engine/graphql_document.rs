//! Approved GraphQL documents: their name and declared variables, which the variables of a request
//! must fit. Whether a document makes sense was decided when it was approved.

use argus_openapi::read::quoted;
use argus_openapi::types::common::Identifier;
use argus_wire::graphql::NormalForm;
use serde_json::Value;

/// What an `ID` must be besides what GraphQL asks of it, as a message says it.
const ID_RULE: &str = ", an identifier of 1 to 128 characters out of letters, digits and . _ : ~ -";

/// A document of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: &'static str,
    form: NormalForm<'static>,
    variables: Vec<Variable>,
}

#[derive(Clone, Debug)]
struct Variable {
    name: &'static str,
    /// The type's tokens, such as `[`, `String`, `!`, `]`.
    kind: Vec<&'static str>,
    has_default: bool,
}

impl Document {
    /// Reads `query Name($variable: Type = default ...) {...}`.
    pub(crate) fn read(text: &'static str) -> Option<Self> {
        let form = NormalForm::of(text)?.without_type_names();
        let (name, mut rest) = match form.tokens() {
            ["query", name, rest @ ..] => (*name, rest),
            _ => return None,
        };
        let mut variables: Vec<Variable> = Vec::new();
        if let Some(declarations) = rest.strip_prefix(&["("]) {
            let end = declarations.iter().position(|token| *token == ")")?;
            for declaration in declarations[..end].split(|token| *token == "$").skip(1) {
                let (name, kind) = match declaration {
                    [name, ":", kind @ ..] => (*name, kind),
                    _ => return None,
                };
                let mut parts = kind.split(|token| *token == "=");
                let kind = parts.next()?.to_vec();
                variables.push(Variable { name, kind, has_default: parts.next().is_some() });
            }
            rest = &declarations[end + 1..];
        }
        (rest.first() == Some(&"{")).then_some(())?;
        Some(Self { name, variables, form })
    }

    /// Whether the normal form is that of this document, besides the type names that it asks for.
    pub(crate) fn matches(&self, form: &NormalForm<'_>) -> bool {
        self.form == form.without_type_names()
    }

    /// Says what is wrong with the variables of a request.
    pub(crate) fn check_variables(&self, given: &serde_json::Map<String, Value>) -> Result<(), String> {
        let declared = |name: &String| self.variables.iter().any(|variable| variable.name == name);
        // The least of them, because the order of a JSON map depends on how serde_json was built.
        if let Some(unknown) = given.keys().filter(|name| !declared(name)).min() {
            return Err(format!("{} declares no variable {:?}", self.name, quoted(unknown)));
        }
        for variable in &self.variables {
            let fits = match given.get(variable.name) {
                None => variable.has_default || variable.kind.last() != Some(&"!"),
                Some(value) => fits(value, &variable.kind),
            };
            if !fits {
                let (name, kind) = (variable.name, variable.kind.concat());
                let rule = if variable.kind.contains(&"ID") { ID_RULE } else { "" };
                return Err(format!("the variable ${name} of {} must be {kind}{rule}", self.name));
            }
        }
        Ok(())
    }
}

/// Whether a JSON value can be given for a variable of a type.
fn fits(value: &Value, kind: &[&str]) -> bool {
    match (value, kind) {
        (Value::Null, [.., "!"]) => false,
        (value, [kind @ .., "!"]) => fits(value, kind),
        (Value::Null, _) => true,
        (Value::Array(items), ["[", kind @ .., "]"]) => items.iter().all(|item| fits(item, kind)),
        // A single value stands for a list of one (section 3.11).
        (value, ["[", kind @ .., "]"]) => fits(value, kind),
        // An id names the same resources as in a path, and has the same bounds.
        (Value::String(id), ["ID"]) => Identifier::try_from(id.clone()).is_ok(),
        (value, ["ID"]) => value.is_i64() || value.is_u64(),
        (value, ["String"]) => value.is_string(),
        (value, ["Int"]) => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        (value, ["Float"]) => value.is_number(),
        (value, ["Boolean"]) => value.is_boolean(),
        _ => false,
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
        let check = |variables: Value| document.check_variables(variables.as_object().expect("object"));
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
