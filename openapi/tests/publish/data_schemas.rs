//! The data schemas: valid, self-contained, and true to the descriptor.

use crate::support::{descriptor, operation};
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::data_schemas::data_schemas;
use argus_openapi::publish::prune::references;
use argus_openapi::published::{PublishedSchema, SCHEMAS};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

#[test]
fn there_is_one_document_for_each_component_schema() {
    let documents = data_schemas(&ARGUS, descriptor()).unwrap();
    assert_eq!(documents.len(), descriptor()["components"]["schemas"].as_object().unwrap().len());
    let ids: BTreeSet<_> = documents.iter().map(|document| &document.id).collect();
    assert_eq!(ids.len(), documents.len(), "two schemas have the same id");
    assert!(documents.iter().all(|document| !document.operations.is_empty()), "a schema without operation");
}

#[test]
fn each_document_is_valid_and_refers_to_nothing_outside_itself() {
    for document in data_schemas(&ARGUS, descriptor()).unwrap() {
        let (id, schema) = (&document.id, &document.document);
        assert!(jsonschema::meta::is_valid(schema), "{id}");
        assert_eq!(schema["$id"], format!("https://api.knogin.com/.well-known/schemas/{id}.json"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["title"], document.title);
        let mut targets = BTreeSet::new();
        references(schema, &mut targets);
        for target in &targets {
            assert!(schema.pointer(target.trim_start_matches('#')).is_some(), "{id}: {target} leads nowhere");
        }
        for name in schema["$defs"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(targets.contains(&format!("#/$defs/{name}")), "{id}: {name} is not used");
        }
        validator(schema);
    }
}

#[test]
fn a_document_accepts_and_refuses_what_the_descriptor_does() {
    let profile = PublishedSchema::find("argus.profile.v1").unwrap();
    let validator = validator(&serde_json::from_str(profile.text).unwrap());
    let mut example =
        operation("profile_view")["responses"]["200"]["content"]["application/json"]["example"].clone();
    assert!(validator.is_valid(&example));
    example["risk"]["level"] = json!("unheard of");
    assert!(!validator.is_valid(&example));
}

#[test]
fn ids_titles_and_operations_are_those_that_partners_pin() {
    let profile = PublishedSchema::find("argus.profile.v1").unwrap();
    assert_eq!(profile.title, "Profile");
    assert_eq!(profile.operations, ["GET /v1/profiles/{id}", "POST /v1/profiles/{id}/enrich"]);
    let create = PublishedSchema::find("argus.job-create.v1").unwrap();
    assert_eq!((create.title, create.operations), ("Job create", &["POST /v1/jobs"][..]));
    let operations = |id: &str| PublishedSchema::find(id).unwrap().operations;
    assert_eq!(operations("argus.incident-closed-event.v1"), ["POST /v1/webhooks"]);
    assert_eq!(operations("argus.job-notice.v1"), ["POST /v1/jobs", "POST /v1/webhooks"]);
    assert!(PublishedSchema::find("argus.health.v1").is_none());
    assert!(SCHEMAS.is_sorted_by(|left, right| left.id < right.id));
}
