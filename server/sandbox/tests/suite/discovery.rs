//! Data schemas and traces: what shows the caller's tenant.

use crate::support::{Session, ask, body};
use argus_openapi::published::PublishedSchema;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::discovery::DataSchemaQuery;
use argus_sandbox::{Sandbox, partner};
use serde_json::Value;
use std::collections::BTreeSet;

fn listed(clearance: SecrecyLevel, query: &DataSchemaQuery) -> Value {
    let session = Session { secrecy_level: clearance, ..Session::new(&[], "") };
    body(&session.ask(&partner::DataSchemaList { query }))
}

fn federated(clearance: SecrecyLevel, secrecy_max: Option<SecrecyLevel>) -> usize {
    let list = listed(clearance, &DataSchemaQuery { include_federated: true, secrecy_max });
    list["federated_sources"].as_array().expect("a list").len()
}

#[test]
fn every_listed_schema_is_published() {
    let list = listed(SecrecyLevel::Standard, &DataSchemaQuery::default());
    let schemas = list["schemas"].as_array().expect("a list");
    assert!(!schemas.is_empty());
    for schema in schemas {
        let id = schema["id"].as_str().expect("an id");
        let published = PublishedSchema::find(id).expect("published");
        assert_eq!(schema["title"], published.title);
        let document: Value = serde_json::from_str(published.text).expect("JSON");
        assert_eq!(document["$id"], schema["schema_url"], "the URL is the document's own name");
    }
    assert_eq!(list["tenant_id"], "tnt_123");
}

#[test]
fn federated_sources_come_only_when_asked_for_and_within_the_clearance() {
    let list = listed(SecrecyLevel::Secret, &DataSchemaQuery::default());
    assert_eq!(list["federated_sources"].as_array().map(Vec::len), Some(0));
    assert_eq!(federated(SecrecyLevel::Standard, None), 1);
    assert_eq!(federated(SecrecyLevel::Restricted, None), 2);
    assert_eq!(federated(SecrecyLevel::Secret, None), 3);
}

#[test]
fn secrecy_max_lowers_the_clearance_and_never_raises_it() {
    assert_eq!(federated(SecrecyLevel::Secret, Some(SecrecyLevel::Standard)), 1);
    assert_eq!(federated(SecrecyLevel::Standard, Some(SecrecyLevel::Secret)), 1);
}

#[test]
fn a_trace_is_a_tree_of_the_caller_s_tenant() {
    let mut counts = BTreeSet::new();
    for index in 1..40u32 {
        let trace_id = format!("{index:032x}");
        let trace = body(&ask("", &partner::TraceView { trace_id: &trace_id }));
        assert_eq!((&trace["trace_id"], &trace["tenant_id"]), (&trace_id.as_str().into(), &"tnt_123".into()));
        let mut seen = BTreeSet::new();
        let spans = trace["spans"].as_array().expect("a list");
        for (index, span) in spans.iter().enumerate() {
            match span["parent_span_id"].as_str() {
                None => assert_eq!(index, 0, "the root comes first and alone"),
                Some(parent) => {
                    assert!(seen.contains(parent), "parents come before children");
                    let parent = spans.iter().find(|span| span["span_id"] == parent).expect("seen");
                    let start = |span: &Value| {
                        let digits = span["start_unix_nano"].as_str().expect("a text");
                        digits.parse::<u64>().expect("decimal digits")
                    };
                    let end = |span: &Value| start(span) + span["duration_ns"].as_u64().expect("a number");
                    assert!(start(parent) <= start(span));
                    assert!(end(span) <= end(parent), "a child ends within its parent");
                }
            }
            assert!(seen.insert(span["span_id"].as_str().expect("an id")));
        }
        counts.insert(spans.len());
    }
    assert_eq!(counts, BTreeSet::from([3, 4, 5]));
}

#[test]
fn a_malformed_trace_id_is_refused() {
    let upper = "0AF7651916CD43DD8448EB211C80319C";
    let zero = "0".repeat(32);
    for trace_id in [
        "",
        "abc",
        upper,
        zero.as_str(),
        "0af7651916cd43dd8448eb211c80319",
        "0af7651916cd43dd8448eb211c80319g",
    ] {
        let mock = ask("", &partner::TraceView { trace_id });
        assert_eq!((mock.status, &body(&mock)["error_code"]), (400, &"invalid_request".into()), "{trace_id}");
    }
}

#[test]
fn a_sandbox_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Sandbox>();
}
