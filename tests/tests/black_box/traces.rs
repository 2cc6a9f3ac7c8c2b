//! W3C Trace Context on every host: a valid trace is continued, anything else begins a fresh one, and an
//! error is no exception.

use argus_openapi::Host;
use argus_tests::{Answer, TestServer};
use http::Method;

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A request that is answered, one that is refused, one to nowhere, one with the wrong method.
const REQUESTS: [(Method, &str); 4] = [
    (Method::GET, "/healthz"),
    (Method::POST, "/v1/platform/apps"),
    (Method::GET, "/nowhere"),
    (Method::DELETE, "/healthz"),
];

async fn send(
    server: &TestServer,
    host: Host,
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = server.request(host, method.clone(), path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = server.send(request).await;
    answer.assert_standard_headers(host);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_trace_is_continued_with_a_span_of_this_service() {
    let server = TestServer::start();
    for host in Host::ALL {
        for (method, path) in &REQUESTS {
            for flags in ["00", "01", "02", "03"] {
                let inbound = format!("00-{TRACE_ID}-{PARENT}-{flags}");
                let headers = [("traceparent", inbound.as_str()), ("tracestate", "a=1,b=2")];
                let answer = send(&server, host, method, path, &headers).await;
                assert_eq!(answer.header("x-argus-trace-id"), TRACE_ID, "{answer:?}");
                assert_ne!(answer.header("x-argus-span-id"), PARENT);
                assert!(answer.header("traceparent").ends_with(flags), "the sampling decision is kept");
                assert_eq!(answer.header("tracestate"), "a=1,b=2");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_trace_begins_a_fresh_one() {
    let server = TestServer::start();
    for host in Host::ALL {
        for (method, path) in &REQUESTS {
            for malformed in [
                "",
                "nonsense",
                "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ] {
                let headers = [("traceparent", malformed), ("tracestate", "a=1")];
                let answer = send(&server, host, method, path, &headers).await;
                assert_ne!(answer.header("x-argus-trace-id"), TRACE_ID, "{malformed}");
                assert_eq!(answer.header("tracestate"), "", "it belongs to the trace that was refused");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_hosts_begin_another_trace_for_every_request() {
    let server = TestServer::start();
    for host in [Host::Auth, Host::Api] {
        for (method, path) in &REQUESTS {
            let first = send(&server, host, method, path, &[]).await;
            let second = send(&server, host, method, path, &[]).await;
            assert_ne!(first.header("x-argus-trace-id"), second.header("x-argus-trace-id"));
            assert_ne!(first.header("x-argus-span-id"), second.header("x-argus-span-id"));
        }
    }
}
