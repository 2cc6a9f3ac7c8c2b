//! Whether the documents of bundles fit the schema: a document that was approved once may ask for what is not there any
//! more. Nothing is loaded for it.

use super::schema;
use argus_openapi::graphql::Bundles;
use argus_wire::graphql::Document;
use argus_wire::graphql::syntax::{BaseType, Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::parse_schema;
use async_graphql::{EmptyMutation, EmptySubscription, Request, Response, Schema, Variables};
use futures::executor::block_on;
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;

/// A document of a bundle that does not fit the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Id of the bundle.
    pub bundle: String,
    /// Name of the file.
    pub file: String,
    /// What does not fit.
    pub message: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} does not fit the schema: {}", self.bundle, self.file, self.message)
    }
}

/// Ends every request behind its validation.
struct ValidationOnly;

impl ExtensionFactory for ValidationOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for ValidationOnly {
    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default()
    }
}

pub(super) fn misfits(bundles: &Bundles) -> Vec<Misfit> {
    let schema = schema::builder().extension(ValidationOnly).finish();
    let unions = unions(&schema.sdl());
    let documents =
        bundles.iter().flat_map(|bundle| bundle.documents.iter().map(move |file| (&bundle.id, file)));
    let misfits = documents.flat_map(|(bundle, (file, document))| {
        let misfit = |message| Misfit { bundle: bundle.to_string(), file: file.clone(), message };
        complaints(&schema, &unions, document).into_iter().map(misfit).collect::<Vec<_>>()
    });
    misfits.collect()
}

/// The unions of a schema.
fn unions(sdl: &str) -> Vec<String> {
    // What async-graphql prints, it reads.
    let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
    let unions = definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => match definition.node.kind {
            TypeKind::Union(_) => Some(definition.node.name.node.to_string()),
            _ => None,
        },
        _ => None,
    });
    unions.collect()
}

/// What fragments of a document are on.
fn conditions(document: &Document) -> Vec<&str> {
    let fragments = document.parsed().fragments.values();
    let mut found: Vec<&str> =
        fragments.clone().map(|fragment| fragment.node.type_condition.node.on.node.as_str()).collect();
    let operation = document.operation().map(|operation| &operation.selection_set.node);
    let mut sets: Vec<&SelectionSet> =
        operation.into_iter().chain(fragments.map(|fragment| &fragment.node.selection_set.node)).collect();
    while let Some(set) = sets.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => sets.push(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    found.extend(condition.map(|condition| condition.node.on.node.as_str()));
                    sets.push(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    found
}

fn complaints(
    schema: &Schema<schema::Query, EmptyMutation, EmptySubscription>,
    unions: &[String],
    document: &Document,
) -> Vec<String> {
    // async-graphql takes such a fragment and leaves out what is in it.
    if let Some(union) = conditions(document).into_iter().find(|on| unions.iter().any(|union| union == on)) {
        return vec![format!("a fragment on the union {union}; name the objects that are meant")];
    }
    let mut variables = Map::new();
    for variable in document.variables() {
        match sample(&variable.var_type.node) {
            Some(value) => variables.insert(variable.name.node.to_string(), value),
            None => {
                return vec![format!(
                    "${} has the unknown type {}",
                    variable.name.node, variable.var_type.node
                )];
            }
        };
    }
    let mut request = Request::new("").operation_name(document.name());
    request.set_parsed_query(document.parsed().clone());
    let request = request.variables(Variables::from_json(Value::Object(variables)));
    block_on(schema.execute(request)).errors.into_iter().map(|error| error.message).collect()
}

/// A value of a type; none where the gate takes no value for it either.
fn sample(kind: &Type) -> Option<Value> {
    match &kind.base {
        BaseType::List(entry) => Some(json!([sample(entry)?])),
        BaseType::Named(name) => match name.as_str() {
            "ID" | "String" => Some("x".into()),
            "Int" => Some(1.into()),
            "Float" => Some(json!(1.5)),
            "Boolean" => Some(true.into()),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::graphql::BundleFile;

    fn misfits_of(text: &str) -> Vec<String> {
        let (bundle, name) = ("own".to_owned(), "a.graphql".to_owned());
        let bundles = Bundles::with([BundleFile { bundle, name, text: text.to_owned() }]).expect("bundles");
        misfits(&bundles).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_shipped_document_fits() {
        assert_eq!(misfits(&Bundles::shipped()), []);
    }

    #[test]
    fn what_fits_every_part_of_the_schema_fits() {
        let text = "query A($id: ID!, $ids: [ID!]!, $first: Int!) { \
            node(id: $id) { id __typename ... on Job { status error { code } } ...W } \
            subject(id: $id) { ... on Incident { timeline(first: $first) { totalCount } } ... on Device { id } } \
            profiles(ids: $ids) { relations(first: $first) { label profile { id } } } } \
            fragment W on Webhook { url events }";
        assert_eq!(misfits_of(text), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_named_and_nothing_is_suggested() {
        for (text, expected) in [
            ("query A { profil }", "profil"),
            ("query A($id: ID!) { profile(id: $id) { displayNam } }", "displayNam"),
            ("query A($id: ID!) { profile(id: $id) }", "Profile"),
            ("query A { profile { id } }", "id"),
            ("query A($id: ID!) { profile(id: $id, other: 1) { id } }", "other"),
            ("query A($id: Secret!) { profile(id: $id) { id } }", "Secret"),
            ("query A($id: ID!) { subject(id: $id) { ... on Job { id } } }", "Job"),
            (
                "query A($id: ID!) { subject(id: $id) { ...F } } fragment F on Subject { __typename }",
                "union Subject",
            ),
            (
                "query A($id: ID!) { device(id: $id) { ... on Subject { ... on Device { id } } } }",
                "union Subject",
            ),
            ("query A($id: ID!, $unused: Int) { profile(id: $id) { id } }", "unused"),
            (
                "query A($id: ID!) { ...F } fragment F on Query { ...G } fragment G on Query { profile(id: $id) { i } }",
                "i",
            ),
        ] {
            let found = misfits_of(text);
            assert!(found.iter().any(|misfit| misfit.contains(expected)), "{text}: {found:?}");
            assert!(!found.concat().contains("Did you mean"), "{found:?}");
        }
    }
}
