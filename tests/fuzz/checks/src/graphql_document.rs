//! GraphQL documents, before anybody has approved them.
//!
//! Normalising, parsing and counting end. A document and its normal form are the same document. Whatever runs is one that
//! was approved, token for token but for its type names.

use argus_openapi::graphql::{Bundles, LIMITS};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::graphql::GraphqlRequest;
use argus_wire::graphql::{Document, NormalForm};
use serde_json::{Map, json};
use std::sync::LazyLock;

static BUNDLES: LazyLock<Bundles> = LazyLock::new(Bundles::shipped);

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let form = NormalForm::of(text);
    match (Document::read(text), &form) {
        (Ok(document), Some(form)) => {
            assert_eq!(document.hash(), form.without_type_names().hash());
            let again = Document::read(&form.to_string()).expect("the normal form of a document is one");
            assert_eq!((again.name(), again.hash()), (document.name(), document.hash()));
            let _ = LIMITS.check(&document, &Map::new());
        }
        (Ok(_), None) => panic!("a document without a normal form"),
        (Err(_), _) => {}
    }
    let mut body = json!({ "query": text });
    for variables in [json!({}), json!({ "id": "p1" }), json!({ "id": "p1", "first": i32::MAX })] {
        body["variables"] = variables;
        let request: GraphqlRequest = serde_json::from_value(body.clone()).expect("a request");
        match BUNDLES.admit(&request, |_| true) {
            Ok(document) => assert_approved(&document, form.as_ref()),
            Err(error) if error.error_code == ErrorCode::OperationNotApproved => {}
            // Of an approved document alone more is said.
            Err(_) => assert!(form.as_ref().is_some_and(is_approved), "{text:?}"),
        }
        let refused = BUNDLES.admit(&request, |_| false).map_err(|error| error.error_code);
        assert_eq!(refused.err(), Some(ErrorCode::OperationNotApproved), "nobody has approved it: {text:?}");
    }
}

fn assert_approved(document: &Document, form: Option<&NormalForm<'_>>) {
    assert!(form.is_some_and(is_approved), "{} was not approved", document.name());
}

fn is_approved(form: &NormalForm<'_>) -> bool {
    let text = form.without_type_names().to_string();
    argus_openapi::graphql::SHIPPED.iter().any(|(.., shipped)| {
        NormalForm::of(shipped).is_some_and(|shipped| shipped.without_type_names().to_string() == text)
    })
}
