//! What guards the parts of the GraphQL schema: every field of every object that needs a scope, listed from the schema
//! itself, is asked for by every way that the schema has to it, by a token with that scope and by one with all others.

use super::graphql::assert_refusal;
use super::graphql_live::{approve, ask, write_bundles};
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_tests::{AppCredentials, Installation, TestServer, on_both_engines};
use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_both_engines! {
    no_way_to_a_guarded_field_goes_around_its_scope
}

/// What each object with an identifier needs, wherever it is reached.
const SCOPES: [(&str, Scope); 5] = [
    ("Device", Scope::ProfilesRead),
    ("Incident", Scope::ProfilesRead),
    ("Job", Scope::JobsRead),
    ("Profile", Scope::ProfilesRead),
    ("Webhook", Scope::WebhooksRead),
];

/// By what name a document asks for the field that it is about.
const REACHED: &str = "reached";

/// The schema, as far as ways go through it.
#[derive(Default)]
struct Schema {
    objects: BTreeMap<String, Vec<FieldDefinition>>,
    /// The objects of each interface and union.
    kinds: BTreeMap<String, Vec<String>>,
    interfaces: BTreeMap<String, Vec<FieldDefinition>>,
}

impl Schema {
    fn read() -> Self {
        let mut schema = Self::default();
        let document = parse_schema(argus_partner::graphql::sdl()).unwrap();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            _ => None,
        });
        for definition in types {
            let name = definition.name.node.to_string();
            match definition.kind {
                TypeKind::Object(object) => {
                    for interface in &object.implements {
                        schema.kinds.entry(interface.node.to_string()).or_default().push(name.clone());
                    }
                    let fields = object.fields.into_iter().map(|field| field.node).collect();
                    schema.objects.insert(name, fields);
                }
                TypeKind::Union(union) => {
                    let members = union.members.iter().map(|member| member.node.to_string()).collect();
                    schema.kinds.insert(name, members);
                }
                TypeKind::Interface(interface) => {
                    let fields = interface.fields.into_iter().map(|field| field.node).collect();
                    schema.interfaces.insert(name, fields);
                }
                _ => {}
            }
        }
        schema
    }

    /// A field as a document asks for it, with all that it needs.
    fn asked(&self, field: &FieldDefinition) -> String {
        let below = if self.objects.contains_key(named(&field.ty.node)) { " { __typename }" } else { "" };
        format!("{REACHED}: {}{}{below}", field.name.node, arguments(field))
    }

    /// Every document that asks for a field of an object.
    fn ways(&self, object: &str, field: &FieldDefinition) -> Vec<String> {
        let asked = self.asked(field);
        let fragment = format!(" fragment Part on {object} {{ {asked} }}");
        let mut ways = Vec::new();
        let mut way = |root: &FieldDefinition, selection: &str, behind: &str| {
            let head = declarations(root);
            let root = format!("{}{}", root.name.node, arguments(root));
            ways.push(format!("query Way{head} {{ {root} {{ {selection} }} }}{behind}"));
        };
        for root in &self.objects["Query"] {
            let returned = named(&root.ty.node);
            let is_among =
                self.kinds.get(returned).is_some_and(|objects| objects.iter().any(|one| one == object));
            if returned != object && !is_among {
                continue;
            }
            let inline = format!("... on {object} {{ {asked} }}");
            way(root, &inline, "");
            way(root, "...Part", &fragment);
            // No document has a fragment on a union: the check of bundles refuses it.
            if returned == object || self.interfaces.contains_key(returned) {
                way(root, "...Outer", &format!("{fragment} fragment Outer on {returned} {{ ...Part }}"));
            }
            way(root, &format!("... @include(if: true) {{ {inline} }}"), "");
            if returned == object {
                way(root, &asked, "");
            }
            for (kind, objects) in &self.kinds {
                let is_interface = self.interfaces.contains_key(kind);
                if is_interface && kind != returned && objects.iter().any(|one| one == object) {
                    way(root, &format!("... on {kind} {{ {inline} }}"), "");
                }
            }
            // What is asked of an interface without saying which object.
            for (interface, fields) in &self.interfaces {
                let is_in_it = fields.iter().any(|one| one.name.node == field.name.node);
                if is_in_it && self.kinds[interface].iter().any(|one| one == object) {
                    match interface == returned {
                        true => way(root, &asked, ""),
                        false => way(root, &format!("... on {interface} {{ {asked} }}"), ""),
                    }
                }
            }
        }
        ways
    }
}

fn named(kind: &Type) -> &str {
    match &kind.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(entry) => named(entry),
    }
}

