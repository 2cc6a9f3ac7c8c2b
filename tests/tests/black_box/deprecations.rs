//! What is deprecated says so on every answer, and is gone after its sunset: on live hosts by the real clock, on the
//! sandbox by its own. The matrix is one of the test's; the hosts serve, and the answers are judged by, the document
//! that is published of it.

use super::support::every_scope;
use argus_core::Clock;
use argus_openapi::Host;
use argus_openapi::contract::{ARGUS, Contract, Documents, PolicyFile};
use argus_openapi::publish::{self, document::routes, sort};
use argus_server::gate::Notices;
use argus_server::hosts::BaseUrls;
use argus_tests::{Installation, TestServer};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

const LINK: &str = "https://partner.example/changes";
const SINCE: &str = "2026-05-01T00:00:00Z";
/// An hour after the sandbox's time starts.
const SUNSET: &str = "2026-05-08T13:00:00Z";
const NEVER: &str = "2199-12-31T23:59:59Z";

fn line(operation: &str, sunset: Option<&str>, successor: Option<&str>) -> Value {
    let mut line =
        json!({ "operation": operation, "deprecated_at": SINCE, "link": LINK, "note": "Use another." });
    for (name, value) in [("sunset_at", sunset), ("successor", successor)] {
        if let Some(value) = value {
            line[name] = json!(value);
        }
    }
    line
}

/// The contract with these lines as its matrix, and the documents that follow.
fn contract(lines: &Value) -> &'static Contract {
    let text: &'static str = json!({ "deprecations": lines }).to_string().leak();
    let deprecations = PolicyFile { name: "deprecations.json", text };
    let announced: &'static Contract = Box::leak(Box::new(Contract { deprecations, ..ARGUS }));
    let json: &'static str = sort::json(&publish::descriptor(announced).unwrap()).unwrap().leak();
    let documents = Documents { json, ..announced.documents };
    Box::leak(Box::new(Contract { documents, ..*announced }))
}

fn installation(contract: &'static Contract) -> Installation {
    let mut installation = Installation::sqlite();
    installation.settings.contract = contract;
    installation
}

/// An answer that nobody else judges: the other tests' judge knows the matrix that ships.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn links(&self) -> String {
        let values = self.headers.get_all("link").iter();
        values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(", ")
    }

    fn error_code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        body["error_code"].as_str().unwrap().to_owned()
    }
}

