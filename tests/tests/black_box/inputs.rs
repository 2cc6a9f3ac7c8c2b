//! What every operation does with texts that are too long to repeat, or that a database cannot store: the
//! walk over the operation table, with each place of a sample filled with such a text in turn.

use super::support::{every_scope, samples};
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::row::{Access, OperationRow, RequestBody};
use argus_samples::Sample;
use argus_tests::{Answer, Samples, TestServer, audience, claims, on_both_engines};
use http::HeaderValue;
use serde_json::{Map, Value, json};
use std::iter::once;

/// An error that says what is wrong and where is not longer than this, in bytes.
const SHORT: usize = 1_200;

on_both_engines! {
    a_text_that_a_database_cannot_store_is_refused_wherever_it_stands
}

/// Headers that somebody reads, beyond those of the connection.
const HEADERS: [&str; 9] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "traceparent",
    "tracestate",
    "x-tenant-id",
];

struct Walk {
    server: TestServer,
    samples: Samples,
}

impl Walk {
    async fn begin(server: TestServer) -> Self {
        let samples = samples(&server).await;
        Self { server, samples }
    }

    async fn sample(&self, row: &'static OperationRow, host: Host) -> Sample {
        self.samples.of(&self.server, row, host).await
    }

    /// Sends a request with the token that it needs.
    async fn send(&self, host: Host, sample: &Sample) -> Answer {
        let mut request = self.server.sample(host, sample);
        if !matches!(sample.row.access, Access::Public | Access::Client | Access::SignedUrl | Access::Browser)
        {
            let mut claims = claims(audience(host), &self.samples.tenant_id, &every_scope());
            claims.organization_id.clone_from(&self.samples.organization_id);
            request = request.bearer_auth(self.server.sign(&claims));
        }
        self.server.send(request).await
    }
}

/// Every operation with each host that serves it. What a signed URL says is compared as it stands, and what it
/// takes is kept as it comes: neither is read.
fn served() -> impl Iterator<Item = (&'static OperationRow, Host)> {
    let read = ARGUS.rows.iter().filter(|row| row.access != Access::SignedUrl);
    read.flat_map(|row| row.hosts.iter().map(move |host| (row, *host)))
}

/// The sample with this text in the place of each value of its path, query, headers and body, and as a name.
fn filled(sample: &Sample, text: &str) -> Vec<Sample> {
    let mut filled: Vec<Sample> = bodies(sample, text)
        .into_iter()
        .map(|body| Sample { body: Some((sample.body.as_ref().unwrap().0, body)), ..sample.clone() })
        .collect();
    // No client sends more than this in the first line of a request, or in a header.
    if text.len() > 16_000 {
        return filled;
    }
    // What no header can hold is not sent.
    let sent = HeaderValue::from_str(text).is_ok();
    for name in HEADERS.into_iter().filter(|_| sent) {
        let others = sample.headers.iter().filter(|(other, _)| !other.eq_ignore_ascii_case(name)).cloned();
        let headers = others.chain(once((name.to_owned(), text.to_owned()))).collect();
        filled.push(Sample { headers, ..sample.clone() });
    }
    for index in 0..sample.path_parameters.len() {
        let mut other = sample.clone();
        other.path_parameters[index].1 = escaped(text);
        filled.push(other);
    }
    for name in ["limit", "cursor", "kind", "status", text] {
        filled.push(Sample { query: format!("{}={}", escaped(name), escaped(text)), ..sample.clone() });
    }
    filled
}