/// Values for the arguments that a field needs.
fn arguments(field: &FieldDefinition) -> String {
    let needed = field.arguments.iter().filter(|argument| !argument.node.ty.node.nullable);
    let given: Vec<String> = needed
        .map(|argument| match argument.node.name.node.as_str() {
            "first" => "first: 5".to_owned(),
            name => format!("{name}: ${name}"),
        })
        .collect();
    if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) }
}

/// The variables that these values take.
fn declarations(field: &FieldDefinition) -> String {
    let needed = field.arguments.iter().filter(|argument| !argument.node.ty.node.nullable);
    let taken: Vec<String> = needed
        .filter(|argument| argument.node.name.node != "first")
        .map(|argument| format!("${}: {}", argument.node.name.node, argument.node.ty.node))
        .collect();
    if taken.is_empty() { String::new() } else { format!("({})", taken.join(", ")) }
}

/// A token with all scopes but one.
async fn token_without(app: &AppCredentials, missing: Option<Scope>) -> String {
    let scopes: Vec<Scope> = every_scope().into_iter().filter(|scope| Some(*scope) != missing).collect();
    app.live_token(&scopes).await
}

fn every_scope() -> Vec<Scope> {
    let all = [Scope::GraphqlExecute, Scope::ProfilesRead, Scope::JobsRead, Scope::JobsWrite];
    all.into_iter().chain([Scope::WebhooksRead, Scope::WebhooksWrite]).collect()
}

/// One of each object, in the tenant of the app: its identifier.
async fn objects(server: &TestServer, app: &AppCredentials, token: &str) -> BTreeMap<&'static str, String> {
    let mut ids = BTreeMap::new();
    for (object, id, kind) in [
        ("Profile", "p1", ProfileKind::Wallet),
        ("Incident", "i1", ProfileKind::Incident),
        ("Device", "d1", ProfileKind::Device),
    ] {
        server.put_profile(&app.tenancy.tenant_id, id, kind, SecrecyLevel::Standard).await;
        ids.insert(object, id.to_owned());
    }
    let job = json!({ "kind": "export.bulk", "payload": {} });
    ids.insert("Job", server.post(Host::Api, "/v1/jobs", token, &job).await.expect(201).text("id"));
    let webhook = json!({ "url": "https://receiver.example/in", "events": ["job.succeeded"] });
    ids.insert(
        "Webhook",
        server.post(Host::Auth, "/v1/webhooks", token, &webhook).await.expect(201).text("id"),
    );
    ids
}

async fn no_way_to_a_guarded_field_goes_around_its_scope(mut installation: Installation) {
    let schema = Schema::read();
    let guarded: Vec<&String> = schema.kinds["Node"].iter().collect();
    let known: Vec<&str> = SCOPES.iter().map(|(object, _)| *object).collect();
    assert!(guarded.iter().all(|object| known.contains(&object.as_str())), "{guarded:?} {known:?}");
    assert_eq!(guarded.len(), known.len());

    let mut documents = Vec::new();
    for (object, scope) in SCOPES {
        for field in &schema.objects[object] {
            let ways = schema.ways(object, field);
            assert!(ways.len() >= 10, "{object}.{}: {ways:#?}", field.name.node);
            documents.extend(ways.into_iter().map(|document| (object, scope, document)));
        }
    }
    let names: Vec<String> = (0..documents.len()).map(|number| format!("{number:04}.graphql")).collect();
    let directory = installation.scratch().join("bundles");
    let files = names.iter().zip(&documents).map(|(name, (.., document))| ("ways", &**name, &**document));
    write_bundles(&directory, files);
    installation.settings.bundle_dir = Some(directory);
    let server = TestServer::from(installation);
    let app = server.app(&every_scope()).await;
    approve(&app, &["ways"]).await;
    let with_all = token_without(&app, None).await;
    let objects = objects(&server, &app, &with_all).await;
    let mut without = BTreeMap::new();
    for (_, scope) in SCOPES {
        without.insert(scope, token_without(&app, Some(scope)).await);
    }
    for (object, scope, document) in &documents {
        let id = &objects[object];
        let mut variables = serde_json::Map::new();
        for (name, value) in [("id", json!(id)), ("ids", json!([id]))] {
            if document.contains(&format!("${name}:")) {
                variables.insert(name.to_owned(), value);
            }
        }
        let variables = Value::Object(variables);
        let answer = ask(&server, &with_all, document, variables.clone()).await.expect(200);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains(&format!("\"{REACHED}\"")), "{document} does not reach it: {text}");
        let refused = ask(&server, &without[scope], document, variables).await;
        assert_refusal(&refused, 403, "insufficient_scope");
        let challenge = format!("Bearer realm=\"argus\", error=\"insufficient_scope\", scope=\"{scope}\"");
        assert_eq!(refused.header("www-authenticate"), challenge, "{document}");
    }
}
