//! What a request asks of its connection: a `Host`, and a body that somebody may not want to read. All of
//! it on plain sockets, since no HTTP client would send such requests.

use super::support::{every_scope, samples};
use argus_openapi::contract::ARGUS;
use argus_openapi::read::MediaType;
use argus_openapi::row::{OperationRow, RequestBody};
use argus_openapi::{Access, Host, Operation};
use argus_tests::{Answer, Installation, TestServer, audience, claims};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_one_valid_host_is_refused_on_every_path() {
    let server = TestServer::start();
    for host in Host::ALL {
        for path in
            ["/healthz", "/.well-known/jwks.json", "/.well-known/openapi.json", "/v1/jobs", "/nowhere"]
        {
            for lines in [
                "",
                "host: a\r\nhost: a\r\n",
                "host: a\r\nhost: b\r\n",
                "host: a b\r\n",
                "host: a/b@c\r\n",
                "host: u@a\r\n",
                "host:\r\n",
                "host: [::1\r\n",
                "host: a:80:80\r\n",
                "host: a:x\r\n",
            ] {
                let request = format!("GET {path} HTTP/1.1\r\n{lines}\r\n");
                let answer = server.raw(host, request.as_bytes()).await;
                answer.assert_standard_headers(host);
                let message = answer.expect_error(400, "invalid_request");
                assert!(message.contains("Host"), "{lines:?}: {message}");
            }
        }
        for lines in ["host: a\r\n", "host: [::1]:8080\r\n", "HOST: 127.0.0.1\r\n"] {
            let request = format!("GET /healthz HTTP/1.1\r\n{lines}\r\n");
            server.raw(host, request.as_bytes()).await.expect(200);
        }
        // HTTP/1.0 had none.
        server.raw(host, b"GET /healthz HTTP/1.0\r\n\r\n").await.expect(200);
        server.raw(host, b"GET /healthz HTTP/1.0\r\nhost: a\r\nhost: a\r\n\r\n").await.expect(400);
    }
}

/// A request whose head says how long its body is.
fn head(method: &str, path: &str, lines: &str, length: usize) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{lines}content-length: {length}\r\n\r\n")
}

