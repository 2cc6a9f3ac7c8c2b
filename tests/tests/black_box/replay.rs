//! The determinism promise over HTTP: whatever happens around a request, its answer is the same to the
//! byte. Only `date` and `x-request-id` differ.

use super::support::every_scope;
use argus_openapi::Host;
use argus_partner::claims::AUDIENCE_SANDBOX;
use argus_tests::{Answer, Installation, TestServer, claims};
use http::Method;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCENARIOS: [&str; 5] =
    ["wallet.high-risk", "wallet.clean", "entity.sanctioned", "incident.escalating", "device.offline"];

/// A request whose answer does not show the tenant.
#[derive(Clone, Debug)]
struct Question {
    method: Method,
    path: String,
    body: Option<Value>,
    scenarios: Vec<&'static str>,
    prefer: Option<String>,
}

/// How a request is written and by whom; none of it may show.
#[derive(Clone, Debug)]
struct Manner {
    tenant: String,
    /// Spaces, tabs and line breaks between the tokens of the body.
    space: &'static str,
    /// Whether members are sent in reverse order.
    reversed: bool,
    /// Headers that no answer depends on.
    noise: bool,
}

fn identifiers() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:~-]{1,40}".prop_filter("no dot segment", |id| id != "." && id != "..")
}

/// What a job of some kind takes.
fn payloads() -> impl Strategy<Value = (&'static str, Value)> {
    let ids = || prop::collection::vec(identifiers(), 1..4);
    let enrich =
        (ids(), prop::collection::vec(select(vec!["osint", "epcr"]), 0..3)).prop_map(|(ids, sources)| {
            ("intelligence.enrich.bulk", json!({"profile_ids": ids, "sources": sources}))
        });
    let export = (0..=100u8, select(vec!["ndjson", "csv"]))
        .prop_map(|(score, format)| ("export.bulk", json!({"min_risk_score": score, "format": format})));
    let import = (identifiers(), "[A-Za-z\"\\\\\u{e9}\u{1f5c2}]{1,12}").prop_map(|(id, name)| {
        let profile = json!({"id": id, "kind": "wallet", "display_name": name});
        ("import.bulk", json!({"profiles": [profile]}))
    });
    let graph = ids().prop_map(|ids| {
        let paths: Vec<_> = ids.iter().map(|id| json!({"from": id, "to": "p1"})).collect();
        ("graph.compute", json!({"profile_ids": ids, "shortest_paths": paths}))
    });
    prop_oneof![enrich, export, import, graph]
}

fn requests() -> impl Strategy<Value = (Method, String, Option<Value>)> {
    let kinds = select(vec!["intelligence.enrich.bulk", "export.bulk", "import.bulk", "graph.compute"]);
    let job = payloads().prop_map(|(kind, payload)| {
        (Method::POST, "/v1/jobs".to_owned(), Some(json!({"kind": kind, "payload": payload})))
    });
    let jobs = (kinds, 1..200u32)
        .prop_map(|(kind, limit)| (Method::GET, format!("/v1/jobs?limit={limit}&kind={kind}"), None));
    let profile = identifiers().prop_map(|id| (Method::GET, format!("/v1/profiles/{id}"), None));
    let enrich = (identifiers(), prop::collection::vec(select(vec!["osint", "finance"]), 0..3)).prop_map(
        |(id, sources)| {
            (Method::POST, format!("/v1/profiles/{id}/enrich"), Some(json!({"sources": sources})))
        },
    );
    let webhook =
        ("[a-z]{1,12}", prop::collection::vec(select(vec!["incident.updated", "job.failed"]), 1..3))
            .prop_map(|(host, events)| {
                let url = format!("https://{host}.example.com/hook");
                let body = json!({"url": url, "events": events, "secret": "a secret of a test, long enough"});
                (Method::POST, "/v1/webhooks".to_owned(), Some(body))
            });
    let graphql = identifiers().prop_map(|id| {
        let query = include_str!("../../../openapi/graphql/due-diligence/profile-risk.graphql");
        (Method::POST, "/graphql".to_owned(), Some(json!({"query": query, "variables": {"id": id}})))
    });
    let upload = Just((Method::POST, "/v1/uploads".to_owned(), None));
    let broken = prop_oneof![
        Just((Method::POST, "/v1/jobs".to_owned(), Some(json!({"kind": "nonsense", "payload": {}})))),
        Just((Method::GET, "/v1/jobs?limit=0".to_owned(), None)),
        Just((Method::GET, "/v1/jobs/01HFXYZ9A7Q3M5N8P2R4T6V8WB".to_owned(), None)),
        Just((Method::GET, "/v1/sandbox/scenarios".to_owned(), None)),
    ];
    prop_oneof![4 => job, 2 => jobs, 1 => upload, 2 => profile, 2 => enrich, 2 => webhook, 2 => graphql, 1 => broken]
}

