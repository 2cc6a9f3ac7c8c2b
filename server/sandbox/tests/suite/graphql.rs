//! The GraphQL transport: approved documents, their variables and what they return.

use crate::support::{GRAPHQL, Session, body, parse};
use argus_openapi::types::graphql::GraphqlRequest;
use argus_sandbox::{MockReply, partner};
use serde_json::{Value, json};

fn run_as(session: &Session, request: Value) -> MockReply {
    let body: GraphqlRequest = parse(request);
    session.ask(&partner::GraphqlExecute { tenant_id: None, body: &body })
}

fn run(request: Value) -> MockReply {
    run_as(&Session::new(&[], ""), request)
}

fn refusal(request: Value) -> (u16, String) {
    let mock = run(request);
    let error = body(&mock);
    (mock.status, error["error_code"].as_str().expect("a code").to_owned())
}

/// The members of an object that is being selected: name, and the selection below it.
fn selection(text: &str) -> Vec<(String, Vec<Value>)> {
    fn read(words: &mut std::iter::Peekable<std::vec::IntoIter<String>>) -> Vec<Value> {
        let mut members = Vec::new();
        while let Some(word) = words.next() {
            if word == "}" {
                break;
            }
            let below = if words.next_if_eq("{").is_some() { read(words) } else { Vec::new() };
            members.push(json!([word, below]));
        }
        members
    }
    // Comments and arguments are not part of the shape.
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut plain = String::new();
    let mut depth = 0;
    for character in lines.join(" ").chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            '{' | '}' => plain.push_str(&format!(" {character} ")),
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    let words: Vec<String> = plain.split_whitespace().skip(3).map(str::to_owned).collect();
    let members = read(&mut words.into_iter().peekable());
    members.into_iter().map(parse).collect()
}

/// The reply has the members of the selection, in its order, all the way down.
fn assert_shape(text: &str, value: &serde_json::value::RawValue, members: &[(String, Vec<Value>)]) {
    let raw = value.get();
    if raw.starts_with('[') {
        let items: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(raw).expect("a list");
        items.iter().for_each(|item| assert_shape(text, item, members));
        return;
    }
    let mut rest = raw;
    let object: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(raw).unwrap_or_else(|_| panic!("{raw} is no object, as in {text}"));
    assert_eq!(object.len(), members.len(), "{raw} has the members of {text}");
    for (name, below) in members {
        let place =
            rest.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} in its place in {raw}"));
        rest = &rest[place..];
        let below: Vec<(String, Vec<Value>)> = below.iter().cloned().map(parse).collect();
        if !below.is_empty() {
            assert_shape(text, &object[name], &below);
        }
    }
}

#[test]
fn every_approved_document_returns_what_it_selects() {
    for scenarios in crate::support::scenario_sets() {
        let session = Session::new(&scenarios, "");
        for text in GRAPHQL {
            let mock = run_as(&session, json!({ "query": text, "variables": { "id": "x-1" } }));
            assert_eq!(mock.status, 200, "{mock:?}");
            #[derive(serde::Deserialize)]
            struct Data {
                data: Box<serde_json::value::RawValue>,
            }
            let data: Data = serde_json::from_slice(mock.body.as_deref().expect("a body")).expect("data");
            assert_shape(text, &data.data, &selection(text));
            assert!(data.data.get().contains("\"id\":\"x-1\""), "the variable is reflected");
        }
    }
}

#[test]
fn white_space_commas_and_comments_do_not_make_another_document() {
    let text = GRAPHQL[0].replace('\n', ",\r\n\t # a remark {\n");
    let one = run(json!({ "query": GRAPHQL[0], "variables": { "id": "p1" } }));
    let other = run(json!({ "query": text, "variables": { "id": "p1" }, "operationName": "ProfileRisk" }));
    assert_eq!((other.status, other.body), (200, one.body));
}

