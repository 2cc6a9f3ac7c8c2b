//! How much a document may ask for, whoever has approved it: what its variables say counts, too.

use super::document::Document;
use async_graphql_parser::Positioned;
use async_graphql_parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql_value::Value;
use serde_json::{Map, Value as Json};

/// The argument that says how many entries of a list are wanted.
const FIRST: &str = "first";
/// The argument that names several objects.
const IDS: &str = "ids";

/// What a document may ask for at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields below each other.
    pub depth: u64,
    /// Values in the answer, as far as the document says how many: each field is one, as often as `first` or `ids`
    /// above it say.
    pub cost: u64,
    /// Fields under another name.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
}

/// A limit that a document exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Fields below each other.
    #[error("more than {0} fields below each other")]
    Depth(u64),
    /// Values in the answer.
    #[error("more than {0} values in the answer")]
    Cost(u64),
    /// Fields under another name.
    #[error("more than {0} aliases")]
    Aliases(u64),
    /// Directives.
    #[error("more than {0} directives")]
    Directives(u64),
}

/// What was counted of a document so far.
struct Count<'d> {
    document: &'d Document,
    variables: &'d Map<String, Json>,
    limits: &'d Limits,
    cost: u64,
    aliases: u64,
    directives: u64,
}

impl Limits {
    /// Whether a document with these variables keeps to the limits. It need not make sense: a fragment that holds
    /// itself is too deep.
    pub fn check(&self, document: &Document, variables: &Map<String, Json>) -> Result<(), Exceeded> {
        let (cost, aliases, directives) = (0, 0, 0);
        let mut count = Count { document, variables, limits: self, cost, aliases, directives };
        let Some(operation) = document.operation() else { return Ok(()) };
        count.directives(&operation.directives)?;
        for variable in &operation.variable_definitions {
            count.directives(&variable.node.directives)?;
        }
        count.set(&operation.selection_set.node, 1, 1)
    }
}