fn questions() -> impl Strategy<Value = Question> {
    let prefer = prop_oneof![
        3 => Just(None),
        1 => (0..100u32).prop_map(|seconds| Some(format!("argus-clock={seconds}"))),
        1 => select(vec!["code=400", "code=500", "code=418"]).prop_map(|code| Some(code.to_owned())),
    ];
    (requests(), prop::sample::subsequence(SCENARIOS.to_vec(), 0..3), prefer).prop_map(
        |((method, path, body), scenarios, prefer)| Question { method, path, body, scenarios, prefer },
    )
}

fn manners() -> impl Strategy<Value = Manner> {
    ("tnt_[a-z0-9]{6}", select(vec!["", " ", "\n\t", "\r\n  "]), any::<bool>(), any::<bool>())
        .prop_map(|(tenant, space, reversed, noise)| Manner { tenant, space, reversed, noise })
}

/// JSON with this white space between its tokens, and its members in this order.
fn write(value: &Value, manner: &Manner) -> String {
    let space = manner.space;
    let join = |items: Vec<String>| items.join(&format!("{space},{space}"));
    match value {
        Value::Array(items) => {
            format!("[{space}{}{space}]", join(items.iter().map(|item| write(item, manner)).collect()))
        }
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}{space}:{space}{}", json!(name), write(value, manner)))
                .collect();
            if manner.reversed {
                members.reverse();
            }
            format!("{{{space}{}{space}}}", join(members))
        }
        scalar => scalar.to_string(),
    }
}

async fn ask(server: &TestServer, question: &Question, manner: &Manner) -> Answer {
    let mut claims = claims(AUDIENCE_SANDBOX, &manner.tenant, &every_scope());
    claims.jti.clone_from(&manner.tenant);
    claims.client_id = format!("app_{}", manner.tenant);
    let mut scenarios: Vec<String> = question.scenarios.iter().map(ToString::to_string).collect();
    if manner.reversed {
        scenarios.reverse();
    }
    claims.scenarios = Some(scenarios);
    let mut request = server
        .request(Host::Sandbox, question.method.clone(), &question.path)
        .bearer_auth(server.sign(&claims));
    if let Some(prefer) = &question.prefer {
        request = request.header("prefer", prefer);
    }
    if manner.noise {
        request =
            request.header("user-agent", "noise/1").header("accept-language", "ga").header("x-noise", "1");
    }
    if let Some(body) = &question.body {
        // The message of a body that does not fit names line and column, so that there the white space
        // and the order of the members show, as they should.
        let fits = body["kind"] != "nonsense";
        let body = if fits { write(body, manner) } else { body.to_string() };
        request = request.header("content-type", "application/json").body(body);
    }
    server.send(request).await
}

/// A node whose sandbox is reached under the same name as that of every other one.
fn node() -> TestServer {
    let mut installation = Installation::sqlite();
    installation.settings.sandbox_url = Some(Host::Sandbox.public_url().to_owned());
    installation.into()
}

#[test]
fn the_same_request_has_the_same_answer_in_any_order_on_any_node_for_any_token() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Two nodes with nothing in common: data directory, store, keys in force since another start.
    let (first, second) = runtime.block_on(async { (node(), node()) });
    let case = (prop::collection::vec((questions(), manners(), manners(), manners()), 1..8), any::<bool>());
    let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&case, |(questions, restart)| {
            runtime.block_on(async {
                let mut expected = Vec::new();
                for (question, manner, ..) in &questions {
                    let answer = ask(&first, question, manner).await;
                    answer.assert_standard_headers(Host::Sandbox);
                    expected.push(answer);
                }
                // In reverse order, one after the other, on the other node.
                for ((question, _, manner, _), expected) in questions.iter().zip(&expected).rev() {
                    let answer = ask(&second, question, manner).await;
                    prop_assert!(answer.replayable() == expected.replayable(), "{answer:?}\n{expected:?}");
                }
                // All at once, on both nodes or on one that has just started.
                let fresh = restart.then(node);
                let other = fresh.as_ref().unwrap_or(&second);
                let here = questions.iter().map(|(question, .., manner)| ask(&first, question, manner));
                let there = questions.iter().map(|(question, _, manner, _)| ask(other, question, manner));
                let (here, there) = tokio::join!(join_all(here), join_all(there));
                for ((here, there), expected) in here.iter().zip(&there).zip(&expected) {
                    prop_assert!(here.replayable() == expected.replayable(), "{here:?}\n{expected:?}");
                    prop_assert!(there.replayable() == expected.replayable(), "{there:?}\n{expected:?}");
                }
                Ok(())
            })
        })
        .unwrap();
    drop((first, second));
}

