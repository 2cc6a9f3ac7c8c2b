//! What nginx refuses by itself: in the error shape of the contract, with its standard headers.

use crate::dial::{EVIL, GOOD, Protocol, head};
use crate::report::Report;
use crate::scene::Scene;
use argus_openapi::{Host, Operation};
use argus_tests::{Answer, Connection};
use std::sync::Arc;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Sends what nginx refuses.
pub async fn run(scene: &Arc<Scene>, report: &mut Report) {
    for (name, host, request, status, code) in refused() {
        let name = format!("{status} in the contract's error shape for {name}");
        let scene = Arc::clone(scene);
        report.check(&name, async move { refusal(&scene, host, &request, status, code).await }).await;
    }
    let (one, two, three, four, five) =
        (scene.clone(), scene.clone(), scene.clone(), scene.clone(), scene.clone());
    report
        .check(
            "413 in OAuth's error shape for a long token request",
            async move { token_request(&one).await },
        )
        .await;
    report
        .check(
            "400 in the contract's error shape for HTTP without TLS",
            async move { without_tls(&two).await },
        )
        .await;
    report.check("a refusal continues the caller's trace", async move { traced(&three).await }).await;
    report
        .check("a name that nobody serves gets no certificate", async move { unknown_name(&four).await })
        .await;
    report.check("a caller's own X-Forwarded-For goes nowhere", async move { spoofed(&five).await }).await;
}

/// Requests with the status and code of their refusal.
fn refused() -> Vec<(&'static str, Host, String, u16, &'static str)> {
    let sandbox = Host::Sandbox;
    // Without a name that is served, no host refuses, and none of the sandbox's headers is sent.
    let nobody = Host::Auth;
    let get = |path: &str, lines: &str| head("GET", path, sandbox, lines);
    let long = "a".repeat(20_000);
    let mut refused = vec![
        ("no valid host", sandbox, "GET / HTTP/1.1\r\nhost: a b\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("no host", nobody, "GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("no HTTP", sandbox, "nonsense\r\n\r\n".to_owned(), 400, "invalid_request"),
        (
            "two lengths",
            sandbox,
            get("/", "content-length: 1\r\ncontent-length: 2\r\n"),
            400,
            "invalid_request",
        ),
        ("an unknown method of HTTP", sandbox, head("TRACE", "/", sandbox, ""), 405, "method_not_allowed"),
        (
            "a long body",
            sandbox,
            head("POST", "/v1/jobs", sandbox, &one_too_many(Operation::JobCreate)),
            413,
            "body_too_large",
        ),
        (
            "a body where none is taken",
            Host::Api,
            head("POST", "/healthz", Host::Api, "content-length: 20000\r\n"),
            413,
            "body_too_large",
        ),
        ("a long path", sandbox, get(&format!("/{long}"), ""), 414, "invalid_request"),
        (
            "a host of somebody else",
            nobody,
            "GET / HTTP/1.1\r\nhost: other.example\r\n\r\n".to_owned(),
            421,
            "invalid_request",
        ),
        ("a long header", sandbox, get("/", &format!("x: {long}\r\n")), 431, "invalid_request"),
        ("a transfer coding", sandbox, get("/", "transfer-encoding: gzip\r\n"), 501, "invalid_request"),
        ("a version of HTTP", sandbox, get("/", "").replace("HTTP/1.1", "HTTP/2.0"), 505, "invalid_request"),
    ];
    for (path, host) in [
        ("/metrics", Host::Auth),
        ("/internal/tenants", Host::Auth),
        ("/%6detrics", Host::Auth),
        ("//metrics", Host::Auth),
    ]
    .into_iter()
    .chain(Host::ALL.map(|host| ("/readyz", host)))
    {
        refused.push(("what stays inside", host, head("GET", path, host, ""), 404, "not_found"));
    }
    refused
}

/// The header of a body that is a byte longer than the operation takes.
fn one_too_many(operation: Operation) -> String {
    format!("content-length: {}\r\n", operation.row().body_max_bytes + 1)
}

async fn refusal(scene: &Scene, host: Host, request: &str, status: u16, code: &str) -> String {
    let answer = scene.dial.ask(EVIL, host, request.as_bytes()).await;
    assert_refusal(&answer, host);
    answer.expect_error(status, code)
}

/// Asserts what holds for every refusal of nginx.
pub fn assert_refusal(answer: &Answer, host: Host) {
    answer.assert_standard_headers(host);
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    assert_ne!(answer.header("x-request-id"), "", "{answer:?}");
    assert_eq!(answer.header("server"), "", "{answer:?}");
}

async fn token_request(scene: &Scene) -> String {
    let head = head("POST", "/v1/oauth/token", Host::Auth, &one_too_many(Operation::OauthToken));
    let answer = scene.dial.ask(EVIL, Host::Auth, head.as_bytes()).await.expect(413);
    assert_refusal(&answer, Host::Auth);
    assert_eq!(answer.text("error"), "invalid_request");
    answer.text("error_description")
}

async fn without_tls(scene: &Scene) -> String {
    let mut connection = Connection::over(scene.dial.plain(EVIL).await.unwrap());
    connection.write(b"GET /healthz HTTP/1.1\r\nhost: api.knogin.com\r\n\r\n").await;
    let answer = connection.response().await;
    assert_refusal(&answer, Host::Auth);
    assert!(connection.is_closed().await);
    answer.expect_error(400, "invalid_request")
}

async fn traced(scene: &Scene) -> String {
    let traceparent = |flags: &str| format!("traceparent: 00-{TRACE}-b7ad6b7169203331-{flags}\r\n");
    for flags in ["00", "01", "02", "03"] {
        let request = head("GET", "/metrics", Host::Auth, &traceparent(flags));
        let answer = scene.dial.ask(EVIL, Host::Auth, request.as_bytes()).await.expect(404);
        assert_refusal(&answer, Host::Auth);
        assert_eq!(answer.header("x-argus-trace-id"), TRACE);
        assert!(answer.header("traceparent").ends_with(&format!("-{flags}")), "{flags}: {answer:?}");
        assert_ne!(answer.header("x-argus-span-id"), "b7ad6b7169203331");
    }
    let malformed = traceparent("01").replace("00-0af", "00-0AF");
    let request = head("GET", "/metrics", Host::Auth, &malformed);
    let answer = scene.dial.ask(EVIL, Host::Auth, request.as_bytes()).await.expect(404);
    assert_refusal(&answer, Host::Auth);
    assert_ne!(answer.header("x-argus-trace-id"), TRACE);
    "with its flags, unless it is malformed".to_owned()
}

async fn unknown_name(scene: &Scene) -> String {
    let refused = scene.dial.tls_to(EVIL, "other.example", Protocol::Http1).await;
    refused.expect_err("the handshake is refused").to_string()
}

async fn spoofed(scene: &Scene) -> String {
    let length = scene.server.stderr().len();
    let request = head("GET", "/healthz", Host::Api, "x-forwarded-for: 203.0.113.9\r\n");
    scene.dial.ask(GOOD, Host::Api, request.as_bytes()).await.expect(200);
    scene.server.await_log_after(length, &format!("caller=\"{GOOD}\""));
    assert!(!scene.server.stderr().contains("203.0.113.9"));
    format!("Argus knows the caller as {GOOD}")
}
