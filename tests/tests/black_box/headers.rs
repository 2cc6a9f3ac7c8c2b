//! Request headers that are repeated or are no text: refused with the header's name, never guessed at.

use super::support::every_scope;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, TestServer};
use http::Method;

/// Sends a request with these header lines, byte for byte.
async fn send(server: &TestServer, host: Host, path: &str, lines: &[&[u8]], body: &str) -> Answer {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
    if host == Host::Auth {
        request.push_str("content-type: application/x-www-form-urlencoded\r\n");
    }
    let mut request = request.into_bytes();
    for line in lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body.as_bytes());
    server.raw(host, &request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_documented_header_that_is_repeated_or_is_no_text_is_named() {
    let server = TestServer::start();
    let caller = server.caller(Host::Sandbox, &every_scope()).await;
    let bearer = format!("authorization: Bearer {}", caller.token);
    let job = r#"{"kind":"export.bulk","payload":{}}"#;
    let query = r#"{"query":"query Q { x }"}"#;
    let tenant = format!("x-tenant-id: {}", caller.tenancy.tenant_id);
    let cases: [(&str, &str, &[&[u8]], &str); 6] = [
        (
            "/v1/jobs",
            job,
            &[b"idempotency-key: a", b"idempotency-key: a"],
            "`Idempotency-Key` header is repeated",
        ),
        ("/v1/jobs", job, &[b"idempotency-key: caf\xe9"], "`Idempotency-Key` header is not ASCII text"),
        ("/graphql", query, &[tenant.as_bytes(), tenant.as_bytes()], "`X-Tenant-ID` header is repeated"),
        ("/graphql", query, &[b"x-tenant-id: tnt_\xff"], "`X-Tenant-ID` header is not ASCII text"),
        ("/v1/jobs", job, &[b"prefer: code=4\xe9"], "`Prefer` header is not ASCII text"),
        ("/v1/jobs", job, &[b"prefer: code=409", b"prefer: \xe9"], "`Prefer` header is not ASCII text"),
    ];
    for (path, body, lines, named) in cases {
        let lines: Vec<&[u8]> = std::iter::once(bearer.as_bytes()).chain(lines.iter().copied()).collect();
        let answer = send(&server, Host::Sandbox, path, &lines, body).await;
        answer.assert_standard_headers(Host::Sandbox);
        let message = answer.expect_error(400, "invalid_request");
        assert!(message.contains(named), "{path}: {message}");
    }
    // What the operation does not read is the sender's own business.
    let once: [&[u8]; 4] =
        [bearer.as_bytes(), b"idempotency-key: a", b"prefer: return=minimal", b"user-agent: caf\xe9"];
    send(&server, Host::Sandbox, "/v1/jobs", &once, job).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_endpoint_takes_one_authorization_header_that_is_text() {
    let server = TestServer::start();
    let app = server.app(&[Scope::JobsRead]).await;
    let in_form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        app.client_id, app.client_secret
    );
    let cases: [(&[&[u8]], &str, &str); 2] = [
        (
            &[b"authorization: Basic YTpi", b"authorization: Basic YTpi"],
            "grant_type=client_credentials",
            "repeated",
        ),
        // It must not fall through to the credentials of the form.
        (&[b"authorization: Basic \xe9"], &in_form, "not ASCII text"),
    ];
    for (lines, form, named) in cases {
        let answer = send(&server, Host::Auth, "/v1/oauth/token", lines, form).await.expect(400);
        assert_eq!(answer.text("error"), "invalid_request");
        let description = answer.text("error_description");
        assert!(description.contains("`Authorization`") && description.contains(named), "{description}");
    }
    send(&server, Host::Auth, "/v1/oauth/token", &[], &in_form).await.expect(200);
}

/// Forced refusals are answers of tests, too: the client of the tests judges each by the descriptor.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_refusal_has_the_headers_of_a_real_one() {
    let server = TestServer::start();
    let caller = server.caller(Host::Sandbox, &every_scope()).await;
    let real = async |token: &str| server.get(Host::Sandbox, "/v1/jobs", Some(token)).await;
    let forced = async |status: u16| {
        let request = caller.request(Method::GET, "/v1/jobs").header("prefer", format!("code={status}"));
        server.send(request).await.expect(status)
    };
    let without_scope = server.caller(Host::Sandbox, &[]).await;
    for (real, forced) in
        [(real("garbage").await, forced(401).await), (real(&without_scope.token).await, forced(403).await)]
    {
        assert_eq!(real.status, forced.status);
        let reason = |answer: &Answer| {
            let challenge = answer.header("www-authenticate").to_owned();
            challenge.split(", error_description").next().unwrap().to_owned()
        };
        assert_eq!(reason(&real), reason(&forced));
        assert!(reason(&forced).starts_with("Bearer realm=\"argus\", error="), "{forced:?}");
    }
    for status in [429, 503] {
        assert_eq!(forced(status).await.header("retry-after"), "1");
    }
    assert_eq!(forced(500).await.header("retry-after"), "");
}
