//! Input that does not fit, against a real process that logs everything: the answer says what is wrong,
//! the process lives on, and its log holds neither a panic nor a secret.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Answer, AppCredentials, Tenancy, TestProcess};
use http::Method;
use serde_json::json;

/// A process with what is needed to talk to it, and what must never be seen in its log.
struct Victim {
    process: TestProcess,
    tenancy: Tenancy,
    app: AppCredentials,
    sandbox_token: String,
}

impl Victim {
    async fn start() -> Self {
        let process = TestProcess::dev(binary());
        let tenancy = process.tenancy();
        let scopes: Vec<Scope> = Scope::catalogue().collect();
        let app = tenancy.app(&scopes).await;
        let sandbox_token = app.sandbox_token(&[]).await;
        Self { process, tenancy, app, sandbox_token }
    }

    /// A request with this body to the sandbox host, as JSON.
    async fn sandbox(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.process.request(Host::Sandbox, method, path).bearer_auth(&self.sandbox_token);
        let answer = self.process.send(request.header("content-type", "application/json").body(body)).await;
        answer.assert_standard_headers(Host::Sandbox);
        answer
    }

    async fn read(&self, path: &str) -> Answer {
        let answer = self.process.get(Host::Sandbox, path, Some(&self.sandbox_token)).await;
        answer.assert_standard_headers(Host::Sandbox);
        answer
    }

