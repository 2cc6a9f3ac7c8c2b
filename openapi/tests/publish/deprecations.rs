//! The deprecation matrix: what it may say, and what is published of it.

use argus_openapi::Host;
use argus_openapi::contract::{ARGUS, Contract, PolicyFile};
use argus_openapi::deprecations::Deprecations;
use argus_openapi::publish::{self, document::routes, host_part, lower};
use serde_json::{Value, json};

/// The contract with these lines as its matrix.
fn with(lines: &Value) -> Contract {
    let text: &'static str = json!({ "deprecations": lines }).to_string().leak();
    Contract { deprecations: PolicyFile { name: "deprecations.json", text }, ..ARGUS }
}

/// A line about an operation, with what else it says.
fn line(operation: &str, more: Value) -> Value {
    let mut line = json!({
        "operation": operation,
        "deprecated_at": "2026-06-01T00:00:00Z",
        "link": "https://partner.example/changes",
        "note": "Use another.",
    });
    let Value::Object(more) = more else { panic!("{more} is no object") };
    line.as_object_mut().unwrap().extend(more);
    line
}

fn refusal(lines: &Value) -> String {
    Deprecations::of(&with(lines)).unwrap_err().to_string()
}

#[test]
fn the_matrix_that_ships_can_be_read() {
    assert_eq!(Deprecations::of(&ARGUS).unwrap().iter().count(), 0);
}

#[test]
fn a_line_that_cannot_be_kept_is_refused_with_its_place_and_member() {
    let of = |more| json!([line("job_view", json!({})), line("job_list", more)]);
    for (more, named) in [
        (json!({ "operation": "job_sing" }), "[1] (`job_sing`).operation: the contract publishes no such"),
        (
            json!({ "operation": "health_view" }),
            "[1] (`health_view`).operation: the contract publishes no such",
        ),
        (json!({ "operation": "job_view" }), "[1].operation: deprecations[0] is about the same"),
        (json!({ "deprecated_at": "soon" }), "[1] (`job_list`).deprecated_at: "),
        (
            json!({ "deprecated_at": "2026-06-01T00:00:00.5Z" }),
            "(`job_list`).deprecated_at: give whole seconds",
        ),
        (json!({ "sunset_at": "2026-05-31T23:59:59Z" }), "(`job_list`).sunset_at: it lies before"),
        (
            json!({ "link": "http://partner.example/" }),
            "(`job_list`).link: it must be an absolute `https` URL",
        ),
        (json!({ "link": "https://partner.example/>; rel=\"x\"" }), "(`job_list`).link: it must be"),
        (json!({ "note": " " }), "(`job_list`).note: say what to do"),
        (
            json!({ "successor": "job_sing" }),
            "(`job_list`).successor: the contract publishes no operation `job_sing`",
        ),
        (json!({ "successor": "job_list" }), "(`job_list`).successor: an operation does not succeed itself"),
        (json!({ "successor": "ftp://partner.example" }), "(`job_list`).successor: it must be"),
        (json!({ "value": "a" }), "(`job_list`).value: name the `part`"),
        (json!({ "sunset": "2027-01-01T00:00:00Z" }), "unknown field `sunset`"),
    ] {
        let refusal = refusal(&of(more.clone()));
        assert!(refusal.contains("openapi/policy/deprecations.json: "), "{refusal}");
        assert!(refusal.contains(named), "{more}: {refusal}");
    }
    let mut without_link = line("job_list", json!({}));
    without_link.as_object_mut().unwrap().remove("link");
    assert!(refusal(&json!([without_link])).contains("(`job_list`): missing field `link`"));
}

#[test]
fn the_headers_are_those_of_the_standards() {
    let more = json!({ "sunset_at": "2027-11-07T08:09:10Z", "successor": "job_view" });
    let matrix = Deprecations::of(&with(&json!([line("job_list", more)]))).unwrap();
    let entry = matrix.of_operation("job_list").unwrap();
    // Checked with `date --utc --date=@...`.
    assert_eq!(entry.deprecation(), "@1780272000");
    assert_eq!(entry.sunset().unwrap(), "Sun, 07 Nov 2027 08:09:10 GMT");
    let about = "<https://partner.example/changes>";
    assert_eq!(entry.links(), format!("{about}; rel=\"deprecation\", {about}; rel=\"sunset\""));
    assert_eq!(matrix.of_operation("job_view"), None);
}