/// The bodies with this text in the place of each member, of each item in a list, as the name of a member, and
/// as a name that stands twice in an object below.
fn bodies(sample: &Sample, text: &str) -> Vec<Vec<u8>> {
    let Some((media_type, body)) = &sample.body else { return Vec::new() };
    if *media_type != "application/json" {
        let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap();
        let with = |name: &str| {
            let others = fields.iter().filter(|(other, _)| other != name).cloned();
            serde_urlencoded::to_string(
                others.chain(once((name.to_owned(), text.to_owned()))).collect::<Vec<_>>(),
            )
        };
        let names = fields.iter().map(|(name, _)| name.as_str()).chain(["scope", text]);
        return names.map(|name| with(name).unwrap().into_bytes()).collect();
    }
    let members: Map<String, Value> = serde_json::from_slice(body).unwrap();
    let twice = format!("{{{0}:1,{0}:2}}", json!(text));
    let mut bodies = vec![json!(text).to_string()];
    for name in members.keys().map(String::as_str).chain([text]) {
        for value in [json!(text), json!([{ text: text }])] {
            let mut members = members.clone();
            members.insert(name.to_owned(), value);
            bodies.push(json!(members).to_string());
        }
        let mut members = members.clone();
        members.insert(name.to_owned(), json!("twice"));
        bodies.push(json!(members).to_string().replace("\"twice\"", &twice));
    }
    bodies.into_iter().map(String::into_bytes).collect()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_short_however_long_the_input_is() {
    let walk = Walk::begin(TestServer::start()).await;
    for (row, host) in served() {
        let sample = walk.sample(row, host).await;
        for long in filled(&sample, &"`, expected `\", expected \"".repeat(150)) {
            assert_short(&walk.send(host, &long).await, row);
        }
        // Of those that the operation just takes a value, a name, and a name that stands twice.
        let most = row.body_max_bytes;
        for length in [most / 10 * 9, most / 10 * 4].into_iter().filter(|_| row.hosts[0] == host) {
            for long in bodies(&sample, &"x".repeat(length)).into_iter().rev().take(3) {
                let long = Sample { body: Some((sample.body.as_ref().unwrap().0, long)), ..sample.clone() };
                assert_short(&walk.send(host, &long).await, row);
            }
        }
    }
}

#[track_caller]
fn assert_short(answer: &Answer, row: &OperationRow) {
    let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(SHORT)]);
    // A page has its style in it.
    let is_page = row.access == Access::Browser;
    let refused = answer.status.is_client_error();
    assert!(refused || answer.is_done(), "{}: {} {start}", row.id, answer.status);
    assert!(
        !refused || is_page || answer.body.len() < SHORT,
        "{}: {} bytes: {start}",
        row.id,
        answer.body.len()
    );
}

async fn a_text_that_a_database_cannot_store_is_refused_wherever_it_stands(server: TestServer) {
    let walk = Walk::begin(server).await;
    for (row, host) in served().filter(|(_, host)| *host != Host::Sandbox) {
        let sample = walk.sample(row, host).await;
        for text in ["\0", "a\0b"] {
            let mut refused = 0;
            for request in filled(&sample, text) {
                let answer = walk.send(host, &request).await;
                assert!(!answer.status.is_server_error(), "{}: {request:?}\n{answer:?}", row.id);
                refused += usize::from(answer.status.is_client_error());
                let body = request.body.as_ref().map(|(_, body)| body);
                // A query that nobody reads does no harm, and neither does a parameter that a form does not know.
                let read = request.path_parameters != sample.path_parameters
                    || row.body != RequestBody::Form && body != sample.body.as_ref().map(|(_, body)| body);
                assert!(!read || answer.status.is_client_error(), "{}: {request:?}\n{answer:?}", row.id);
            }
            assert!(refused > 0 || sample.body.is_none() && sample.path_parameters.is_empty(), "{}", row.id);
        }
        if let Some((media_type, body)) = &sample.body {
            // Half of a pair is no character; some parsers let it pass as one of its own.
            let body = String::from_utf8(body.clone()).unwrap().replacen("\":\"", "\":\"\\ud83d", 1);
            if *media_type == "application/json" && body.contains("\\ud83d") {
                let half = Sample { body: Some((media_type, body.into_bytes())), ..sample.clone() };
                walk.send(host, &half).await.expect_error(400, "invalid_request");
            }
        }
    }
}
