//! Shapes that client generators read: enums, names, and which members are always there.

use crate::support::{descriptor, resolve, responses, routes};
use argus_openapi::publish::prune::reachable;
use argus_openapi::types::error::{ErrorCode, OauthErrorCode};
use argus_openapi::{Access, Operation};
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
            // Of these generators make members of classes.
            let is_class = path.starts_with("/components/schemas/");
            assert!(
                !is_class || !["None", "True", "False"].contains(&name),
                "{path}: {name} is a keyword of Python"
            );
        }
        assert!(meanings.iter().all(|meaning| !meaning.is_empty()), "{path}");
    }
    assert!(enums > 15, "{enums}");
}

#[test]
fn a_member_of_a_form_has_its_schema_in_place() {
    let mut forms = 0;
    for route in routes() {
        let form = &route.operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
        let Some(members) = resolve(form)["properties"].as_object() else { continue };
        forms += 1;
        for (name, member) in members {
            assert!(member.get("$ref").is_none(), "{} of {}", name, route.name());
        }
    }
    assert!(forms >= 4, "{forms}");
}

#[test]
fn an_error_code_of_tomorrow_fits_the_published_schema() {
    let codes = ErrorCode::ALL.map(ErrorCode::as_str);
    let oauth_codes = OauthErrorCode::ALL.map(OauthErrorCode::as_str);
    for (name, known) in [("ErrorCode", &codes[..]), ("OauthErrorCode", &oauth_codes)] {
        let schema = &descriptor()["components"]["schemas"][name];
        assert_eq!(texts(&schema["x-extensible-enum"]), known);
        let validator = jsonschema::draft202012::new(schema).unwrap();
        assert!(validator.is_valid(&json!("a_code_of_tomorrow")) && !validator.is_valid(&json!(7)));
    }
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

#[test]
fn a_result_and_its_absence_are_told_apart_by_their_status() {
    let status = |schema: &str| {
        let schema = &descriptor()["components"]["schemas"][schema];
        assert!(texts(&schema["required"]).contains(&"status"));
        texts(&resolve(&schema["properties"]["status"])["enum"])
    };
    assert_eq!((status("JobResult"), status("JobProgress")), (vec!["succeeded"], vec!["queued", "running"]));
}

#[test]
fn what_outgrows_the_numbers_of_javascript_is_a_text() {
    let start = &descriptor()["components"]["schemas"]["Span"]["properties"]["start_unix_nano"];
    assert_eq!((&start["type"], &start["pattern"]), (&json!("string"), &json!("^[0-9]+$")));
}

#[test]
fn headers_of_every_request_are_described_once_and_in_no_signature() {
    let described = descriptor()["x-argus-request-headers"].as_array().unwrap();
    let names: Vec<_> = described.iter().map(|header| header["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["traceparent", "tracestate", "Prefer"]);
    for route in routes() {
        for parameter in route.operation["parameters"].as_array().into_iter().flatten().map(resolve) {
            let name = parameter["name"].as_str().unwrap();
            assert!(!names.iter().any(|known| known.eq_ignore_ascii_case(name)), "{}: {name}", route.name());
        }
    }
    let text = descriptor()["info"]["description"].as_str().unwrap();
    assert!(text.contains("`x-argus-request-headers`") && names.iter().all(|name| text.contains(name)));
}

#[test]
fn a_mocked_operation_says_that_it_takes_preferences() {
    for route in routes() {
        let applied =
            responses(route.operation).all(|(_, own)| own["headers"].get("Preference-Applied").is_some());
        assert_eq!(applied, Operation::from_id(route.id()).unwrap().row().is_mocked(), "{}", route.name());
    }
}

#[test]
fn every_operation_has_a_type_for_the_refusals_of_tomorrow() {
    for route in routes() {
        // A browser gets a page.
        let is_page = Operation::from_id(route.id()).unwrap().row().access == Access::Browser;
        let media_type = if is_page { "text/html; charset=utf-8" } else { "application/json" };
        let schema =
            |status: &str| &resolve(&route.operation["responses"][status])["content"][media_type]["schema"];
        assert!(
            schema("500")["$ref"].is_string() || is_page && schema("500")["type"] == "string",
            "{}",
            route.name()
        );
        assert_eq!((schema("4XX"), schema("5XX")), (schema("500"), schema("500")), "{}", route.name());
    }
}