#[test]
fn what_goes_is_published_with_its_headers_and_its_410_and_nothing_else_is() {
    let lines = json!([
        line("job_list", json!({ "sunset_at": "2027-06-01T00:00:00Z" })),
        line("scope_list", json!({})),
        line("oauth_token", json!({ "sunset_at": "2027-06-01T00:00:00Z" })),
        line("job_result", json!({ "sunset_at": "2027-06-01T00:00:00Z" })),
        line("graphql_execute", json!({ "sunset_at": "2027-06-01T00:00:00Z" })),
    ]);
    let document = publish::descriptor(&with(&lines)).unwrap();
    assert_eq!(document["x-argus-deprecations"], lines);
    let resolve = |value: &Value| -> Value {
        let target = value["$ref"].as_str().map(|target| document.pointer(&target[1..]).unwrap());
        target.unwrap_or(value).clone()
    };
    for route in routes(&document) {
        let goes = lines.as_array().unwrap().iter().find(|line| line["operation"] == route.id());
        assert_eq!(route.operation["deprecated"] == true, goes.is_some(), "{}", route.id());
        let sunset = goes.is_some_and(|line| line.get("sunset_at").is_some());
        let own_410 = ARGUS.row(route.id()).unwrap().extra.iter().any(|extra| extra.status == 410);
        assert_eq!(route.operation["responses"]["410"].is_object(), sunset || own_410, "{}", route.id());
        for (status, response) in route.operation["responses"].as_object().unwrap() {
            if status.ends_with("XX") {
                continue;
            }
            let headers = resolve(response)["headers"].clone();
            let has = |name: &str| headers.get(name).is_some();
            assert_eq!(
                (has("Deprecation"), has("Sunset")),
                (goes.is_some(), sunset),
                "{} {status}",
                route.id()
            );
            assert!(goes.is_none() || has("Link"), "{} {status}", route.id());
        }
    }
    // In the shape of each operation's errors, and beside what a status says already.
    let gone = |path: &str, method: &str| &document["paths"][path][method]["responses"]["410"];
    let example = |response: &Value| response["content"]["application/json"]["example"].clone();
    assert_eq!(example(gone("/v1/jobs", "get"))["error_code"], "operation_retired");
    assert_eq!(example(gone("/v1/oauth/token", "post"))["error"], "invalid_request");
    let refusal = &example(gone("/graphql", "post"))["errors"][0]["extensions"]["code"];
    assert_eq!(refusal, "operation_retired");
    let both = gone("/v1/jobs/{id}/result", "get")["description"].as_str().unwrap();
    assert!(both.contains("30 days") && both.contains("shut down"), "{both}");
}

#[test]
fn a_host_s_document_has_the_lines_of_what_it_serves() {
    let lines = json!([
        line("job_list", json!({})),
        line("scope_list", json!({})),
        line("job_failed_deliver", json!({}))
    ]);
    let contract = with(&lines);
    let document = publish::descriptor(&contract).unwrap();
    let listed = |host: Host| -> Vec<String> {
        let part = host_part::of(&contract, &document, host).unwrap();
        let lines = part["x-argus-deprecations"].as_array().unwrap().iter();
        lines.map(|line| line["operation"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed(Host::Auth), ["scope_list", "job_failed_deliver"]);
    assert_eq!(listed(Host::Api), ["job_list"]);
    assert_eq!(listed(Host::Sandbox), ["job_list", "job_failed_deliver"]);
}

#[test]
fn a_part_that_goes_is_marked_where_it_is() {
    let of = |part: &str| json!({ "part": part });
    let lines = json!([
        line("job_list", of("query.limit")),
        line("job_create", of("request.body.payload.min_risk_score")),
        line("job_create", of("header.Idempotency-Key")),
        line("job_list", of("response.200.body.jobs[].status")),
        line("job_view", of("response.200.header.X-Argus-Span-ID")),
        line("job_list", json!({ "part": "query.kind", "value": "graph.compute" })),
    ]);
    let document = publish::descriptor(&with(&lines)).unwrap();
    let parameters = document["paths"]["/v1/jobs"]["get"]["parameters"].as_array().unwrap();
    let marked: Vec<&Value> =
        parameters.iter().filter(|one| one["deprecated"] == true).map(|one| &one["name"]).collect();
    assert_eq!(marked, ["limit"]);
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["ExportPayload"]["properties"]["min_risk_score"]["deprecated"], true);
    let status = &schemas["JobSummary"]["properties"]["status"];
    assert!(status["$ref"].is_string() && status["deprecated"] == true, "{status}");
    let headers =
        |path: &str| &document["paths"][path]["get"]["responses"]["200"]["headers"]["X-Argus-Span-ID"];
    let of_the_part = headers("/v1/jobs/{id}");
    assert!(of_the_part["schema"].is_object() && of_the_part["deprecated"] == true, "{of_the_part}");
    assert!(headers("/v1/jobs")["$ref"].is_string());
    assert!(schemas["JobKind"].get("deprecated").is_none());
    // What is marked is still a document from which the SDK can be made.
    let lowered = lower::lower(document);
    let status = &lowered["components"]["schemas"]["JobSummary"]["properties"]["status"];
    assert!(status["allOf"].is_array() && status["deprecated"] == true, "{status}");
}

#[test]
fn a_part_or_value_that_is_not_there_is_refused() {
    for (more, named) in [
        (json!({ "part": "query.colour" }), "`job_list`: there is no part `query.colour`"),
        (json!({ "part": "request.body.kind" }), "there is no part `request.body.kind`"),
        (json!({ "part": "response.200.body.jobs[].colour" }), "there is no part"),
        (json!({ "part": "limit" }), "there is no part `limit`"),
        (
            json!({ "part": "query.kind", "value": "job.sing" }),
            "`query.kind` does not list the value \"job.sing\"",
        ),
    ] {
        let error = publish::descriptor(&with(&json!([line("job_list", more.clone())]))).unwrap_err();
        assert!(error.to_string().contains(named), "{more}: {error}");
    }
}
