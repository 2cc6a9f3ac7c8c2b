//! What a GraphQL document selects, and a value with just that, in the order of the selection (GraphQL
//! October 2021, section 6.3). Fragments and directives are not read: no approved document has any.

use argus_wire::graphql::NormalForm;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// The fields of a selection set by their names in the reply, each with what is selected below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection<'a>(Vec<(&'a str, Option<Selection<'a>>)>);

impl<'a> Selection<'a> {
    /// Reads the selection of a document's one operation.
    pub(crate) fn of(form: &NormalForm<'a>) -> Option<Self> {
        let mut tokens = form.tokens();
        while *tokens.first()? != "{" {
            tokens = after_arguments(tokens).unwrap_or(&tokens[1..]);
        }
        let (selection, rest) = Self::read(&tokens[1..])?;
        rest.is_empty().then_some(selection)
    }

    /// Reads up to the closing brace, and gives what follows it.
    fn read<'t>(mut tokens: &'t [&'a str]) -> Option<(Self, &'t [&'a str])> {
        let mut fields: Vec<(&'a str, Option<Selection<'a>>)> = Vec::new();
        loop {
            let (name, mut rest) = match tokens {
                ["}", rest @ ..] if !fields.is_empty() => return Some((Self(fields), rest)),
                [alias, ":", name, rest @ ..] if is_name(alias) && is_name(name) => (*alias, rest),
                [name, rest @ ..] if is_name(name) => (*name, rest),
                _ => return None,
            };
            rest = after_arguments(rest).unwrap_or(rest);
            let mut below = None;
            if let Some(inner) = rest.strip_prefix(&["{"]) {
                let (selection, after) = Self::read(inner)?;
                (below, rest) = (Some(selection), after);
            }
            // A field that is selected twice is in the reply once, where it came first.
            if fields.iter().all(|(known, _)| *known != name) {
                fields.push((name, below));
            }
            tokens = rest;
        }
    }

    /// Of a value, what is selected.
    pub(crate) fn pick<'v>(&'v self, value: &'v Value) -> impl Serialize + 'v {
        Picked { selection: self, value }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
}

/// What follows the arguments that the tokens begin with.
fn after_arguments<'t, 'a>(tokens: &'t [&'a str]) -> Option<&'t [&'a str]> {
    let inner = tokens.strip_prefix(&["("])?;
    let end = inner.iter().position(|token| *token == ")")?;
    Some(&inner[end + 1..])
}

struct Picked<'v> {
    selection: &'v Selection<'v>,
    value: &'v Value,
}

impl Serialize for Picked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Array(items) => {
                serializer.collect_seq(items.iter().map(|value| Picked { selection: self.selection, value }))
            }
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(self.selection.0.len()))?;
                for (name, below) in &self.selection.0 {
                    let value = members.get(*name).unwrap_or(&Value::Null);
                    match below {
                        Some(selection) => map.serialize_entry(name, &Picked { selection, value })?,
                        None => map.serialize_entry(name, value)?,
                    }
                }
                map.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn picked(document: &str, value: &Value) -> Option<String> {
        let form = NormalForm::of(document)?;
        serde_json::to_string(&Selection::of(&form)?.pick(value)).ok()
    }

    #[test]
    fn a_value_has_what_is_selected_in_the_order_of_the_selection() {
        let value = json!({ "a": { "b": 1.5, "c": [{ "d": null, "e": { "x": [] } }], "f": 2 }, "__typename": "Query" });
        let document = "query Q($i: I = {x: 1}) { a(i: $i) { c { e d } b __typename b } __typename }";
        let expected =
            r#"{"a":{"c":[{"e":{"x":[]},"d":null}],"b":1.5,"__typename":null},"__typename":"Query"}"#;
        assert_eq!(picked(document, &value).as_deref(), Some(expected));
        assert_eq!(picked("{ a { b } }", &json!({ "a": null })).as_deref(), Some(r#"{"a":null}"#));
    }

    #[test]
    fn what_no_approved_document_has_is_not_read() {
        for document in
            ["", "query Q", "{ }", "{ a", "{ a { } }", "{ ...F }", "{ a @b }", "{ a } { b }", "{ a: }"]
        {
            assert_eq!(picked(document, &json!({})), None, "{document}");
        }
    }
}