/// The outputs of futures that run interleaved.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_sandbox_is_the_same_on_every_node_and_needs_no_token() {
    let (first, second) = (node(), node());
    let mut ids = BTreeSet::new();
    for (kind, payload) in [
        ("intelligence.enrich.bulk", json!({"profile_ids": ["p1", "p2"]})),
        ("export.bulk", json!({})),
        ("export.bulk", json!({"format": "csv"})),
        ("export.bulk", json!({"format": "csv", "compression": "gzip"})),
        ("import.bulk", json!({"profiles": [{"id": "p1", "kind": "wallet", "display_name": "P"}]})),
        ("graph.compute", json!({})),
    ] {
        let body = json!({"kind": kind, "payload": payload});
        let token = first.sign(&claims(AUDIENCE_SANDBOX, "tnt_1", &every_scope()));
        let job = first.post(Host::Sandbox, "/v1/jobs", &token, &body).await.expect(201).text("id");
        let result = format!("/v1/jobs/{job}/result");
        let url = first.get(Host::Sandbox, &result, Some(&token)).await.expect(200).text("signed_url");
        let target = url.strip_prefix(Host::Sandbox.public_url()).expect("the configured origin").to_owned();
        let one = first.get(Host::Sandbox, &target, None).await.expect(200);
        let other = second.get(Host::Sandbox, &target, None).await.expect(200);
        one.assert_standard_headers(Host::Sandbox);
        assert_eq!(one.replayable(), other.replayable(), "{kind}");
        assert!(ids.insert(job), "{kind} {payload} has an id of its own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbound_trace_is_continued_and_the_body_does_not_change() {
    let server = TestServer::start();
    let question = Question {
        method: Method::POST,
        path: "/v1/profiles/p1/enrich".to_owned(),
        body: Some(json!({})),
        scenarios: vec![],
        prefer: None,
    };
    let manner = Manner { tenant: "tnt_1".to_owned(), space: "", reversed: false, noise: false };
    let plain = ask(&server, &question, &manner).await.expect(200);
    let token = server.sign(&claims(AUDIENCE_SANDBOX, "tnt_1", &every_scope()));
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let traced = server
        .send(
            server
                .request(Host::Sandbox, Method::POST, "/v1/profiles/p1/enrich")
                .bearer_auth(token)
                .header("traceparent", format!("00-{trace_id}-b7ad6b7169203331-01"))
                .header("tracestate", "vendor=1")
                .json(&json!({})),
        )
        .await
        .expect(200);
    assert_eq!(traced.header("x-argus-trace-id"), trace_id);
    assert_eq!(traced.header("x-argus-span-id"), plain.header("x-argus-span-id"));
    assert_eq!(traced.header("tracestate"), "vendor=1");
    assert_eq!(traced.body, plain.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_no_operation_takes_differs_from_its_replay_in_the_request_id_alone() {
    let server = TestServer::start();
    for (method, path, status) in [
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/v1/platform/apps", 404),
        (Method::PATCH, "/v1/jobs", 405),
        (Method::GET, "/v1//jobs", 400),
        (Method::GET, "/v1/profiles/%ff", 400),
    ] {
        let send = || server.send(server.request(Host::Sandbox, method.clone(), path));
        let mut answers = [send().await.expect(status), send().await.expect(status)];
        for answer in &mut answers {
            answer.assert_standard_headers(Host::Sandbox);
            assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
            let mut body = answer.json();
            let request_id = body.as_object_mut().unwrap().remove("request_id").expect("dropshot's own body");
            assert_eq!(request_id, answer.header("x-request-id"));
            assert_eq!(body.as_object().unwrap().len(), 2, "error_code and message: {body}");
            answer.body = serde_json::to_vec(&body).unwrap();
        }
        assert_eq!(answers[0].replayable(), answers[1].replayable(), "{method} {path}");
    }
}