async fn ask(
    server: &TestServer,
    host: Host,
    method: Method,
    path: &str,
    headers: &[(&str, String)],
) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method, server.url(host, path));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// The headers that a document has for an operation's status, by their lower-case names.
fn documented(contract: &Contract, operation: &str, status: u16) -> Vec<(String, Value)> {
    let document: Value = serde_json::from_str(contract.documents.json).unwrap();
    let follow = |value: &Value| match value["$ref"].as_str() {
        Some(target) => document.pointer(&target[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let route = routes(&document).find(|route| route.id() == operation).unwrap();
    let response = follow(&route.operation["responses"][status.to_string()]);
    assert!(response.is_object(), "{operation} does not document {status}");
    let headers = response["headers"].as_object().unwrap().iter();
    headers.map(|(name, header)| (name.to_lowercase(), follow(header))).collect()
}

/// Fails unless the answer has the three headers exactly where the document says so, and as it says.
fn assert_documented(contract: &Contract, operation: &str, answer: &Answer) {
    let documented = documented(contract, operation, answer.status);
    for name in ["deprecation", "sunset", "link"] {
        let header = documented.iter().find(|(known, _)| known == name).map(|(_, header)| header);
        let sent = answer.headers.contains_key(name);
        assert_eq!(sent, header.is_some(), "{operation} {}: {name}: {:?}", answer.status, answer.headers);
        if let Some(header) = header {
            assert!(jsonschema::is_valid(&header["schema"], &json!(answer.header(name))), "{name}: {header}");
        }
    }
}

/// A date of Structured Fields (RFC 9651, section 4.2.9): `@` and an integer, and nothing else.
fn structured_date(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('@')?;
    let magnitude = digits.strip_prefix('-').unwrap_or(digits);
    let is_integer =
        (1..=15).contains(&magnitude.len()) && magnitude.bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then(|| digits.parse().ok())?
}

/// An HTTP-date in the one form that is sent, whose weekday is that of the date.
fn http_date(text: &str) -> DateTime<Utc> {
    let moment = DateTime::parse_from_rfc2822(text).unwrap().to_utc();
    assert_eq!(moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string(), text);
    moment
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deprecated_operation_says_so_on_every_answer_and_no_other_does() {
    let lines = json!([
        line("job_view", Some(NEVER), Some("job_result")),
        line("webhook_list", None, Some("webhook_create")),
        line("api_catalog", Some(NEVER), Some("https://partner.example/catalogue")),
    ]);
    let contract = contract(&lines);
    let server = TestServer::start_on(installation(contract), Clock::system());
    let about = format!("<{LINK}>; rel=\"deprecation\"");
    let sunset = format!("{about}, <{LINK}>; rel=\"sunset\"");
    for host in [Host::Api, Host::Sandbox] {
        let caller = server.caller(host, &every_scope()).await;
        let made = ask_json(&server, host, &caller.token).await;
        let credentials = [bearer(&caller.token)];
        let found = ask(&server, host, Method::GET, &format!("/v1/jobs/{made}"), &credentials).await;
        let bare = ask(&server, host, Method::HEAD, &format!("/v1/jobs/{made}"), &credentials).await;
        let nobody = ask(&server, host, Method::GET, "/v1/jobs/none", &[]).await;
        let none = ask(&server, host, Method::GET, "/v1/jobs/none", &credentials).await;
        for (answer, status, id) in
            [(&found, 200, made.as_str()), (&bare, 200, &made), (&nobody, 401, "none"), (&none, 404, "none")]
        {
            assert_eq!(answer.status, status);
            assert_documented(contract, "job_view", answer);
            let since = structured_date(answer.header("deprecation")).unwrap();
            let until = http_date(answer.header("sunset"));
            assert_eq!(since, SINCE.parse::<DateTime<Utc>>().unwrap().timestamp());
            assert!(until == NEVER.parse::<DateTime<Utc>>().unwrap() && since <= until.timestamp());
            let successor = format!("</v1/jobs/{id}/result>; rel=\"successor-version\"");
            assert_eq!(answer.links(), format!("{sunset}, {successor}"), "{status}");
        }
        // Others are asked through the judge, who knows no such header.
        server.get(host, "/v1/jobs", Some(&caller.token)).await.expect(200);
        server.get(host, "/v1/jobs", None).await.expect(401);
        server.get(host, "/v1/nothing", None).await.expect(404);
        server.bare(host, Method::PUT, "/v1/jobs", &caller.token).await.expect(405);
    }
    for host in [Host::Auth, Host::Sandbox] {
        let answer = ask(&server, host, Method::GET, "/v1/webhooks", &[]).await;
        assert_documented(contract, "webhook_list", &answer);
        let successor = "</v1/webhooks>; rel=\"successor-version\"";
        assert_eq!(answer.links(), format!("{about}, {successor}"));
    }
    // What a document says of itself stays.
    let catalogue = ask(&server, Host::Api, Method::GET, "/.well-known/api-catalog", &[]).await;
    assert_documented(contract, "api_catalog", &catalogue);
    assert!(catalogue.links().contains("rel=\"api-catalog\""), "{:?}", catalogue.headers);
    assert!(catalogue.links().contains("<https://partner.example/catalogue>; rel=\"successor-version\""));
    let readable = catalogue.header("access-control-expose-headers");
    assert!(readable.contains("Deprecation") && readable.contains("Sunset"), "{readable}");
}

/// A new job's id.
async fn ask_json(server: &TestServer, host: Host, token: &str) -> String {
    let body = json!({ "kind": "intelligence.enrich.bulk", "payload": { "profile_ids": ["p1"] } });
    server.post(host, "/v1/jobs", token, &body).await.expect(201).text("id")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_sunset_an_operation_is_gone_by_the_clock_of_each_host() {
    let contract = contract(&json!([line("job_list", Some(SUNSET), None)]));
    let clock = Clock::standing(SUNSET.parse::<DateTime<Utc>>().unwrap() - TimeDelta::seconds(1));
    let server = TestServer::start_on(installation(contract), clock.clone());
    let live = async || ask(&server, Host::Api, Method::GET, "/v1/jobs", &[]).await;
    let sandbox = async |preference: &str| {
        let prefer = ("prefer", preference.to_owned());
        ask(&server, Host::Sandbox, Method::GET, "/v1/jobs", &[prefer]).await
    };
    // Before: who has no token is told so.
    assert_eq!(live().await.status, 401);
    assert_eq!(sandbox("argus-clock=3599").await.status, 401);
    let gone = sandbox("argus-clock=3600").await;
    assert_eq!((gone.status, gone.error_code().as_str()), (410, "operation_retired"));
    assert_eq!(gone.header("preference-applied"), "argus-clock=3600");
    assert_documented(contract, "job_list", &gone);
    clock.advance(TimeDelta::seconds(1));
    let answer = live().await;
    assert_eq!((answer.status, answer.error_code().as_str()), (410, "operation_retired"));
    assert_documented(contract, "job_list", &answer);
    let said = String::from_utf8(answer.body.clone()).unwrap();
    assert!(said.contains("Use another."), "{said}");
    // The sandbox has a clock of its own, and its reply follows from the request alone.
    assert_eq!(sandbox("argus-clock=3599").await.status, 401);
    let again = sandbox("argus-clock=3600").await;
    assert_eq!(
        (&again.body, again.header("x-argus-trace-id")),
        (&gone.body, gone.header("x-argus-trace-id"))
    );
    // A preference that is malformed is refused as ever, once the caller is known.
    assert_eq!(sandbox("argus-clock=never").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_shows_a_retired_operation_to_those_who_ask() {
    let contract = contract(&json!([line("job_list", Some(NEVER), None)]));
    let server = TestServer::start_on(installation(contract), Clock::system());
    let caller = server.caller(Host::Sandbox, &every_scope()).await;
    let headers = [bearer(&caller.token), ("prefer", "code=410".to_owned())];
    let shown = ask(&server, Host::Sandbox, Method::GET, "/v1/jobs", &headers).await;
    assert_eq!((shown.status, shown.error_code().as_str()), (410, "operation_retired"));
    assert_documented(contract, "job_list", &shown);
}

#[test]
fn a_matrix_that_cannot_be_served_is_refused_before_a_host_starts() {
    let start = |lines: &Value| Notices::of(contract(lines), Host::Api, &BaseUrls::default()).err();
    let error = start(&json!([line("job_list", None, Some("job_view"))])).unwrap();
    for expected in
        ["deprecations.json", "`job_list`.successor", "`{id}` in the path of `job_view`", "give a URL"]
    {
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(start(&json!([line("job_view", None, Some("job_list"))])), None);
}