/// The answer to a head alone; whether the connection says that it ends must be what it then does.
async fn answer_to_head(server: &TestServer, host: Host, head: &str) -> Answer {
    let mut connection = server.open(host).await;
    connection.write(head.as_bytes()).await;
    connection.response().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_before_the_body_has_arrived_says_that_the_connection_ends() {
    let server = TestServer::start();
    let caller = server.caller(Host::Sandbox, &[]).await;
    let bearer = format!("authorization: Bearer {}\r\n", caller.token);
    let with_scopes = server.caller(Host::Sandbox, &every_scope()).await;
    let wrong_type = format!("authorization: Bearer {}\r\ncontent-type: text/plain\r\n", with_scopes.token);
    for (method, path, lines, status) in [
        ("POST", "/v1/jobs", "", 401),
        ("POST", "/v1/jobs", &*bearer, 403),
        ("POST", "/nowhere", "", 404),
        ("PATCH", "/v1/jobs", "", 405),
        ("POST", "/v1/jobs", &*wrong_type, 415),
    ] {
        for length in [10, 500_000] {
            let head = head(method, path, lines, length);
            let answer = answer_to_head(&server, Host::Sandbox, &head).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.header("connection"), "close", "{head}{answer:?}");
        }
    }
    // A client that waits to be asked for its body is not asked.
    let head = head("POST", "/v1/jobs", "expect: 100-continue\r\n", 10);
    let answer = answer_to_head(&server, Host::Sandbox, &head).await.expect(401);
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_body_that_nobody_reads_does_not_end_the_connection() {
    let server = TestServer::start();
    for (method, path, status) in
        [("POST", "/v1/jobs", 401), ("GET", "/.well-known/openapi.json", 200), ("GET", "/healthz", 200)]
    {
        let mut connection = server.open(Host::Sandbox).await;
        for _ in 0..3 {
            connection.write(format!("{}{{}}", head(method, path, "", 2)).as_bytes()).await;
            let answer = connection.response().await.expect(status);
            assert_eq!(answer.header("connection"), "", "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_that_nobody_reads_does_not_cost_the_reply() {
    let server = TestServer::start();
    let length = 4 * 1024 * 1024;
    for (method, path, host_line, status) in [
        ("GET", "/.well-known/openapi.json", "host: x\r\n", 200),
        ("POST", "/v1/jobs", "host: x\r\n", 401),
        ("PATCH", "/v1/jobs", "host: x\r\n", 405),
        ("POST", "/v1/jobs/j1", "host: x\r\n", 405),
        ("POST", "/v1/jobs", "", 400),
        ("GET", "/healthz", "host: a b\r\n", 400),
        ("DELETE", "/healthz", "host: a\r\nhost: b\r\n", 400),
    ] {
        let mut connection = server.open(Host::Sandbox).await;
        let head = head(method, path, "", length).replace("host: x\r\n", host_line);
        // A sender who reads nothing before all is sent, and gives up when it cannot be.
        connection.try_write(head.as_bytes()).await.unwrap();
        let sent = connection.try_write(&vec![b' '; length]).await;
        sent.unwrap_or_else(|error| panic!("{head}{error}"));
        let answer = connection.response().await.expect(status);
        assert_eq!(answer.header("connection"), "close");
        answer.json();
        assert!(connection.is_closed().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_the_same_with_a_body_as_without() {
    let server = TestServer::start();
    for host in Host::ALL {
        for (method, path, host_line) in [
            ("PATCH", "/.well-known/openapi/api.json", "host: x\r\n"),
            ("POST", "/.well-known/openapi/api.json", "host: x\r\n"),
            ("HEAD", "/.well-known/openapi/api.json", ""),
            ("OPTIONS", "/healthz", ""),
            ("TRACE", "/healthz", "host: x\r\n"),
            ("PUT", "/v1/jobs/%ff", "host: x\r\n"),
            ("PUT", "/nowhere", "host: x\r\n"),
        ] {
            let mut refusals = Vec::new();
            for body in ["", "{}"] {
                let lines = format!("{host_line}connection: close\r\ncontent-length: {}\r\n", body.len());
                let request = format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{body}");
                let mut connection = server.open(host).await;
                connection.write(request.as_bytes()).await;
                let refusal = connection.response().await;
                refusal.assert_standard_headers(host);
                let names: BTreeSet<String> = refusal.headers.keys().map(ToString::to_string).collect();
                refusals.push((refusal.status, refusal.header("allow").to_owned(), names));
            }
            assert_eq!(refusals[0], refusals[1], "{method} {path} {host_line}");
        }
    }
}

/// Between two bytes of who drips.
const DRIP: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_given_up_after_its_time() {
    let mut installation = Installation::sqlite();
    let limit = Duration::from_secs(1);
    installation.settings.body_limit = limit;
    let server = TestServer::from(installation);
    let mut requests = vec![(Host::Auth, "/v1/oauth/token", String::new())];
    for host in ARGUS.row("job_create").unwrap().hosts {
        let caller = server.caller(*host, &every_scope()).await;
        requests.push((*host, "/v1/jobs", format!("authorization: Bearer {}\r\n", caller.token)));
    }
    for (host, path, lines) in requests {
        let mut connection = server.open(host).await;
        let began = Instant::now();
        connection.write(head("POST", path, &lines, 10_000).as_bytes()).await;
        while tokio::time::timeout(DRIP, connection.readable()).await.is_err() {
            connection.write(b" ").await;
        }
        let answer = connection.response().await.expect(408);
        assert!(began.elapsed() >= limit, "{:?}", began.elapsed());
        assert_eq!(answer.header("connection"), "close", "{answer:?}");
        let (member, value) = match host {
            Host::Auth => ("error", "invalid_request"),
            _ => ("error_code", "request_timeout"),
        };
        assert_eq!(answer.text(member), value, "{answer:?}");
        server.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_too_large_when_it_says_so_and_nothing_of_it_is_awaited() {
    let server = TestServer::start();
    let caller = server.caller(Host::Sandbox, &every_scope()).await;
    let bearer = format!("authorization: Bearer {}\r\n", caller.token);
    for lines in [bearer.clone(), format!("{bearer}expect: 100-continue\r\n")] {
        let head = head("POST", "/v1/jobs", &lines, longest(Operation::JobCreate) + 1);
        let answer = answer_to_head(&server, Host::Sandbox, &head).await;
        answer.expect_error(413, "body_too_large");
        assert_eq!(answer.header("connection"), "close");
    }
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let head = head("POST", "/v1/oauth/token", form, longest(Operation::OauthToken) + 1);
    let answer = answer_to_head(&server, Host::Auth, &head).await.expect(413);
    assert_eq!(answer.text("error"), "invalid_request");
}

/// How long the body of an operation may be.
fn longest(operation: Operation) -> usize {
    operation.row().body_max_bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_form_that_does_not_end_is_refused_after_16_kib() {
    assert_eq!(longest(Operation::OauthToken), 16 * 1024);
    let server = TestServer::start();
    let mut connection = server.open(Host::Auth).await;
    let head = "POST /v1/oauth/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    connection.write(head.as_bytes()).await;
    // More is to come, and nobody waits for it.
    connection.write(format!("4001\r\n{}\r\n", "a".repeat(0x4001)).as_bytes()).await;
    let answer = connection.response().await.expect(413);
    assert!(answer.text("error_description").contains("16384"), "{answer:?}");
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_takes_a_body_of_its_own_limit_and_not_one_byte_more() {
    let server = TestServer::start();
    let samples = samples(&server).await;
    for host in Host::ALL {
        // How many bytes a signed URL takes, it says itself.
        let limited = |row: &&OperationRow| !matches!(row.body, RequestBody::None | RequestBody::Bytes);
        for row in ARGUS.rows.iter().filter(|row| row.served_by(host)).filter(limited) {
            for beyond in [0, 1] {
                let mut sample = samples.of(&server, row, host).await;
                let (media_type, mut body) =
                    sample.body.take().unwrap_or((MediaType::Json.as_str(), b"{}".to_vec()));
                // Space after a JSON value, and a parameter that the form does not know.
                let padding = if row.body == RequestBody::Form {
                    body.extend(b"&x=");
                    b'x'
                } else {
                    b' '
                };
                body.resize(row.body_max_bytes + beyond, padding);
                sample.body = Some((media_type, body));
                let mut claims = claims(audience(host), &samples.tenant_id, &every_scope());
                claims.organization_id.clone_from(&samples.organization_id);
                let request = server.sample(host, &sample);
                let answer = server.send(match row.access {
                    Access::Client => request,
                    _ => request.bearer_auth(server.sign(&claims)),
                });
                let answer = answer.await;
                assert_eq!(answer.status == 413, beyond > 0, "{} {answer:?}", row.id);
                assert!(answer.status == 413 || answer.is_done(), "{} {answer:?}", row.id);
            }
        }
    }
}
