//! Methods that HTTP itself defines: HEAD beside every GET, OPTIONS on every path, and the preflight
//! requests that browsers send with it.

use super::support::{every_scope, samples, token};
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::row::OperationRow;
use argus_tests::{Answer, TestServer};
use http::Method;
use std::collections::{BTreeMap, BTreeSet};

/// What two responses to the same request may differ in. The live hosts begin a trace for each.
fn comparable(answer: &Answer, host: Host) -> BTreeMap<String, String> {
    let differs = |name: &str| match name {
        "date" | "x-request-id" => true,
        "x-argus-trace-id" | "x-argus-span-id" | "traceparent" => host != Host::Sandbox,
        _ => false,
    };
    let headers = answer.headers.iter().filter(|(name, _)| !differs(name.as_str()));
    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

fn served_by(host: Host) -> impl Iterator<Item = &'static OperationRow> {
    ARGUS.rows.iter().filter(move |row| row.served_by(host))
}

#[tokio::test(flavor = "multi_thread")]
async fn head_brings_the_headers_of_get_on_every_path_and_no_body() {
    let server = TestServer::without_workers();
    let samples = samples(&server).await;
    let mut compared = 0;
    for host in Host::ALL {
        let token = token(&server, host, &samples.tenant_id, &every_scope());
        for row in served_by(host) {
            let mut sample = samples.of(&server, row, host).await;
            if sample.method != Method::GET {
                continue;
            }
            for token in [Some(&token), None] {
                let authorized = |request: reqwest::RequestBuilder| match token {
                    Some(token) => request.bearer_auth(token),
                    None => request,
                };
                sample.method = Method::GET;
                let get = server.send(authorized(server.sample(host, &sample))).await;
                sample.method = Method::HEAD;
                let head = server.send(authorized(server.sample(host, &sample))).await;
                let place = format!("{} on {}", row.id, host.name());
                assert_eq!(head.status, get.status, "{place}");
                let (mut of_head, mut of_get) = (comparable(&head, host), comparable(&get, host));
                if row.id == "metrics_view" {
                    // It counts itself, so that no two of it have one length.
                    of_head.remove("content-length");
                    of_get.remove("content-length");
                }
                assert_eq!(of_head, of_get, "{place}");
                assert!(head.body.is_empty(), "{place}");
                assert_eq!(get.body.is_empty(), get.status.is_redirection(), "{place}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 50, "{compared}");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_lists_the_methods_of_every_path() {
    let server = TestServer::without_workers();
    let samples = samples(&server).await;
    for host in Host::ALL {
        // By template: each sample of a path may name a resource of its own.
        let mut templates = BTreeMap::<String, (String, BTreeSet<String>)>::new();
        for row in served_by(host) {
            let sample = samples.of(&server, row, host).await;
            let target = sample.target();
            let (path, methods) = templates.entry(sample.template.clone()).or_default();
            *path = target.split('?').next().unwrap().to_owned();
            methods.extend([sample.method.to_string(), "OPTIONS".to_owned()]);
            methods.extend((sample.method == Method::GET).then(|| "HEAD".to_owned()));
        }
        for (path, methods) in templates.into_values() {
            let answer = server.send(server.request(host, Method::OPTIONS, &path)).await.expect(204);
            answer.assert_standard_headers(host);
            let methods: Vec<String> = methods.into_iter().collect();
            assert_eq!(answer.header("allow"), methods.join(", "), "{path} on {}", host.name());
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        server.send(server.request(host, Method::OPTIONS, "/nowhere")).await.expect_error(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_any_origin_may_ask_for_what_is_open_and_for_nothing_else() {
    let server = TestServer::without_workers();
    let samples = samples(&server).await;
    for host in Host::ALL {
        for row in served_by(host) {
            let sample = samples.of(&server, row, host).await;
            let preflight = server
                .request(host, Method::OPTIONS, &sample.target())
                .header("origin", "https://partner.example")
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "if-none-match,traceparent");
            let answer = server.send(preflight).await.expect(204);
            let allowed = |name: &str| answer.header(&format!("access-control-allow-{name}")).to_lowercase();
            if !row.is_open() {
                assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
                continue;
            }
            assert_eq!(
                (allowed("origin").as_str(), allowed("methods").as_str()),
                ("*", "get, head, options")
            );
            for name in ["traceparent", "tracestate"] {
                assert!(allowed("headers").contains(name), "{answer:?}");
            }
            for name in ["if-none-match", "if-match"] {
                assert_eq!(allowed("headers").contains(name), row.is_tagged(), "{answer:?}");
            }
            assert!(answer.header("access-control-max-age").parse::<u32>().unwrap() > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_what_is_open_can_be_read_by_a_page_of_any_origin_too() {
    let server = TestServer::without_workers();
    let path = "/.well-known/schemas/argus.no-such.v1.json";
    let answer = server.get(Host::Api, path, None).await;
    answer.expect_error(404, "not_found");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "no-store");
}
