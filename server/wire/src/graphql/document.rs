//! A document of one query, parsed. What its fields mean is a schema's business.

use super::normal_form::{DocumentHash, NormalForm, TYPE_NAME};
use async_graphql_parser::parse_query;
use async_graphql_parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
    VariableDefinition,
};

/// What the fields of introspection begin with (GraphQL October 2021, section 4).
const INTROSPECTION: &str = "__";

/// A document of one query with a name. It has no field of introspection but `__typename`.
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    hash: DocumentHash,
    parsed: ExecutableDocument,
}

/// Why a text is no such document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It has something that is no token of GraphQL.
    #[error("it has something that is no token of GraphQL")]
    Token,
    /// It is no document: what the parser says.
    #[error("it is no GraphQL document: {0}")]
    Syntax(String),
    /// It has several operations, or one without a name.
    #[error("it needs exactly one operation, with a name")]
    Operations,
    /// It changes something, or subscribes.
    #[error("its operation must be a query")]
    NoQuery,
    /// It asks about the schema.
    #[error("it asks about the schema, with the field {0}")]
    Introspection(String),
}

impl Document {
    /// Reads a document.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        Self::of(&NormalForm::of(text).ok_or(Unreadable::Token)?)
    }

    /// Reads a document from its normal form, so that what was compared is what is parsed: no comment and no white
    /// space can mean something else to the parser.
    pub fn of(form: &NormalForm<'_>) -> Result<Self, Unreadable> {
        let parsed = parse_query(for_parser(form)).map_err(|error| Unreadable::Syntax(error.to_string()))?;
        let operations = match &parsed.operations {
            DocumentOperations::Single(_) => return Err(Unreadable::Operations),
            DocumentOperations::Multiple(operations) => operations,
        };
        let mut named = operations.iter();
        let (Some((name, operation)), None) = (named.next(), named.next()) else {
            return Err(Unreadable::Operations);
        };
        if operation.node.ty != OperationType::Query {
            return Err(Unreadable::NoQuery);
        }
        let fragments = parsed.fragments.values().map(|fragment| &fragment.node.selection_set.node);
        let sets = std::iter::once(&operation.node.selection_set.node).chain(fragments);
        if let Some(field) = sets.into_iter().find_map(introspection) {
            return Err(Unreadable::Introspection(field.to_owned()));
        }
        Ok(Self { name: name.to_string(), hash: form.without_type_names().hash(), parsed })
    }

    /// The name of its operation.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash of its normal form without type names.
    pub fn hash(&self) -> DocumentHash {
        self.hash
    }

    /// Its one operation.
    pub fn operation(&self) -> Option<&OperationDefinition> {
        self.parsed.operations.iter().next().map(|(_, operation)| &operation.node)
    }

    /// The variables that it declares.
    pub fn variables(&self) -> impl Iterator<Item = &VariableDefinition> {
        let declared = self.operation().map(|operation| &operation.variable_definitions);
        declared.into_iter().flatten().map(|variable| &variable.node)
    }

    /// The document as it was parsed.
    pub fn parsed(&self) -> &ExecutableDocument {
        &self.parsed
    }
}

/// The text of a form as the parser takes it: it wants no space inside of a type.
fn for_parser(form: &NormalForm<'_>) -> String {
    let mut text = String::new();
    let mut opens = true;
    for token in form.tokens() {
        if !opens && !matches!(*token, "!" | "]") {
            text.push(' ');
        }
        text.push_str(token);
        opens = *token == "[";
    }
    text
}

/// A field of introspection in a selection, below it included. How deep one can be, the parser limits.
fn introspection(set: &SelectionSet) -> Option<&str> {
    set.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) => {
            let name = field.node.name.node.as_str();
            let asks = name.starts_with(INTROSPECTION) && name != TYPE_NAME;
            if asks { Some(name) } else { introspection(&field.node.selection_set.node) }
        }
        Selection::InlineFragment(fragment) => introspection(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_one_named_query_is_read() {
        let text =
            "# About.\nquery A($id: ID!, $first: Int = 10) { a(id: $id) { ...F } } fragment F on B { c }";
        let document = Document::read(text).expect("a document");
        assert_eq!(document.name(), "A");
        let variables: Vec<&str> = document.variables().map(|variable| variable.name.node.as_str()).collect();
        assert_eq!(variables, ["id", "first"]);
        let typed = text.replace("{ c }", "{ __typename c __typename }");
        assert_eq!(Document::read(&typed).expect("a document").hash(), document.hash());
        assert_ne!(Document::read(&text.replace('c', "d")).expect("a document").hash(), document.hash());
    }

    #[test]
    fn whatever_is_no_such_document_is_refused() {
        let refused = |text: &str| Document::read(text).expect_err(text);
        assert_eq!(refused("{ a % b }"), Unreadable::Token);
        assert!(matches!(refused("query A { a { } }"), Unreadable::Syntax(_)));
        assert_eq!(refused("{ a }"), Unreadable::Operations);
        assert_eq!(refused("query A { a } query B { b }"), Unreadable::Operations);
        assert_eq!(refused("mutation A { a }"), Unreadable::NoQuery);
        assert_eq!(refused("subscription A { a }"), Unreadable::NoQuery);
        for text in [
            "query A { __schema { types { name } } }",
            "query A { a { b ... on C { __type(name: \"D\") { name } } } }",
            "query A { ...F } fragment F on Query { kind: __schema { x } }",
            "query A { __typename_ }",
        ] {
            assert!(matches!(refused(text), Unreadable::Introspection(_)), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_too_deep_is_refused_and_breaks_nothing() {
        let deep = format!("query A {} a {}", "{ a ".repeat(10_000), "}".repeat(10_000));
        assert!(matches!(Document::read(&deep), Err(Unreadable::Syntax(_))));
    }
}
