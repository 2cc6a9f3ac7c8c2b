//! What a GraphQL document selects, and a value with just that, in the order of the selection (GraphQL
//! October 2021, section 6.3). Fragments and directives are not read: no approved document has any.

use argus_wire::graphql::Document;
use argus_wire::graphql::syntax::{self, SelectionSet};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// The fields of a selection set by their names in the reply, each with what is selected below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection(Vec<(String, Option<Selection>)>);

impl Selection {
    /// The selection of a document's one operation; none where it has fragments or directives.
    pub(crate) fn of(document: &Document) -> Option<Self> {
        Self::of_set(&document.operation()?.selection_set.node)
    }

    fn of_set(set: &SelectionSet) -> Option<Self> {
        let mut fields: Vec<(String, Option<Selection>)> = Vec::new();
        for item in &set.items {
            let syntax::Selection::Field(field) = &item.node else { return None };
            if !field.node.directives.is_empty() {
                return None;
            }
            let below = &field.node.selection_set.node;
            let below = if below.items.is_empty() { None } else { Some(Self::of_set(below)?) };
            let name = field.node.response_key().node.as_str();
            // A field that is selected twice is in the reply once, where it came first.
            if fields.iter().all(|(known, _)| known != name) {
                fields.push((name.to_owned(), below));
            }
        }
        Some(Self(fields))
    }

    /// Of a value, what is selected.
    pub(crate) fn pick<'v>(&'v self, value: &'v Value) -> impl Serialize + 'v {
        Picked { selection: self, value }
    }
}

struct Picked<'v> {
    selection: &'v Selection,
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
                    let value = members.get(name).unwrap_or(&Value::Null);
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
        serde_json::to_string(&Selection::of(&Document::read(document).ok()?)?.pick(value)).ok()
    }

    #[test]
    fn a_value_has_what_is_selected_in_the_order_of_the_selection() {
        let value = json!({ "a": { "b": 1.5, "c": [{ "d": null, "e": { "x": [] } }], "f": 2 }, "__typename": "Query" });
        let document = "query Q($i: I = {x: 1}) { a(i: $i) { c { e d } b __typename b } __typename }";
        let expected =
            r#"{"a":{"c":[{"e":{"x":[]},"d":null}],"b":1.5,"__typename":null},"__typename":"Query"}"#;
        assert_eq!(picked(document, &value).as_deref(), Some(expected));
        assert_eq!(picked("query Q { a { b } }", &json!({ "a": null })).as_deref(), Some(r#"{"a":null}"#));
    }

    #[test]
    fn what_no_approved_document_has_is_not_read() {
        for document in
            ["query Q { ...F } fragment F on Query { a }", "query Q { ... { a } }", "query Q { a @b }"]
        {
            assert_eq!(picked(document, &json!({})), None, "{document}");
        }
    }
}
