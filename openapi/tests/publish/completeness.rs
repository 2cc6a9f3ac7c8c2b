//! Every published operation says everything that a partner needs to know.

use crate::support::{descriptor, media, operation, resolve, responses, routes};
use argus_openapi::types::common::{IDENTIFIER_MAX_LENGTH, PAGE_LIMIT_MAX};
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Access, Host, Operation};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[test]
fn every_operation_has_summary_description_and_one_described_tag() {
    for route in routes() {
        let name = route.name();
        assert!(is_text(&route.operation["summary"]), "{name} has no summary");
        assert!(is_text(&route.operation["description"]), "{name} has no description");
        let tags = route.operation["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 1, "{name}");
        let tag = descriptor()["tags"].as_array().unwrap().iter().find(|tag| tag["name"] == tags[0]);
        assert!(tag.is_some_and(|tag| is_text(&tag["description"])), "the tag of {name} is not described");
    }
}

#[test]
fn hosts_audience_and_stability_are_those_of_the_table() {
    for route in routes() {
        let row = Operation::from_id(route.id()).unwrap().row();
        let hosts: Vec<_> = row.hosts.iter().map(|host| host.name()).collect();
        assert_eq!(route.operation["x-argus-hosts"], json!(hosts), "{}", route.name());
        assert!(!hosts.is_empty(), "{} is served nowhere", route.name());
        assert_eq!(route.operation["x-argus-audience"], row.audience.as_str());
        assert_eq!(route.operation["x-argus-stability"], row.stability.as_str());
    }
}

#[test]
fn security_and_scopes_are_what_the_gate_enforces() {
    for route in routes() {
        let row = Operation::from_id(route.id()).unwrap().row();
        let (is_live, is_sandbox) = (row.hosts != [Host::Sandbox], row.served_by(Host::Sandbox));
        let mut expected = Vec::new();
        match row.access {
            Access::Public | Access::SignedUrl | Access::Browser => {}
            Access::Client => expected.extend([json!({ "client_basic": [] }), json!({})]),
            Access::AnyToken | Access::Scope(_) => {
                if let (true, Access::Scope(scope)) = (is_live, row.access) {
                    expected.push(json!({ "authorization_code": [scope.as_str()] }));
                    expected.push(json!({ "client_credentials": [scope.as_str()] }));
                }
                expected.extend(is_live.then(|| json!({ "live_token": [] })));
                expected.extend(is_sandbox.then(|| json!({ "sandbox_token": [] })));
            }
        }
        assert_eq!(route.operation["security"], Value::Array(expected), "{}", route.name());
        let description = route.operation["description"].as_str().unwrap();
        match row.access {
            Access::Scope(scope) => {
                assert_eq!(route.operation["x-argus-scopes"], json!([scope.as_str()]), "{}", route.name());
                let told = format!("The token needs the scope `{scope}`.");
                assert!(description.ends_with(&told), "{}: {description}", route.name());
            }
            _ => assert!(route.operation.get("x-argus-scopes").is_none(), "{}", route.name()),
        }
    }
}

#[test]
fn an_alternative_that_is_sent_with_bearer_follows_that_of_oauth_in_the_order_of_names() {
    let schemes = descriptor()["components"]["securitySchemes"].as_object().unwrap();
    let named = |kind: &str| schemes.iter().find(|(_, scheme)| scheme["type"] == kind).map(|(name, _)| name);
    let bearer: Vec<_> = schemes.iter().filter(|(_, scheme)| scheme["scheme"] == "bearer").collect();
    assert_eq!(bearer.len(), 2);
    assert!(bearer.into_iter().all(|(name, _)| Some(name) > named("oauth2")));
}

#[test]
fn a_token_of_one_kind_is_of_the_hosts_that_take_it_and_says_how_it_is_got() {
    let schemes = &descriptor()["components"]["securitySchemes"];
    assert_eq!(schemes["live_token"]["x-argus-hosts"], json!(["auth", "api"]));
    assert_eq!(schemes["sandbox_token"]["x-argus-hosts"], json!(["sandbox"]));
    let told = schemes["sandbox_token"]["description"].as_str().unwrap();
    let minted = routes().find(|route| route.id() == "app_sandbox_token_create").unwrap();
    let url = format!("{} {}{}", minted.method, Host::Auth.public_url(), minted.path);
    assert!(told.contains(&url) && told.contains("argus:platform:admin"), "{told}");
    let served = routes().find(|route| route.id() == "app_service_token_create");
    assert!(
        served.is_some()
            && schemes["live_token"]["description"].to_string().contains("app_service_token_create")
    );
}

#[test]
fn requests_are_published_with_the_bounds_that_apply() {
    let member =
        |schema: &str, name: &str| &descriptor()["components"]["schemas"][schema]["properties"][name];
    let uris = &member("AppCreate", "redirect_uris")["items"];
    assert_eq!((&uris["format"], &uris["maxLength"]), (&json!("uri"), &json!(2000)));
    let scenarios = &member("SandboxTokenCreate", "scenarios")["items"];
    assert_eq!((&scenarios["minLength"], &scenarios["maxLength"]), (&json!(1), &json!(64)));
    assert_eq!(
        member("TokenRequest", "grant_type")["enum"],
        json!(["authorization_code", "client_credentials", "refresh_token"])
    );
    // A form has no `null`.
    for name in ["grant_type", "client_id", "client_secret", "scope"] {
        assert_eq!(member("TokenRequest", name)["type"], "string", "{name}");
    }
    for id in ["app_list", "job_list", "webhook_list"] {
        let parameters = operation(id)["parameters"].as_array().unwrap();
        let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
        let maximum = limit["schema"]["maximum"].as_f64();
        assert_eq!(maximum, Some(f64::from(PAGE_LIMIT_MAX)), "{id}");
    }
}

#[test]
fn every_scope_of_the_catalogue_is_published_and_no_other() {
    let flow =
        &descriptor()["components"]["securitySchemes"]["client_credentials"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], "https://auth.knogin.com/v1/oauth/token");
    let published: BTreeSet<_> = flow["scopes"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(published, Scope::catalogue().map(Scope::as_str).collect());
}

#[test]
fn what_holds_for_methods_of_every_path_is_said_once_and_they_have_no_entries() {
    let text = descriptor()["info"]["description"].as_str().unwrap();
    for sentence in [
        "`HEAD` is answered wherever `GET` is, with the headers of `GET`.",
        "`OPTIONS` is answered with 204 and `Allow` on every path;",
        "`If-Match` counts on every operation:",
    ] {
        assert!(text.contains(sentence), "{sentence}");
    }
    for (path, item) in descriptor()["paths"].as_object().unwrap() {
        assert!(item.get("head").is_none() && item.get("options").is_none(), "{path}");
    }
}

#[test]
fn each_operation_lists_the_statuses_that_it_can_return() {
    let expected: [(&str, &[u16]); 13] = [
        ("scope_list", &[200, 400, 401, 403, 412, 429, 500, 503]),
        ("app_create", &[201, 400, 401, 403, 408, 412, 413, 415, 429, 500, 503]),
        ("app_view", &[200, 400, 401, 403, 404, 412, 429, 500, 503]),
        ("oauth_token", &[200, 400, 401, 408, 412, 413, 415, 429, 500, 503]),
        ("jwks_view", &[200, 400, 412, 500]),
        ("webhook_delete", &[204, 400, 401, 403, 404, 412, 429, 500, 503]),
        ("job_create", &[200, 201, 400, 401, 403, 408, 409, 412, 413, 415, 429, 500, 503]),
        ("webhook_replay", &[202, 400, 401, 403, 404, 408, 409, 412, 413, 415, 429, 500, 503]),
        ("job_cancel", &[200, 204, 400, 401, 403, 404, 409, 412, 429, 500, 503]),
        ("job_result", &[200, 202, 400, 401, 403, 404, 409, 410, 412, 429, 500, 503]),
        ("trace_view", &[200, 400, 401, 403, 404, 412, 429, 500, 503]),
        ("sandbox_scenario_list", &[200, 400, 401, 403, 412, 429, 500, 503]),
        ("data_schema_view", &[200, 304, 400, 404, 412, 500]),
    ];
    for (id, statuses) in expected {
        let found: Vec<u16> = responses(operation(id)).map(|(status, _)| status).collect();
        assert_eq!(found, statuses, "{id}");
    }
}

#[test]
fn every_operation_that_reads_a_body_can_answer_408_and_413_and_no_other_can() {
    for route in routes() {
        let documented: Vec<u16> = responses(route.operation).map(|(status, _)| status).collect();
        for status in [408, 413] {
            let reads = route.operation.get("requestBody").is_some();
            assert_eq!(documented.contains(&status), reads, "{}: {status}", route.name());
        }
    }
}

#[test]
fn a_limit_is_documented_where_credentials_can_fail_and_nowhere_else() {
    for route in routes() {
        let row = Operation::from_id(route.id()).unwrap().row();
        let takes_credentials = !matches!(row.access, Access::Public | Access::SignedUrl | Access::Browser);
        let limited = responses(route.operation).find(|(status, _)| *status == 429);
        assert_eq!(limited.is_some(), takes_credentials, "{}", route.name());
        for host in Host::ALL {
            let counts = takes_credentials && row.served_by(host) && host != Host::Sandbox;
            assert_eq!(row.limits_failures_on(host), counts, "{}", route.name());
        }
        if let Some((_, response)) = limited {
            assert_eq!(resolve(&response["headers"]["Retry-After"])["required"], true, "{}", route.name());
        }
    }
}

#[test]
fn every_response_is_described_and_carries_its_headers() {
    for route in routes() {
        let found = Operation::from_id(route.id()).unwrap();
        for (status, response) in responses(route.operation) {
            let name = format!("{} {status}", route.name());
            let description = response["description"].as_str().unwrap_or_default();
            assert!(is_text(&response["description"]) && !description.starts_with("successful"), "{name}");
            let mut expected =
                vec!["X-Argus-Trace-ID", "X-Argus-Span-ID", "traceparent", "X-Request-ID", "Cache-Control"];
            expected.extend(found.row().is_open().then_some("Access-Control-Allow-Origin"));
            expected.extend(found.served_by(Host::Sandbox).then_some("X-Argus-Sandbox"));
            expected.extend((status == 302).then_some("Location"));
            expected.extend((status == 401).then_some("WWW-Authenticate"));
            expected.extend((status == 403).then_some("X-Argus-Sandbox-Reason"));
            expected.extend(matches!(status, 429 | 503).then_some("Retry-After"));
            expected.extend((status == 304).then_some("ETag"));
            for header in expected {
                let header = resolve(&response["headers"][header]);
                assert!(is_text(&header["description"]) && header["schema"].is_object(), "{name}: {header}");
            }
            let has_schema = media(response).all(|(_, media)| media["schema"].is_object());
            let has_body = media(response).count() > 0;
            let may_be_empty =
                matches!(status, 204 | 302 | 304) || route.id() == "job_cancel" && status == 200;
            assert!(has_schema && has_body != may_be_empty, "{name}");
        }
    }
}

#[test]
fn every_parameter_is_described_and_named_as_the_contract_writes_it() {
    for route in routes() {
        let parameters: Vec<_> =
            route.operation["parameters"].as_array().unwrap().iter().map(resolve).collect();
        for parameter in &parameters {
            assert!(is_text(&parameter["description"]), "{}: {parameter}", route.name());
            assert!(parameter["schema"].is_object(), "{}: {parameter}", route.name());
        }
        let headers: BTreeSet<_> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "header")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let revalidated = responses(route.operation).any(|(status, _)| status == 304);
        assert_eq!(headers.contains("If-None-Match"), revalidated, "{}", route.name());
        assert_eq!(headers.contains("If-Match"), revalidated, "{}", route.name());
        for declared in parameters.iter().filter(|parameter| parameter["in"] == "path") {
            let variable = format!("{{{}}}", declared["name"].as_str().unwrap());
            assert!(route.path.contains(&variable), "{} has no {variable}", route.name());
        }
        let variables = route.path.matches('{').count();
        let declared = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(variables, declared, "{}", route.name());
    }
    let names = |id: &str| operation(id)["parameters"].to_string();
    assert!(names("job_create").contains("\"Idempotency-Key\""));
    assert!(names("graphql_execute").contains("\"X-Tenant-ID\""));
}