    /// Ends the process and looks at what it left behind.
    async fn end(self) {
        self.process.assert_alive().await;
        let secrets = [
            self.tenancy.admin_token.clone(),
            self.sandbox_token.clone(),
            self.app.client_secret.clone(),
            self.process.ready_text("client_secret").to_owned(),
        ];
        let (ended, _directory) = self.process.stop();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(ended.stderr.contains("request completed"), "it logged everything: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        for secret in secrets {
            assert!(!ended.stderr.contains(&secret), "a secret is in the log");
            // A part would do as well: the signature of a token, the end of a secret.
            let end = &secret[secret.len() - 24..];
            assert!(!ended.stderr.contains(end), "a part of a secret is in the log");
        }
        assert!(!ended.stderr.contains("eyJ"), "a token is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_fit_is_refused_and_the_place_is_named() {
    let victim = Victim::start().await;
    let cases: [(&str, &str, &[&str]); 16] = [
        ("/v1/jobs", "", &["EOF", "line 1", "column 0"]),
        ("/v1/jobs", "{", &["EOF", "line 1", "column 1"]),
        ("/v1/jobs", "{\"kind\":\n  nonsense}", &["line 2", "column"]),
        (
            "/v1/jobs",
            "{\"kind\":\"export.bulk\",\"payload\":{}} trailing",
            &["trailing", "line 1", "column 37"],
        ),
        ("/v1/jobs", "{\"kind\":\"export.bulk\",\"payload\":{}}{}", &["trailing", "line 1"]),
        ("/v1/jobs", "{\"kind\":\"export.bulk\",\"payload\":{},\"colour\":1}", &["`colour`", "line 1"]),
        (
            "/v1/jobs",
            "{\"kind\":\"export.bulk\",\"kind\":\"export.bulk\",\"payload\":{}}",
            &["duplicate field `kind`"],
        ),
        ("/v1/jobs", "{\"kind\":\"nonsense\",\"payload\":{}}", &["`kind`", "nonsense", "export.bulk"]),
        ("/v1/jobs", "{\"kind\":\"export.bulk\"}", &["missing field `payload`"]),
        ("/v1/jobs", "{\"kind\":\"export.bulk\",\"payload\":[]}", &["`payload`"]),
        (
            "/v1/jobs",
            "{\"kind\":\"export.bulk\",\"payload\":{},\"callback_url\":\"http://x.example\"}",
            &["callback_url", "https"],
        ),
        ("/v1/jobs", "[]", &["must be an object"]),
        (
            "/v1/jobs",
            "{\"kind\":\"export.bulk\",\"payload\":{},\"callback_url\":\"https:///x\"}",
            &["callback_url", "host", "line 1"],
        ),
        (
            "/v1/webhooks",
            "{\"url\":\"https://@x.example/\",\"events\":[\"job.failed\"],\"secret\":\"0123456789abcdef\"}",
            &["`url`", "user name"],
        ),
        (
            "/v1/webhooks",
            "{\"url\":\"https://x.example\",\"events\":[\"nonsense\"],\"secret\":\"0123456789abcdef\"}",
            &["`events[0]`"],
        ),
        (
            "/v1/webhooks",
            "{\"url\":\"https://x.example\",\"events\":[],\"secret\":\"short\"}",
            &["`events`", "`secret`", "16"],
        ),
    ];
    for (path, body, named) in cases {
        let answer = victim.sandbox(Method::POST, path, body.to_owned()).await;
        let message = answer.expect_error(400, "invalid_request");
        for part in named {
            assert!(message.contains(part), "{body}: {message} names {part}");
        }
        assert!(!message.contains("short"), "the message must not repeat a secret");
    }
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let deep = format!("{{\"query\":\"query Q {{ x }}\",\"variables\":{nested}}}");
    let message = victim.sandbox(Method::POST, "/graphql", deep).await.expect_error(400, "invalid_request");
    assert!(message.contains("recursion"), "{message}");
    let deep = format!("{{\"payload\":{nested},\"kind\":\"export.bulk\"}}");
    let message = victim.sandbox(Method::POST, "/v1/jobs", deep).await.expect_error(400, "invalid_request");
    assert!(message.contains("`x`"), "{message}");
    let not_text =
        b"{\"kind\":\"intelligence.enrich.bulk\",\"payload\":{\"profile_ids\":[\"\xff\"]}}".to_vec();
    victim.sandbox(Method::POST, "/v1/jobs", not_text).await.expect_error(400, "invalid_request");
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_does_not_fit_its_kind_is_refused_with_its_place_whatever_the_order_of_the_members() {
    let victim = Victim::start().await;
    let cases: [(&str, &str, &[&str]); 9] = [
        ("intelligence.enrich.bulk", "{}", &["`payload`", "missing field `profile_ids`", "line"]),
        (
            "intelligence.enrich.bulk",
            "{\"profile_ids\":[\"a\",\"b\",\"c\",\"no identifier\"]}",
            &["`payload.profile_ids[3]`", "letters", "line", "column"],
        ),
        ("intelligence.enrich.bulk", "{\"profile_ids\":[]}", &["`payload.profile_ids` must be 1 to 10000"]),
        ("export.bulk", "{\"profile_ids\":[\"a\"]}", &["`payload.profile_ids`", "unknown field", "line"]),
        ("export.bulk", "{\"min_risk_score\":101}", &["`payload.min_risk_score`", "0 to 100", "line"]),
        (
            "export.bulk",
            "{\"updated_after\":\"2026-02-30T12:00:00Z\"}",
            &["`payload.updated_after`", "RFC 3339", "line"],
        ),
        (
            "import.bulk",
            "{\"profiles\":[{\"id\":\"a\",\"kind\":\"wallet\",\"display_name\":\"A\",\"id\":\"b\"}]}",
            &["`payload.profiles[0]", "duplicate field `id`", "line"],
        ),
        ("import.bulk", "{\"profiles\":[[\"a\",\"wallet\",\"A\"]]}", &["`payload.profiles[0]`", "an object"]),
        (
            "graph.compute",
            "{\"shortest_paths\":[{\"from\":\"a\"}]}",
            &["`payload.shortest_paths[0]`", "`to`"],
        ),
    ];
    for (kind, payload, named) in cases {
        let (kind, payload) = (format!("\"kind\":\"{kind}\""), format!("\"payload\":{payload}"));
        for body in [format!("{{{kind},{payload}}}"), format!("{{{payload},{kind}}}")] {
            let answer = victim.sandbox(Method::POST, "/v1/jobs", body.clone()).await;
            let message = answer.expect_error(400, "invalid_request");
            for part in named {
                assert!(message.contains(part), "{body}: {message} names {part}");
            }
        }
    }
    victim.end().await;
}

/// serde takes an array for a struct, field by field; the contract says object.
#[tokio::test(flavor = "multi_thread")]
async fn an_array_is_not_taken_for_an_object() {
    let victim = Victim::start().await;
    for (path, body) in [
        ("/v1/jobs", "[\"intelligence.enrich.bulk\",{}]"),
        ("/v1/profiles/p1/enrich", "[[]]"),
        ("/v1/webhooks", "[\"https://x.example\",[\"job.failed\"],\"0123456789abcdef\"]"),
        ("/graphql", "[\"query { x }\"]"),
        ("/v1/jobs", " \n\"text\""),
    ] {
        let message = victim.sandbox(Method::POST, path, body).await.expect_error(400, "invalid_request");
        assert!(message.contains("must be an object"), "{path}: {message}");
    }
    let app = json!(["arr", ["client_credentials"], [], ["webhooks:read"]]);
    victim.tenancy.post("/v1/platform/apps", &app).await.expect_error(400, "invalid_request");
    let path = format!("/v1/platform/apps/{}/sandbox-token", victim.app.client_id);
    victim.tenancy.post(&path, &json!([[], 60])).await.expect_error(400, "invalid_request");
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_outside_of_the_catalogue_is_never_named() {
    let victim = Victim::start().await;
    for scope in ["nonsense", "argus:internal:operate"] {
        let app = json!({ "name": "x", "grant_types": ["client_credentials"], "requested_scopes": [scope] });
        let message =
            victim.tenancy.post("/v1/platform/apps", &app).await.expect_error(400, "invalid_request");
        let expected = message.split("expected one of").nth(1).expect("the message lists the catalogue");
        assert!(expected.contains("webhooks:write") && !expected.contains("internal"), "{message}");
    }
    let basic = Some((victim.app.client_id.as_str(), victim.app.client_secret.as_str()));
    let form = [("grant_type", "client_credentials"), ("scope", "argus:internal:operate")];
    let answer = victim.process.token_request(&form, basic).await.expect(400);
    assert_eq!(answer.text("error_description"), "`scope` names an unknown scope");
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_query_does_not_reach_the_log() {
    let victim = Victim::start().await;
    for path in ["/v1/oauth/token", "/v1/nothing", "/healthz"] {
        let with_secret = format!("{path}?client_secret={}", victim.app.client_secret);
        victim.process.get(Host::Auth, &with_secret, None).await;
    }
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_the_wrong_kind_or_size_is_refused() {
    let victim = Victim::start().await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "nonsense", ""]
    {
        let request = victim.process.request(Host::Sandbox, Method::POST, "/v1/jobs");
        let request =
            request.bearer_auth(&victim.sandbox_token).header("content-type", media_type).body("{}");
        let message = victim.process.send(request).await.expect_error(415, "unsupported_media_type");
        assert!(message.contains("application/json"), "{message}");
    }
    for media_type in ["application/json; charset=utf-8", "APPLICATION/JSON"] {
        let request = victim.process.request(Host::Sandbox, Method::POST, "/v1/profiles/p1/enrich");
        let request =
            request.bearer_auth(&victim.sandbox_token).header("content-type", media_type).body("{}");
        victim.process.send(request).await.expect(200);
    }
    let request = victim.process.request(Host::Auth, Method::POST, "/v1/oauth/token");
    let answer = victim.process.send(request.header("content-type", "application/json").body("{}")).await;
    assert_eq!(answer.status, 415);
    assert!(
        String::from_utf8_lossy(&answer.body).contains("application/x-www-form-urlencoded"),
        "{answer:?}"
    );

    let large = format!("{{\"kind\":\"export.bulk\",\"payload\":{{\"x\":\"{}\"}}}}", "x".repeat(1024 * 1024));
    let message =
        victim.sandbox(Method::POST, "/v1/jobs", large.clone()).await.expect_error(413, "body_too_large");
    assert!(message.contains("1048576"), "{message}");
    // Without a length, too.
    let mut connection = victim.process.open(Host::Sandbox).await;
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\n200000\r\n",
        victim.sandbox_token
    );
    connection.write(head.as_bytes()).await;
    connection.write(&vec![b' '; 0x200000]).await;
    connection.write(b"\r\n0\r\n\r\n").await;
    let refused = connection.response().await;
    refused.expect_error(413, "body_too_large");
    assert_eq!(refused.header("connection"), "close");
    assert!(connection.is_closed().await);
    // There is an end to patience: a sender that never stops is cut off with the same answer.
    let mut connection = victim.process.open(Host::Sandbox).await;
    connection.write(head.replace("200000", "fffffff").as_bytes()).await;
    connection.write(&vec![b' '; 0x0a00000]).await;
    connection.response().await.expect_error(413, "body_too_large");
    // A caller without a right to ask does not learn what the body lacks.
    let request = victim.process.request(Host::Sandbox, Method::POST, "/v1/jobs");
    victim.process.send(request.body(large)).await.expect_error(401, "missing_token");
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_does_not_fit_is_refused_and_the_key_is_named() {
    let victim = Victim::start().await;
    for (query, named) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "`limit` must be a whole number from 1 to 200"),
        ("limit=ten", "`limit` must be a whole number from 1 to 200"),
        ("kind=export.bulk&limit=99999999999", "`limit` must be a whole number from 1 to 200"),
        ("limit=1&limit=2", "duplicate field `limit`"),
        ("kind=export.bulk&kind=import.bulk", "duplicate field `kind`"),
        ("colour=blue", "colour"),
        ("kind=nonsense", "`kind` does not fit: invalid value: string \"nonsense\", expected one of"),
        ("status=done", "`status` does not fit: invalid value: string \"done\", expected one of"),
        ("cursor=", "cursor"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%ff", "cursor"),
    ] {
        let answer = victim.read(&format!("/v1/jobs?{query}")).await;
        let message = answer.expect_error(400, "invalid_request");
        assert!(message.contains(named), "{query}: {message}");
    }
    let long = format!("/v1/jobs?cursor={}", "x".repeat(1025));
    victim.read(&long).await.expect_error(400, "invalid_request");
    for query in ["limit=0", "cursor=nonsense", "limit=1&limit=2", "colour=blue"] {
        let answer = victim.tenancy.get(&format!("/v1/platform/apps?{query}")).await;
        answer.expect_error(400, "invalid_request");
    }
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_does_not_fit_is_refused() {
    let victim = Victim::start().await;
    let long = "x".repeat(129);
    for id in [long.as_str(), "a%20b", "a%2Fb", "%", "%00", "%2e%2e%2f", "caf%C3%A9", "a'b", "a;b"] {
        for path in [format!("/v1/jobs/{id}"), format!("/v1/profiles/{id}"), format!("/v1/webhooks/{id}")] {
            victim.read(&path).await.expect_error(400, "invalid_request");
        }
        let answer = victim.tenancy.get(&format!("/v1/platform/apps/{id}")).await;
        answer.expect_error(400, "invalid_request");
    }
    for id in ["x".repeat(128).as_str(), "01HFXYZ9A7Q3M5N8P2R4T6V8WB", "01kr3qayg000my4n070v9v8rh4"] {
        victim.read(&format!("/v1/jobs/{id}")).await.expect_error(404, "not_found");
    }
    // An HTTP client would tidy these up.
    for (target, status) in [
        ("/v1/profiles/../jobs", 400),
        ("/v1/./jobs", 400),
        ("/v1//jobs", 400),
        ("//", 400),
        ("/v1/profiles/%ff", 400),
        ("/v1/profiles/%e0%80%80", 400),
        ("/v1/jobs/", 404),
        ("/V1/jobs", 404),
        ("/", 404),
        ("*", 404),
    ] {
        for host in Host::ALL {
            let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            let answer = victim.process.raw(host, request.as_bytes()).await;
            answer.assert_standard_headers(host);
            let refused = if host == Host::Sandbox { status } else { answer.status.as_u16() };
            assert_eq!(answer.status.as_u16(), refused, "{target} on {}\n{answer:?}", host.name());
            assert!(answer.status.is_client_error(), "{target} on {}\n{answer:?}", host.name());
        }
    }
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_do_no_harm() {
    let victim = Victim::start().await;
    for host in Host::ALL {
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS here\r\n\r\n"[..],
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
            b"NONSENSE\r\n\r\n",
            b"POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
            b"POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        ] {
            let mut connection = victim.process.open(host).await;
            connection.write(bytes).await;
            connection.response().await.expect(400);
        }
        let huge = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n", "x".repeat(1024 * 1024));
        let mut connection = victim.process.open(host).await;
        connection.write(huge.as_bytes()).await;
        assert_eq!(connection.response().await.status, 431);
        let many = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(500));
        let mut connection = victim.process.open(host).await;
        connection.write(many.as_bytes()).await;
        assert_eq!(connection.response().await.status, 431);
        // A caller that goes away in the middle.
        let mut connection = victim.process.open(host).await;
        connection
            .write(b"POST /v1/oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ngrant")
            .await;
        drop(connection);
    }
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_fit_are_refused_or_ignored_as_documented() {
    let victim = Victim::start().await;
    let ask = async |name: &str, value: &str| {
        let request = victim.process.request(Host::Sandbox, Method::POST, "/v1/jobs");
        let body = json!({"kind": "export.bulk", "payload": {}});
        let request = request.bearer_auth(&victim.sandbox_token).header(name, value).json(&body);
        let answer = victim.process.send(request).await;
        answer.assert_standard_headers(Host::Sandbox);
        answer
    };
    for (name, value, named) in [
        ("idempotency-key", "", "`Idempotency-Key` must be"),
        ("idempotency-key", &"x".repeat(256)[..], "255"),
        ("prefer", "code=nonsense", "code"),
        ("prefer", "argus-clock=-1", "argus-clock"),
    ] {
        let message = ask(name, value).await.expect_error(400, "invalid_request");
        assert!(message.contains(named), "{name}: {message}");
    }
    for (name, value) in [
        ("traceparent", "nonsense"),
        ("traceparent", "00-00000000000000000000000000000000-0000000000000000-00"),
        ("prefer", "return=minimal"),
        ("idempotency-key", "8b9d8a2e-4a8c-4a7e-8a2e-4a8c4a7e8a2e"),
    ] {
        ask(name, value).await.expect(201);
    }
    let twice = format!(
        "GET /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {0}\r\nauthorization: Bearer {0}\r\n\r\n",
        victim.sandbox_token
    );
    let answer = victim.process.raw(Host::Sandbox, twice.as_bytes()).await;
    assert!(answer.expect_error(401, "invalid_token").contains("repeated"));
    let wrong = victim.process.token_request(
        &[("grant_type", "client_credentials")],
        Some((&victim.app.client_id, "an attempt that fails")),
    );
    assert_eq!(wrong.await.status, 401);
    ask("x-unknown", "1").await.expect(201);
    victim.end().await;
}