/// Removes the type names of a value, and returns them with the members that they stood in.
fn type_names(value: &mut Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| type_names(item, path, found)),
        Value::Object(members) => {
            let name = members.remove("__typename").unwrap_or_else(|| panic!("{path} says no type"));
            found.push((path.to_owned(), name.as_str().expect("a text").to_owned()));
            members.iter_mut().for_each(|(member, value)| type_names(value, member, found));
        }
        _ => {}
    }
}

#[test]
fn a_client_with_a_cache_gets_the_types_that_it_asks_for_and_otherwise_the_same() {
    let mut found = Vec::new();
    let sessions = [Session::new(&[], ""), Session::new(&["entity.sanctioned"], "")];
    for (session, text) in sessions.iter().flat_map(|session| GRAPHQL.map(|text| (session, text))) {
        let variables = json!({ "id": "x-1" });
        let plain = body(&run_as(session, json!({ "query": text, "variables": variables })));
        let first = text.replace("{\n", "{ __typename\n");
        let last = text.replace("}\n", "__typename\n}\n");
        for query in [&first, &last] {
            let mock = run_as(session, json!({ "query": query, "variables": variables }));
            assert_eq!(mock.status, 200, "{query}: {mock:?}");
            let mut answer = body(&mock);
            type_names(&mut answer["data"], "data", &mut found);
            assert_eq!(answer, plain, "{query}");
        }
        let mock = run_as(session, json!({ "query": last, "variables": variables }));
        let raw = String::from_utf8(mock.body.expect("a body").into()).expect("UTF-8");
        assert!(raw.ends_with(r#","__typename":"Query"}}"#), "where it was asked for: {raw}");
    }
    found.sort();
    found.dedup();
    let expected = [
        ("data", "Query"),
        ("device", "Device"),
        ("entries", "IncidentEntry"),
        ("findings", "Finding"),
        ("incident", "Incident"),
        ("profile", "Profile"),
        ("risk", "Risk"),
        ("sanctionsMatches", "SanctionsMatch"),
        ("timeline", "IncidentTimeline"),
    ];
    assert_eq!(found, expected.map(|(member, name)| (member.to_owned(), name.to_owned())));
}

#[test]
fn a_type_name_under_another_name_makes_another_document() {
    for field in ["kind: __typename", "__typename @include(if: true)", "...__typename"] {
        let query = GRAPHQL[0].replace("kind\n", &format!("kind {field}\n"));
        let expected = (403, "operation_not_approved".to_owned());
        assert_eq!(refusal(json!({ "query": query, "variables": { "id": "p1" } })), expected, "{field}");
    }
}

#[test]
fn extensions_change_nothing() {
    let plain = run(json!({ "query": GRAPHQL[0], "variables": { "id": "p1" } }));
    for extensions in [
        Value::Null,
        json!({}),
        json!({ "clientLibrary": { "name": "@apollo/client", "version": "4.0.0" } }),
        json!({ "persistedQuery": { "version": 1, "sha256Hash": "00" } }),
    ] {
        let asked =
            run(json!({ "query": GRAPHQL[0], "variables": { "id": "p1" }, "extensions": extensions }));
        assert_eq!(asked, plain, "{extensions}");
    }
}

#[test]
fn a_refusal_says_as_a_graphql_error_what_it_says_otherwise() {
    for request in [
        json!({ "query": "{ secret }" }),
        json!({ "query": GRAPHQL[0] }),
        json!({ "query": GRAPHQL[0], "variables": { "id": "p1" }, "operationName": "Other" }),
    ] {
        let error = body(&run(request));
        let same = json!([{ "message": error["message"], "extensions": { "code": error["error_code"] } }]);
        assert_eq!(error["errors"], same, "{error}");
    }
}

#[test]
fn a_document_that_is_not_approved_is_refused_introspection_included() {
    for query in [
        "{ __schema { types { name } } }",
        "query ProfileRisk($id: ID!) { profile(id: $id) { id } }",
        "mutation { deleteEverything }",
        "\"",
        "query IntrospectionQuery { __schema { queryType { name } } }",
        &GRAPHQL[0].replace("id kind", "id, secret, kind").replace("kind\n", "kind secret\n"),
        &format!("{}\n{}", GRAPHQL[0], GRAPHQL[1]),
    ] {
        let expected = (403, "operation_not_approved".to_owned());
        assert_eq!(refusal(json!({ "query": query, "variables": { "id": "p1" } })), expected, "{query}");
    }
}

#[test]
fn variables_and_operation_name_must_fit_the_document() {
    let invalid = (400, "invalid_request".to_owned());
    for variables in
        [json!({}), json!({ "id": null }), json!({ "id": "p1", "other": 1 }), json!({ "id": [] })]
    {
        assert_eq!(refusal(json!({ "query": GRAPHQL[0], "variables": variables })), invalid, "{variables}");
    }
    let request = json!({ "query": GRAPHQL[0], "variables": { "id": "p1" }, "operationName": "Other" });
    assert_eq!(refusal(request), invalid);
}

#[test]
fn an_id_has_the_bounds_of_an_identifier() {
    let with_id = |id: Value| run(json!({ "query": GRAPHQL[0], "variables": { "id": id } }));
    for id in [json!("a".repeat(3000)), json!("a".repeat(129)), json!(""), json!("../p1"), json!("é")] {
        let mock = with_id(id.clone());
        let error = body(&mock);
        assert_eq!((mock.status, &error["error_code"]), (400, &json!("invalid_request")), "{id}");
        assert!(error["message"].as_str().expect("text").contains("$id"), "{error}");
    }
    for id in [json!("a".repeat(128)), json!("wallet:0xAbC~1"), json!(7)] {
        assert_eq!(with_id(id.clone()).status, 200, "{id}");
    }
}

#[test]
fn variables_that_are_null_are_none() {
    let null: GraphqlRequest = parse(json!({ "query": GRAPHQL[0], "variables": null }));
    assert!(null.variables.is_empty());
    let refused = |request: Value| body(&run(request));
    let absent = refused(json!({ "query": GRAPHQL[0] }));
    assert_eq!(refused(json!({ "query": GRAPHQL[0], "variables": null })), absent);
    assert!(absent["message"].as_str().expect("text").contains("$id"), "{absent}");
}

#[test]
fn another_tenant_s_header_is_refused() {
    let request: GraphqlRequest = parse(json!({ "query": GRAPHQL[0], "variables": { "id": "p1" } }));
    let session = Session::new(&[], "");
    let mock = |tenant_id| session.ask(&partner::GraphqlExecute { tenant_id, body: &request });
    assert_eq!(mock(Some("tnt_other")).status, 403);
    assert_eq!(body(&mock(Some("tnt_other")))["error_code"], "tenant_mismatch");
    assert_eq!(mock(Some("tnt_123")), mock(None));
}

#[test]
fn variables_choose_what_is_returned() {
    let session = Session::new(&["entity.sanctioned"], "");
    let lists = |lists: Value| {
        let mock =
            run_as(&session, json!({ "query": GRAPHQL[1], "variables": { "id": "p1", "lists": lists } }));
        body(&mock)["data"]["profile"]["sanctionsMatches"].as_array().expect("a list").len()
    };
    assert_eq!(lists(Value::Null), 3);
    assert_eq!(lists(json!(["OFAC SDN", "EU Consolidated"])), 2);
    assert_eq!(lists(json!("OFAC SDN")), 1);
    assert_eq!(lists(json!([])), 0);
    let timeline = |variables: Value| body(&run(json!({ "query": GRAPHQL[2], "variables": variables })));
    let two = timeline(json!({ "id": "i1", "first": 2 }));
    let two = &two["data"]["incident"]["timeline"];
    assert_eq!((two["entries"].as_array().map(Vec::len), &two["totalCount"]), (Some(2), &json!(5)));
}