#[test]
fn every_property_of_every_schema_is_described() {
    for (name, schema) in descriptor()["components"]["schemas"].as_object().unwrap() {
        assert!(is_text(&schema["description"]), "{name} is not described");
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(is_text(&schema["description"]), "{name}.{property} is not described");
        }
    }
}

#[test]
fn documents_are_published_with_their_own_media_type() {
    let catalog = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
    let expected: [(&str, &[&str]); 5] = [
        ("openapi_json", &["application/json"]),
        ("openapi_yaml", &["application/yaml"]),
        ("openapi_host_view", &["application/json", "application/yaml"]),
        ("api_catalog", &[catalog]),
        ("data_schema_view", &["application/schema+json"]),
    ];
    for (id, media_types) in expected {
        let found: Vec<_> = media(&operation(id)["responses"]["200"]).map(|(name, _)| name).collect();
        assert_eq!(found, media_types, "{id}");
    }
    assert!(routes().any(|route| route.path == "/.well-known/schemas/{id}.json"));
}

#[test]
fn a_yaml_document_is_published_as_bytes_and_not_as_a_json_text() {
    let schemas = ["openapi_yaml", "openapi_host_view"].map(|id| {
        let content = &operation(id)["responses"]["200"]["content"]["application/yaml"];
        assert!(content["example"].is_string(), "{id}");
        &content["schema"]
    });
    for schema in schemas {
        // OpenAPI 3.1 says so of bytes: no `type`, and the media type of what they are.
        assert!(schema.get("type").is_none() && schema["contentMediaType"].is_string(), "{schema}");
        assert!(is_text(&schema["description"]), "{schema}");
    }
    assert_eq!(schemas[0], schemas[1]);
}

