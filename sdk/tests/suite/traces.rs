//! Trace context on the way out and back, and answers without any standard header.

use crate::support::{Server, error, json, scenarios, text};
use argus_sdk::{Error, ErrorKind, ResponseExt, TraceContext};
use serde_json::json;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn sent(server: &Server) -> Vec<TraceContext> {
    server.asked().iter().map(|asked| asked.header("traceparent").unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn every_request_is_a_child_of_the_callers_span() {
    let server = Server::start(|_| scenarios()).await;
    let context: TraceContext = format!("00-{TRACE}-{SPAN}-01").parse().unwrap();
    let client = server.client().with_trace(context.with_tracestate("vendor=1"));
    client.sandbox_scenario_list().send().await.unwrap();
    client.sandbox_scenario_list().send().await.unwrap();
    let spans = sent(&server);
    assert!(spans.iter().all(|span| span.trace_id() == TRACE && span.span_id() != SPAN));
    assert_ne!(spans[0].span_id(), spans[1].span_id());
    assert_eq!(server.asked()[0].header("tracestate"), Some("vendor=1"));
}

#[tokio::test]
async fn without_a_callers_trace_each_request_starts_its_own() {
    let server = Server::start(|_| scenarios()).await;
    let client = server.client();
    client.sandbox_scenario_list().send().await.unwrap();
    client.sandbox_scenario_list().send().await.unwrap();
    let spans = sent(&server);
    assert_ne!(spans[0].trace_id(), spans[1].trace_id());
    let agent = server.asked()[0].header("user-agent").unwrap().to_owned();
    assert_eq!(agent, format!("argus-sdk/{}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn the_trace_is_readable_from_responses_and_from_errors() {
    let server = Server::start(|asked| {
        let answer = if asked.line.ends_with("/scenarios") { scenarios() } else { error(404, "not_found") };
        answer.with("x-argus-trace-id", TRACE).with("x-argus-span-id", SPAN).with("x-argus-sandbox", "true")
    })
    .await;
    let response = server.client().sandbox_scenario_list().send().await.unwrap();
    assert_eq!((response.trace_id(), response.span_id()), (Some(TRACE), Some(SPAN)));
    assert!(response.is_sandbox());
    let error = Error::from(server.client().job_view().id("j").send().await.unwrap_err());
    assert_eq!((error.kind(), error.trace_id()), (ErrorKind::NotFound, Some(TRACE)));
}

#[tokio::test]
async fn missing_and_malformed_headers_never_raise() {
    let server = Server::start(|asked| match asked.before {
        0 => scenarios(),
        _ => scenarios().with("x-argus-trace-id", "?").with("traceparent", "00-").with("sunset", ""),
    })
    .await;
    let client = server.client();
    for _ in 0..2 {
        let response = client.sandbox_scenario_list().send().await.unwrap();
        assert_eq!((response.trace_id(), response.span_id()), (None, None));
        assert!(!response.is_sandbox());
    }
}

#[tokio::test]
async fn an_error_page_of_a_proxy_keeps_its_status() {
    let server = Server::start(|asked| match asked.line.as_str() {
        "GET /sandbox/v1/jobs/documented" => text(401, "<h1>sign in</h1>"),
        "GET /sandbox/v1/jobs/undocumented" => text(418, "<h1>teapot</h1>"),
        "GET /sandbox/v1/jobs/long" => text(404, &"x".repeat(1_000_000)),
        _ => json(200, &json!({ "not": "a job" })),
    })
    .await;
    let client = server.client();
    for (id, kind, status) in [
        ("documented", ErrorKind::Unauthorized, Some(401)),
        ("undocumented", ErrorKind::InvalidRequest, Some(418)),
        ("long", ErrorKind::NotFound, Some(404)),
        ("else", ErrorKind::InvalidResponse, None),
    ] {
        let error = Error::from(client.job_view().id(id).send().await.unwrap_err());
        assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (kind, status), "{id}");
        assert_eq!(error.trace_id(), None);
    }
}