impl Count<'_> {
    fn set(&mut self, set: &SelectionSet, depth: u64, times: u64) -> Result<(), Exceeded> {
        if depth > self.limits.depth {
            return Err(Exceeded::Depth(self.limits.depth));
        }
        let parsed: &ExecutableDocument = self.document.parsed();
        for item in &set.items {
            self.directives(item.node.directives())?;
            // A fragment costs something, too: many of them that hold each other must come to an end.
            self.add_cost(times.max(1))?;
            match &item.node {
                Selection::Field(field) => self.field(&field.node, depth, times)?,
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.node.selection_set.node, depth + 1, times)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = parsed.fragments.get(&spread.node.fragment_name.node) {
                        self.directives(&fragment.node.directives)?;
                        self.set(&fragment.node.selection_set.node, depth + 1, times)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, depth: u64, times: u64) -> Result<(), Exceeded> {
        if field.alias.is_some() {
            self.aliases += 1;
            if self.aliases > self.limits.aliases {
                return Err(Exceeded::Aliases(self.limits.aliases));
            }
        }
        let times = times.saturating_mul(self.entries(field));
        let below = &field.selection_set.node;
        if below.items.is_empty() { Ok(()) } else { self.set(below, depth + 1, times) }
    }

    /// How many objects a field asks for, as far as it says so.
    fn entries(&self, field: &Field) -> u64 {
        let first = field.get_argument(FIRST).and_then(|value| match &value.node {
            Value::Number(number) => Some(number.as_u64().unwrap_or(0)),
            Value::Variable(name) => self.variable(name, Json::as_i64, |value| match value {
                Value::Number(number) => number.as_i64(),
                _ => None,
            }),
            _ => None,
        });
        let ids = field.get_argument(IDS).and_then(|value| match &value.node {
            Value::List(ids) => u64::try_from(ids.len()).ok(),
            Value::Variable(name) => self.variable(
                name,
                |value| value.as_array().and_then(|ids| i64::try_from(ids.len()).ok()),
                |value| match value {
                    Value::List(ids) => i64::try_from(ids.len()).ok(),
                    _ => None,
                },
            ),
            _ => None,
        });
        first.unwrap_or(1).saturating_mul(ids.unwrap_or(1))
    }

    /// A number that the value of a variable amounts to, or else that of its default.
    fn variable(
        &self,
        name: &str,
        of_json: fn(&Json) -> Option<i64>,
        of_default: fn(&Value) -> Option<i64>,
    ) -> Option<u64> {
        let number = match self.variables.get(name) {
            Some(value) => of_json(value),
            None => {
                let declared = self.document.variables().find(|variable| variable.name.node == name)?;
                of_default(&declared.default_value.clone()?.node.into_value())
            }
        };
        number.map(|number| u64::try_from(number).unwrap_or(0))
    }

    fn add_cost(&mut self, cost: u64) -> Result<(), Exceeded> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limits.cost { Err(Exceeded::Cost(self.limits.cost)) } else { Ok(()) }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), Exceeded> {
        self.directives += u64::try_from(directives.len()).unwrap_or(u64::MAX);
        if self.directives > self.limits.directives {
            return Err(Exceeded::Directives(self.limits.directives));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: Limits = Limits { depth: 4, cost: 100, aliases: 2, directives: 2 };

    fn check(text: &str, variables: &Json) -> Result<(), Exceeded> {
        let document = Document::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        LIMITS.check(&document, variables.as_object().expect("an object"))
    }

    #[test]
    fn depth_aliases_and_directives_are_limited() {
        assert_eq!(check("query A { a { b { c { d } } } }", &json!({})), Ok(()));
        for deep in [
            "query A { a { b { c { d { e } } } } }",
            "query A { a { b { ... on B { ... { c } } } } }",
            "query A { ...F } fragment F on Query { a { ...F } }",
            "query A { ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
        ] {
            assert_eq!(check(deep, &json!({})), Err(Exceeded::Depth(4)), "{deep}");
        }
        assert_eq!(check("query A { x: a y: a }", &json!({})), Ok(()));
        assert_eq!(check("query A { x: a y: a z: a }", &json!({})), Err(Exceeded::Aliases(2)));
        let directive = |count| format!("query A {{ a {} }}", "@skip(if: false) ".repeat(count));
        assert_eq!(check(&directive(2), &json!({})), Ok(()));
        assert_eq!(check(&directive(3), &json!({})), Err(Exceeded::Directives(2)));
        let spread = "query A @a { ...F @a } fragment F on Query @a { a }";
        assert_eq!(check(spread, &json!({})), Err(Exceeded::Directives(2)));
    }

    #[test]
    fn what_the_variables_ask_for_counts() {
        let document = "query A($first: Int = 10, $ids: [ID!]) { a(first: $first) { b } c(ids: $ids) { d } }";
        for (variables, expected) in [
            (json!({}), Ok(())),
            (json!({ "first": 90 }), Ok(())),
            (json!({ "first": 100 }), Err(Exceeded::Cost(100))),
            (json!({ "first": 2_147_483_647 }), Err(Exceeded::Cost(100))),
            (json!({ "first": -1, "ids": vec!["a"; 90] }), Ok(())),
            (json!({ "first": null, "ids": vec!["a"; 100] }), Err(Exceeded::Cost(100))),
        ] {
            assert_eq!(check(document, &variables), expected, "{variables:.60}");
        }
        let literal = "query A { a(first: 101) { b } }";
        assert_eq!(check(literal, &json!({})), Err(Exceeded::Cost(100)));
        let nested = "query A { a(first: 20) { b(ids: [1, 2, 3, 4, 5]) { c } } }";
        assert_eq!(check(nested, &json!({})), Err(Exceeded::Cost(100)));
    }

    #[test]
    fn fragments_that_double_each_other_and_type_names_come_to_an_end() {
        let mut text = "query A { ...F0 } ".to_owned();
        for index in 0..40 {
            text.push_str(&format!("fragment F{index} on Q {{ ...F{0} ...F{0} }} ", index + 1));
        }
        text.push_str("fragment F40 on Q { a }");
        assert!(check(&text, &json!({})).is_err());
        let typed = format!("query A {{ {} }}", "__typename ".repeat(101));
        assert_eq!(check(&typed, &json!({})), Err(Exceeded::Cost(100)));
    }
}
