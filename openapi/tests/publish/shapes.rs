//! Shapes that client generators read: enums, names, and which members are always there.

use crate::support::{descriptor, routes};
use argus_openapi::publish::prune::reachable;
use argus_openapi::types::error::ErrorCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every object of the document outside of examples, with where it stands.
fn objects() -> Vec<(String, &'static Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), descriptor())];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                found.push((path.clone(), value));
                let inside = members.iter().filter(|(name, _)| !name.starts_with("example"));
                open.extend(inside.map(|(name, member)| (format!("{path}/{name}"), member)));
            }
            Value::Array(items) => open.extend(items.iter().map(|item| (format!("{path}/-"), item))),
            _ => {}
        }
    }
    found
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn every_enum_is_a_list_of_texts_with_names_and_meanings() {
    let mut enums = 0;
    for (path, schema) in objects() {
        assert!(schema.get("const").is_none(), "{path}: generators read an `enum`, not a `const`");
        let Some(values) = schema.get("enum").or(schema.get("x-extensible-enum")) else { continue };
        enums += 1;
        assert_eq!(schema["type"], "string", "{path}");
        let (names, meanings) = (texts(&schema["x-enum-varnames"]), texts(&schema["x-enum-descriptions"]));
        assert_eq!((names.len(), meanings.len()), (texts(values).len(), names.len()), "{path}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{path}: a name is given twice");
        for name in names {
            assert!(
                name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_uppercase),
                "{path}: {name}"
            );
        }
        assert!(meanings.iter().all(|meaning| !meaning.is_empty()), "{path}");
    }
    assert!(enums > 15, "{enums}");
}

#[test]
fn an_error_code_of_tomorrow_fits_the_published_schema() {
    let schema = &descriptor()["components"]["schemas"]["ErrorCode"];
    let known: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts(&schema["x-extensible-enum"]), known);
    let validator = jsonschema::draft202012::new(schema).unwrap();
    assert!(validator.is_valid(&json!("a_code_of_tomorrow")) && !validator.is_valid(&json!(7)));
}

/// Names of types that one language or another has for something of its own, and of what generators write
/// into every client.
const TAKEN: [&str; 12] = [
    "Any",
    "Array",
    "Client",
    "Date",
    "Error",
    "Exception",
    "List",
    "Map",
    "Object",
    "Option",
    "Set",
    "String",
];

#[test]
fn no_schema_has_a_name_that_a_generated_client_has_already() {
    for name in descriptor()["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!TAKEN.contains(&name.as_str()), "{name}");
        // Go compiles a file whose name ends so with the tests alone.
        assert!(!name.ends_with("Test"), "{name}");
    }
}

#[test]
fn a_member_that_may_be_left_out_of_a_request_has_no_default() {
    let schemas = objects().into_iter().filter(|(path, _)| path.starts_with("/components/schemas"));
    for (path, schema) in schemas.filter(|(path, _)| !path.ends_with("/properties")) {
        assert!(schema.get("default").is_none(), "{path}: types are generated that demand the member");
    }
}

#[test]
fn a_response_always_has_its_members_that_can_be_null() {
    let requested: BTreeSet<String> = routes()
        .filter_map(|route| route.operation.get("requestBody"))
        .flat_map(|body| reachable(descriptor(), body))
        .collect();
    let is_nullable = |member: &Value| {
        texts_of_types(member).contains(&"null")
            || member["anyOf"]
                .as_array()
                .is_some_and(|branches| branches.contains(&json!({ "type": "null" })))
    };
    let mut always_sent = Vec::new();
    for (name, schema) in descriptor()["components"]["schemas"].as_object().unwrap() {
        let required = texts(&schema["required"]);
        for (member, value) in schema["properties"].as_object().into_iter().flatten() {
            if !is_nullable(value) {
                continue;
            }
            let in_request = requested.contains(&format!("#/components/schemas/{name}"));
            assert_ne!(required.contains(&member.as_str()), in_request, "{name}.{member}");
            always_sent.extend((!in_request).then_some(format!("{name}.{member}")));
        }
    }
    for member in ["JobList.next_cursor", "Job.completed_at", "Job.error", "Span.parent_span_id"] {
        assert!(always_sent.iter().any(|sent| sent == member), "{member}: {always_sent:?}");
    }
}

fn texts_of_types(member: &Value) -> Vec<&str> {
    match &member["type"] {
        Value::String(one) => vec![one],
        several => texts(several),
    }
}