#[test]
fn the_description_sends_code_generators_to_the_document_of_each_host() {
    let text = descriptor()["info"]["description"].as_str().unwrap();
    let paragraph = text.split("\n\n").find(|paragraph| paragraph.starts_with("Code generators")).unwrap();
    assert!(paragraph.contains("`/.well-known/openapi/"), "{paragraph}");
    for host in Host::ALL {
        assert!(paragraph.contains(&format!("{}.json`", host.name())), "{paragraph}");
    }
    assert!(
        paragraph.contains("`.yaml`") && paragraph.contains("`/.well-known/openapi.json`"),
        "{paragraph}"
    );
}

#[test]
fn a_body_that_may_be_left_out_is_not_required() {
    for (id, required) in
        [("profile_enrich", false), ("app_sandbox_token_create", false), ("job_create", true)]
    {
        assert_eq!(operation(id)["requestBody"]["required"], required, "{id}");
    }
}

#[test]
fn errors_of_an_oauth_endpoint_are_those_of_rfc_6749_whatever_the_status() {
    for (status, response) in responses(operation("oauth_token")).filter(|(status, _)| *status >= 400) {
        let schema = &response["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/OauthError", "{status}");
    }
}

#[test]
fn what_no_operation_takes_is_published_with_the_contract_s_error() {
    let unrouted = descriptor()["x-argus-unrouted"].as_object().unwrap();
    assert_eq!(unrouted.keys().collect::<Vec<_>>(), ["400", "404", "405"]);
    for response in unrouted.values() {
        let schema = &response["content"]["application/json"]["schema"];
        assert!(resolve(schema)["properties"]["request_id"].is_object(), "{response}");
    }
    assert!(unrouted["405"]["headers"]["Allow"].is_object());
}

#[test]
fn a_schema_id_is_published_with_the_length_that_its_path_takes() {
    let parameters = operation("data_schema_view")["parameters"].as_array().unwrap();
    let id = parameters.iter().find(|parameter| parameter["name"] == "id").unwrap();
    assert_eq!(id["schema"]["maxLength"], IDENTIFIER_MAX_LENGTH - ".json".len());
}
