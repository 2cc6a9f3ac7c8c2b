//! Which host serves what, and what is never published: descriptor, operation table and sockets agree.

use super::support::{every_scope, samples, token};
use argus_openapi::contract::ARGUS;
use argus_openapi::publish::document::routes;
use argus_openapi::published::DESCRIPTOR_JSON;
use argus_openapi::{Access, Host, Operation};
use argus_tests::{TestServer, audience, claims, operations_of_the_trait};
use serde_json::Value;
use std::collections::BTreeSet;

fn descriptor() -> Value {
    serde_json::from_str(DESCRIPTOR_JSON).unwrap()
}

/// Each published operation with its path, method and the hosts that the descriptor lists.
fn published() -> Vec<(Operation, String, String, Vec<Host>)> {
    let document = descriptor();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, description) in methods.as_object().unwrap() {
            let operation = Operation::from_id(description["operationId"].as_str().unwrap()).unwrap();
            let names = description["x-argus-hosts"].as_array().unwrap();
            let hosts: Vec<Host> =
                Host::ALL.into_iter().filter(|host| names.contains(&host.name().into())).collect();
            assert_eq!(hosts.len(), names.len(), "{names:?} are hosts of this service");
            operations.push((operation, method.clone(), path.clone(), hosts));
        }
    }
    operations
}

#[test]
fn the_raw_description_has_the_routes_that_are_never_published() {
    let raw: Vec<(String, String)> = operations_of_the_trait(&ARGUS)
        .into_iter()
        .map(|(_, method, path)| (method.to_string(), path))
        .collect();
    for (method, path) in [
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/objects/{collection}/{tenant_id}/{name}"),
        ("PUT", "/objects/{collection}/{tenant_id}/{name}"),
        ("POST", "/internal/tenants"),
    ] {
        assert!(raw.contains(&(method.to_owned(), path.to_owned())), "{method} {path}");
        let document = descriptor();
        assert!(document["paths"][path][method.to_lowercase()].is_null(), "{method} {path} is published");
    }
}

#[test]
fn exactly_the_operations_of_the_contract_are_published() {
    let published: BTreeSet<Operation> = published().into_iter().map(|(operation, ..)| operation).collect();
    let contract: BTreeSet<Operation> =
        Operation::ALL.iter().copied().filter(|operation| operation.is_published()).collect();
    assert_eq!(published, contract);
}

#[test]
fn no_word_of_a_denied_route_or_its_types_is_published() {
    for word in
        ["healthz", "readyz", "/metrics", "/internal/", "TenantBootstrap", "ObjectStored", "argus:internal"]
    {
        assert!(!DESCRIPTOR_JSON.contains(word), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_answers_404_exactly_where_the_descriptor_does_not_list_it() {
    let server = TestServer::without_workers();
    let samples = samples(&server).await;
    for (operation, method, path, hosts) in published() {
        for host in Host::ALL {
            let sample = samples.of(&server, operation.row(), host).await;
            assert_eq!(sample.method.as_str().to_lowercase(), method, "{path}");
            let token = token(&server, host, &samples.tenant_id, &every_scope());
            let answer = server.send(server.sample(host, &sample).bearer_auth(&token)).await;
            answer.assert_standard_headers(host);
            let known = answer.status != 404;
            assert_eq!(known, hosts.contains(&host), "{} on {}\n{answer:?}", operation.id(), host.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_of_a_host_s_document_answers_every_operation_in_it() {
    let server = TestServer::without_workers();
    let samples = samples(&server).await;
    for host in Host::ALL {
        let path = format!("/.well-known/openapi/{}.json", host.name());
        let document = server.get(host, &path, None).await.expect(200).json();
        assert_eq!(document["servers"][0]["url"], host.public_url());
        let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
        claims.organization_id.clone_from(&samples.organization_id);
        let token = server.sign(&claims);
        for route in routes(&document) {
            let row = ARGUS.row(route.id()).unwrap();
            let sample = samples.of(&server, row, host).await;
            let request = server.sample(host, &sample);
            let request = match row.access {
                Access::Public | Access::Client | Access::SignedUrl | Access::Browser => request,
                Access::AnyToken | Access::Scope(_) => request.bearer_auth(&token),
            };
            let answer = server.send(request).await;
            let place = format!("{} on {}\n{answer:?}", route.name(), host.name());
            assert!(answer.status.is_success() || answer.status.is_redirection(), "{place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_path_with_another_method_lists_the_methods_that_it_has() {
    let server = TestServer::without_workers();
    for (host, path, allow) in [
        (Host::Auth, "/v1/platform/apps", "GET, HEAD, OPTIONS, POST"),
        (Host::Auth, "/v1/oauth/token", "OPTIONS, POST"),
        (Host::Sandbox, "/v1/jobs/x", "DELETE, GET, HEAD, OPTIONS"),
        (Host::Api, "/.well-known/openapi.json", "GET, HEAD, OPTIONS"),
    ] {
        for method in ["TRACE", "PATCH", "QUERY"] {
            let answer = server.send(server.request(host, method.parse().unwrap(), path)).await;
            answer.assert_standard_headers(host);
            assert_eq!(answer.status, 405, "{answer:?}");
            assert_eq!(answer.header("allow"), allow);
            assert_eq!(answer.text("error_code"), "method_not_allowed");
            assert_eq!(answer.text("request_id"), answer.header("x-request-id"));
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_answer_on_every_host() {
    let server = TestServer::without_workers();
    for host in Host::ALL {
        server.get(host, "/healthz", None).await.expect(200).assert_standard_headers(host);
        let ready = server.get(host, "/readyz", None).await.expect(200);
        assert_eq!(ready.json()["ready"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_by_operation() {
    let server = TestServer::without_workers();
    server.get(Host::Api, "/.well-known/openapi.json", None).await.expect(200);
    server.get(Host::Api, "/nowhere", None).await.expect(404);
    let metrics = server.get(Host::Auth, "/metrics", Some(&server.operator_token())).await.expect(200);
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.lines().any(|line| line.contains("openapi_json") && line.ends_with(" 1")), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
