//! Connectors, from the partner's request to the bytes that reach a system and back: asked beside each other, bounded
//! in time, size and number, and left alone when they fail.

use super::jobs::{enqueue, made, sweep};
use super::support::binary;
use super::webhooks::beside;
use argus_core::Clock;
use argus_core::context::{Context, Live, Principal};
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_partner::connectors::{Limits, Provider, System};
use argus_partner::profiles;
use argus_tests::{
    Answer, Caller, Deed, Installation, Reach, Receiver, TestProcess, TestProvider, TestServer, look_for,
    on_both_engines, run_on_sqlite,
};
use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

on_both_engines! {
    each_system_is_asked_about_what_its_sources_know
    what_a_source_finds_takes_the_place_of_what_it_found_before
    enrichments_at_the_same_time_lose_nothing_of_each_other
    a_bulk_enrichment_reports_each_profile_and_each_source_by_itself
    a_bulk_enrichment_that_is_cancelled_waits_for_nobody_and_leaves_nothing
    an_enrichment_is_told_to_those_who_subscribed_and_one_without_an_answer_is_not
}

const SCOPES: [Scope; 4] = [Scope::ProfilesRead, Scope::ProfilesWrite, Scope::JobsRead, Scope::JobsWrite];

/// A limit that no test waits for.
const SHORT: Duration = Duration::from_millis(300);

/// A limit that no test reaches.
const FOREVER: Duration = Duration::from_secs(600);

/// A server with these systems and a caller.
struct Scene {
    server: TestServer,
    caller: Caller,
}

impl Scene {
    async fn open(installation: Installation, systems: &[(System, &TestProvider)]) -> Self {
        Self::limited(installation, systems, Limits::default(), Clock::system()).await
    }

    async fn limited(
        mut installation: Installation,
        systems: &[(System, &TestProvider)],
        limits: Limits,
        clock: Clock,
    ) -> Self {
        let providers = systems.iter().map(|(system, system_at)| (*system, system_at.provider()));
        installation.settings.connectors.providers = providers.collect();
        installation.settings.connectors.limits = limits;
        let server = TestServer::start_on(installation, clock);
        let mut caller = server.caller(Host::Api, &SCOPES).await;
        let mut claims = server.claims(Host::Api, &caller.tenancy.tenant_id, &SCOPES);
        claims.organization_id.clone_from(&caller.tenancy.organization_id);
        caller.token = server.sign(&claims);
        Self { server, caller }
    }

    /// A scene with one system, which is asked for open-source intelligence.
    async fn osint(installation: Installation, provider: &TestProvider, limits: Limits) -> Self {
        let scene = Self::limited(installation, &[(System::Osint, provider)], limits, Clock::system()).await;
        scene.put("p1", ProfileKind::Entity).await;
        scene
    }

    /// A scene with one system that has failed as often as it may, at the moment at which it may be asked again.
    async fn about_to_ask_again(installation: Installation) -> (Self, TestProvider, Clock) {
        let provider = TestProvider::start("t", Deed::Reply(500, "", String::new())).await;
        let clock = Clock::standing(Utc::now());
        let limits = Limits { failures: 1, ..Limits::default() };
        let scene = Self::limited(installation, &[(System::Osint, &provider)], limits, clock.clone()).await;
        scene.put("p1", ProfileKind::Entity).await;
        assert_eq!(scene.ask().await, "unavailable");
        assert!(!provider.received().is_empty());
        clock.advance(TimeDelta::seconds(30));
        (scene, provider, clock)
    }

    async fn put(&self, id: &str, kind: ProfileKind) {
        self.server.put_profile(&self.caller.tenancy.tenant_id, id, kind, SecrecyLevel::Standard).await;
    }

    async fn enrich(&self, id: &str, sources: &[&str]) -> Value {
        let path = format!("/v1/profiles/{id}/enrich");
        self.caller.post(&path, &json!({ "sources": sources })).await.expect(200).json()
    }

    /// How asking for open-source intelligence about `p1` ends.
    async fn ask(&self) -> String {
        let enrichment = self.enrich("p1", &["osint"]).await;
        status_of(&enrichment, "osint").to_owned()
    }

    /// Enriches `p1` with a request that has more headers.
    async fn enrich_in(&self, headers: [(&str, &str); 2]) -> Answer {
        let request = self.caller.request(Method::POST, "/v1/profiles/p1/enrich");
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.caller.send(request).await.expect(200)
    }

    async fn view(&self, id: &str) -> Value {
        self.caller.get(&format!("/v1/profiles/{id}")).await.expect(200).json()
    }
}

fn outcome_of<'e>(enrichment: &'e Value, source: &str) -> &'e Value {
    let outcomes = enrichment["outcomes"].as_array().unwrap();
    outcomes.iter().find(|outcome| outcome["source"] == source).unwrap()
}

fn status_of<'e>(enrichment: &'e Value, source: &str) -> &'e str {
    outcome_of(enrichment, source)["status"].as_str().unwrap()
}

fn finding(source: &str, code: &str, severity: &str) -> Value {
    json!({
        "code": code, "source": source, "severity": severity, "summary": "It was found.",
        "observed_at": "2026-05-08T11:58:00Z", "evidence": {"list": "OFAC SDN"},
    })
}

fn find(findings: &[Value]) -> Deed {
    Deed::Find(json!(findings))
}

fn nothing() -> Deed {
    find(&[])
}

/// Systems with the sources that they are asked for.
type AskedFor = &'static [(System, &'static [&'static str])];

async fn each_system_is_asked_about_what_its_sources_know(installation: Installation) {
    let systems = [
        (System::Finance, TestProvider::start("t-finance", find(&[finding("finance", "f", "high")])).await),
        (System::Osint, TestProvider::start("t-osint", find(&[finding("osint", "o", "low")])).await),
        (
            System::Dispatch,
            TestProvider::start(
                "t-dispatch",
                find(&[finding("epcr", "e", "low"), finding("dispatch", "d", "low")]),
            )
            .await,
        ),
        (
            System::Telemetry,
            TestProvider::start("t-telemetry", find(&[finding("telemetry", "t", "medium")])).await,
        ),
    ];
    let at = systems.each_ref().map(|(system, provider)| (*system, provider));
    let scene = Scene::open(installation, &at).await;
    // Kind, the systems with the sources that they are asked for, and what is found.
    let expected: [(ProfileKind, AskedFor, &[&str]); 4] = [
        (ProfileKind::Wallet, &[(System::Finance, &["finance"]), (System::Osint, &["osint"])], &["f", "o"]),
        (ProfileKind::Entity, &[(System::Finance, &["finance"]), (System::Osint, &["osint"])], &["f", "o"]),
        (ProfileKind::Incident, &[(System::Dispatch, &["dispatch", "epcr"])], &["d", "e"]),
        (ProfileKind::Device, &[(System::Telemetry, &["telemetry"])], &["t"]),
    ];
    for (kind, asked, codes) in expected {
        let id = kind.as_str();
        scene.put(id, kind).await;
        let enrichment = scene.enrich(id, &[]).await;
        for (system, provider) in &systems {
            let received = provider.received();
            let sources = asked.iter().find(|(asked, _)| asked == system).map(|(_, sources)| sources);
            assert_eq!(received.len(), usize::from(sources.is_some()), "{kind}: {}", system.name());
            let (Some(sources), Some(received)) = (sources, received.first()) else { continue };
            assert_eq!(received.line, "POST /v1/findings HTTP/1.1");
            let question = json!({
                "profile_id": id, "kind": id, "display_name": format!("Profile {id}"), "sources": sources,
            });
            assert_eq!(received.question, question);
            assert_eq!(received.header("authorization"), format!("Bearer t-{}", system.name()));
        }
        let all_sources = ["osint", "finance", "dispatch", "epcr", "telemetry"];
        for source in all_sources {
            let applies = asked.iter().any(|(_, sources)| sources.contains(&source));
            let status = if applies { "answered" } else { "not_applicable" };
            assert_eq!(status_of(&enrichment, source), status, "{kind}: {source}");
        }
        let found = enrichment["findings"].as_array().unwrap();
        assert_eq!(found.iter().map(|finding| finding["code"].as_str().unwrap()).collect::<Vec<_>>(), codes);
        assert_eq!(scene.view(id).await["finding_codes"], json!(codes), "they are kept");
    }
}

async fn what_a_source_finds_takes_the_place_of_what_it_found_before(installation: Installation) {
    let finance = TestProvider::start("t", find(&[finding("finance", "f", "high")])).await;
    let osint = TestProvider::start("t", find(&[finding("osint", "sanctions_match", "critical")])).await;
    let scene = Scene::open(installation, &[(System::Finance, &finance), (System::Osint, &osint)]).await;
    scene.put("p1", ProfileKind::Wallet).await;
    let enrichment = scene.enrich("p1", &[]).await;
    assert_eq!(enrichment["risk"], json!({"score": 90, "level": "critical"}));
    let viewed = scene.view("p1").await;
    assert_eq!(
        (&viewed["risk"], &viewed["finding_codes"]),
        (&enrichment["risk"], &json!(["sanctions_match", "f"]))
    );
    // One that does not answer loses nothing of what is known.
    osint.usually(Deed::Reply(500, "", String::new()));
    let enrichment = scene.enrich("p1", &["osint"]).await;
    assert_eq!((status_of(&enrichment, "osint"), &enrichment["findings"]), ("unavailable", &json!([])));
    assert_eq!(scene.view("p1").await["finding_codes"], json!(["sanctions_match", "f"]));
    // One that has nothing any more takes its findings back, and their risk with them.
    osint.usually(nothing());
    let enrichment = scene.enrich("p1", &["osint"]).await;
    assert_eq!((&enrichment["findings"], &enrichment["risk"]["score"]), (&json!([]), &json!(65)));
    finance.usually(nothing());
    assert_eq!(scene.enrich("p1", &[]).await["risk"]["score"], 10, "as it was imported");
    assert_eq!(scene.view("p1").await["finding_codes"], json!([]));
}

async fn an_enrichment_is_told_to_those_who_subscribed_and_one_without_an_answer_is_not(
    installation: Installation,
) {
    let osint = TestProvider::start("t", Deed::Reply(500, "", String::new())).await;
    let scene = Scene::open(installation, &[(System::Osint, &osint)]).await;
    scene.put("p1", ProfileKind::Wallet).await;
    let receiver = Receiver::start().await;
    let subscriber = beside(&scene.server, &scene.caller, Host::Auth, &[Scope::WebhooksWrite]);
    let body = json!({"url": receiver.url(), "events": ["profile.enriched"]});
    subscriber.post("/v1/webhooks", &body).await.expect(201);
    scene.enrich("p1", &[]).await;
    osint.usually(find(&[finding("osint", "sanctions_match", "critical")]));
    let enrichment = scene.enrich("p1", &[]).await;
    let event = receiver.wait_for(1).await.remove(0).json();
    let data = json!({"profile_id": "p1", "sources": ["osint"], "risk": enrichment["risk"]});
    assert_eq!((&event["type"], &event["data"]), (&json!("profile.enriched"), &data));
    assert_eq!(event["sequence"], 1, "the first was not told of");
}

async fn enrichments_at_the_same_time_lose_nothing_of_each_other(installation: Installation) {
    let finance = TestProvider::start("t", find(&[finding("finance", "f", "low")])).await;
    let osint = TestProvider::start("t", find(&[finding("osint", "o", "low")])).await;
    let scene = Scene::open(installation, &[(System::Finance, &finance), (System::Osint, &osint)]).await;
    for round in 0..10 {
        let id = format!("p{round}");
        scene.put(&id, ProfileKind::Wallet).await;
        tokio::join!(scene.enrich(&id, &["finance"]), scene.enrich(&id, &["osint"]));
        assert_eq!(scene.view(&id).await["finding_codes"], json!(["f", "o"]));
    }
}

async fn a_bulk_enrichment_that_is_cancelled_waits_for_nobody_and_leaves_nothing(installation: Installation) {
    let provider = TestProvider::start("t", Deed::Hang).await;
    let limits = Limits { attempt: FOREVER, question: FOREVER, ..Limits::default() };
    let scene = Scene::osint(installation, &provider, limits).await;
    let payload = json!({"profile_ids": ["p1"], "sources": ["osint"]});
    let id = enqueue(&scene.caller, &json!({"kind": "intelligence.enrich.bulk", "payload": payload})).await;
    look_for(|| (provider.busy() == 1).then_some(())).expect("it asks");
    let path = format!("/v1/jobs/{id}");
    scene.caller.send(scene.caller.request(Method::DELETE, &path)).await.expect(204);
    look_for(|| (provider.busy() == 0).then_some(())).expect("it hangs up");
    assert_eq!(scene.caller.get(&path).await.expect(200).json()["status"], "cancelled");
    scene.caller.get(&format!("{path}/result")).await.expect(409);
    let results = scene.server.data_dir().join("objects/results").join(&*scene.caller.tenancy.tenant_id);
    let is_empty = || std::fs::read_dir(&results).into_iter().flatten().next().is_none();
    sweep(&scene.server).await;
    look_for(|| is_empty().then_some(())).expect("nothing is left");
}

async fn a_bulk_enrichment_reports_each_profile_and_each_source_by_itself(installation: Installation) {
    let finance = TestProvider::start("t", Deed::Reply(422, "", "{}".to_owned())).await;
    let osint = TestProvider::start("t", find(&[finding("osint", "o", "medium")])).await;
    let scene = Scene::open(installation, &[(System::Finance, &finance), (System::Osint, &osint)]).await;
    scene.put("wallet", ProfileKind::Wallet).await;
    scene.put("device", ProfileKind::Device).await;
    let ids = ["wallet", "nobody", "device", "wallet"];
    let job = json!({"kind": "intelligence.enrich.bulk", "payload": {"profile_ids": ids}});
    let lines = made(&scene.caller, &job).await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["profile_id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert_eq!(lines[1]["error"], json!({"code": "not_found", "message": "no such profile"}));
    for (line, [osint, finance, telemetry]) in [
        (&lines[0], ["answered", "refused", "not_applicable"]),
        (&lines[2], ["not_applicable", "not_applicable", "not_configured"]),
        (&lines[3], ["answered", "refused", "not_applicable"]),
    ] {
        assert_eq!(status_of(line, "osint"), osint);
        assert_eq!(status_of(line, "finance"), finance);
        assert_eq!(status_of(line, "telemetry"), telemetry);
    }
    assert_eq!(lines[0]["findings"], json!([finding("osint", "o", "medium")]));
    let known = scene.view("wallet").await;
    assert_eq!((&known["finding_codes"], &known["risk"]["level"]), (&json!(["o"]), &json!("medium")));
    // Work for a job goes on in the trace in which the job was asked for.
    let trace_id = lines[0]["trace_id"].as_str().unwrap();
    for received in traces_of(&osint) {
        assert!(received.starts_with(&format!("00-{trace_id}-")), "{received}");
    }
}

/// The traces of the questions that came.
fn traces_of(provider: &TestProvider) -> Vec<String> {
    provider.received().iter().map(|received| received.header("traceparent").to_owned()).collect()
}

/// Runs a test of one system.
fn with_osint<F: Future<Output = ()>>(
    usual: Deed,
    limits: Limits,
    test: impl FnOnce(Scene, TestProvider) -> F,
) {
    run_on_sqlite(|installation: Installation| async move {
        let provider = TestProvider::start("right", usual).await;
        let scene = Scene::osint(installation, &provider, limits).await;
        test(scene, provider).await;
    });
}

/// Everything that a system can do wrong, with the status that its sources get.
fn misdeeds() -> Vec<(&'static str, Deed, &'static str)> {
    let reply = |status| Deed::Reply(status, "", r#"{"findings":[]}"#.to_owned());
    let found = |body: &str| Deed::Reply(200, "", body.to_owned());
    let raw = |text: &str| Deed::Write(text.as_bytes().to_vec());
    vec![
        ("it refuses the credential", reply(401), "refused"),
        ("it forbids", reply(403), "refused"),
        ("it does not know the path", reply(404), "refused"),
        ("it refuses the question", reply(422), "refused"),
        ("it is limited for long", Deed::Reply(429, "retry-after: 60\r\n", String::new()), "unavailable"),
        (
            "it sends on to elsewhere",
            Deed::Reply(307, "location: /elsewhere\r\n", String::new()),
            "unavailable",
        ),
        ("it fails", reply(500), "unavailable"),
        ("it is down for long", Deed::Reply(503, "retry-after: 60\r\n", String::new()), "unavailable"),
        ("it has another success", reply(204), "unavailable"),
        ("its answer is no JSON", found("nonsense"), "unavailable"),
        ("its answer is none", found("{}"), "unavailable"),
        (
            "its answer is of a source that was not asked",
            found(&json!({"findings": [finding("finance", "f", "low")]}).to_string()),
            "unavailable",
        ),
        ("its answer has too many findings", find(&vec![finding("osint", "o", "low"); 101]), "unavailable"),
        (
            "its answer is no text of JSON",
            raw("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n{\"findings\":[]}"),
            "unavailable",
        ),
        ("its answer is too long", found(&" ".repeat(70_000)), "unavailable"),
        ("its answer never ends", Deed::Flood, "unavailable"),
        (
            "its answer breaks off",
            raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"findings\":[]}"),
            "unavailable",
        ),
        ("it is no HTTP", raw("SSH-2.0-OpenSSH_9.2\r\n"), "unavailable"),
        ("it closes at once", raw(""), "unavailable"),
        ("it says nothing", Deed::Hang, "unavailable"),
    ]
}

#[test]
fn whatever_a_system_does_wrong_its_sources_have_a_status_and_the_others_answer() {
    run_on_sqlite(|installation: Installation| async move {
        let finance = TestProvider::start("t", find(&[finding("finance", "f", "low")])).await;
        let osint = TestProvider::start("t", nothing()).await;
        let limits = Limits { attempt: SHORT, failures: u32::MAX, ..Limits::default() };
        let systems = [(System::Finance, &finance), (System::Osint, &osint)];
        let scene = Scene::limited(installation, &systems, limits, Clock::system()).await;
        scene.put("p1", ProfileKind::Wallet).await;
        for (what, deed, status) in misdeeds() {
            osint.received();
            osint.next([deed]);
            let enrichment = scene.enrich("p1", &[]).await;
            let outcome = outcome_of(&enrichment, "osint");
            assert_eq!(outcome["status"], status, "{what}");
            assert_eq!(osint.received().len(), 1, "{what}: it is not asked again");
            let message = outcome["message"].as_str().unwrap();
            assert!(!message.contains("127.0.0.1") && !message.contains("elsewhere"), "{what}: {message}");
            assert_eq!(status_of(&enrichment, "finance"), "answered", "{what}");
            assert_eq!(enrichment["findings"], json!([finding("finance", "f", "low")]), "{what}");
        }
        assert_eq!(scene.ask().await, "answered");
        let metrics = scene.server.get(Host::Auth, "/metrics", Some(&scene.server.operator_token())).await;
        let metrics = String::from_utf8(metrics.expect(200).body).unwrap();
        let refused = "argus_enrichment_sources_total{source=\"osint\",status=\"refused\"} 4\n";
        assert!(metrics.contains(refused), "{metrics}");
    });
}

#[test]
fn a_system_that_is_not_there_or_has_another_token_has_a_status() {
    run_on_sqlite(|mut installation: Installation| async move {
        let osint = TestProvider::start("right", nothing()).await;
        // It has an address that nobody else can get, and does not listen.
        let deaf = tokio::net::TcpSocket::new_v4().unwrap();
        deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let absent = format!("http://{}", deaf.local_addr().unwrap());
        let absent = Provider::new(&absent, SecretText::from("t".to_owned())).unwrap();
        installation.settings.connectors.providers =
            [(System::Osint, osint.provider_with("wrong")), (System::Finance, absent)].into();
        let server = TestServer::from(installation);
        let scene = Scene { caller: server.caller(Host::Api, &SCOPES).await, server };
        scene.put("p1", ProfileKind::Wallet).await;
        let enrichment = scene.enrich("p1", &[]).await;
        assert_eq!(
            outcome_of(&enrichment, "osint"),
            &json!({
                "source": "osint", "status": "refused",
                "message": "it did not take the question: it answered with status 401",
            })
        );
        assert_eq!(status_of(&enrichment, "finance"), "unavailable");
    });
}

#[test]
fn a_question_goes_on_in_the_caller_s_trace_with_a_span_of_its_own() {
    with_osint(nothing(), Limits::default(), |scene, provider| async move {
        let inbound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let answer = scene.enrich_in([("traceparent", inbound), ("tracestate", "a=1,b=2")]).await;
        let received = provider.received().remove(0);
        let traceparent = received.header("traceparent");
        assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{traceparent}");
        assert!(traceparent.ends_with("-01") && traceparent != inbound);
        assert_ne!(&traceparent[36..52], answer.header("x-argus-span-id"));
        assert_eq!(received.header("tracestate"), "a=1,b=2");
    });
}

#[test]
fn a_failure_that_may_pass_is_asked_about_again_and_no_other() {
    let limits = Limits { pause: Duration::ZERO, failures: u32::MAX, ..Limits::default() };
    with_osint(nothing(), limits, |scene, provider| async move {
        for status in [429, 502, 503, 504] {
            let fail = || Deed::Reply(status, "retry-after: 0\r\n", String::new());
            provider.next([fail(), fail()]);
            assert_eq!(scene.ask().await, "answered", "{status}");
            assert_eq!(provider.received().len(), 3);
        }
        let fail = || Deed::Reply(503, "", String::new());
        provider.next([fail(), fail(), fail()]);
        assert_eq!(scene.ask().await, "unavailable");
        assert_eq!(provider.received().len(), 3, "three times at most");
    });
}

#[test]
fn a_system_that_is_down_is_not_asked_much_more_often_than_there_are_questions() {
    let limits = Limits { pause: Duration::ZERO, failures: u32::MAX, ..Limits::default() };
    with_osint(Deed::Reply(503, "", String::new()), limits, |scene, provider| async move {
        for _ in 0..100 {
            assert_eq!(scene.ask().await, "unavailable");
        }
        // 10 repetitions in 10 seconds need not be earned, and each fifth question earns one.
        let (sent, most) = (provider.received().len(), 100 + 10 + 100 / 5);
        assert!(sent > 100 && sent <= most + 10, "{sent}");
    });
}

#[test]
fn a_system_that_fails_again_and_again_is_left_alone_and_then_asked_once() {
    run_on_sqlite(|installation: Installation| async move {
        let provider = TestProvider::start("t", Deed::Reply(500, "", String::new())).await;
        let clock = Clock::standing(Utc::now());
        let limits = Limits { failures: 3, attempt: SHORT, ..Limits::default() };
        let scene = Scene::limited(installation, &[(System::Osint, &provider)], limits, clock.clone()).await;
        scene.put("p1", ProfileKind::Entity).await;
        for asked in [1, 1, 1, 0, 0] {
            assert_eq!(scene.ask().await, "unavailable");
            assert_eq!(provider.received().len(), asked);
        }
        // However a probe fails, the next one is due after the same time.
        for (probe, status) in [
            (Deed::Reply(500, "", String::new()), "unavailable"),
            (Deed::Reply(422, "", String::new()), "refused"),
            (Deed::Write(Vec::new()), "unavailable"),
            (Deed::Hang, "unavailable"),
        ] {
            clock.advance(TimeDelta::seconds(29));
            assert_eq!(scene.ask().await, "unavailable");
            assert_eq!(provider.received().len(), 0, "{probe:?}");
            clock.advance(TimeDelta::seconds(1));
            provider.next([probe]);
            assert_eq!(scene.ask().await, status);
            assert_eq!(provider.received().len(), 1);
            assert_eq!(scene.ask().await, "unavailable");
            assert_eq!(provider.received().len(), 0);
        }
        clock.advance(TimeDelta::seconds(30));
        provider.usually(nothing());
        for _ in 0..3 {
            assert_eq!(scene.ask().await, "answered");
        }
    });
}

#[test]
fn of_a_hundred_callers_one_asks_whether_a_system_is_back() {
    run_on_sqlite(|installation: Installation| async move {
        let (scene, provider, _) = Scene::about_to_ask_again(installation).await;
        let may_answer = Arc::new(Semaphore::new(0));
        provider.usually(Deed::Wait(Arc::clone(&may_answer), json!({"findings": []}).to_string()));
        let ended = AtomicUsize::new(0);
        let callers = join_all((0..100).map(async |_| {
            let status = scene.ask().await;
            if ended.fetch_add(1, Ordering::SeqCst) == 98 {
                may_answer.add_permits(1);
            }
            status
        }));
        let answers = callers.await;
        assert_eq!(answers.iter().filter(|status| *status == "answered").count(), 1);
        assert_eq!(provider.received().len(), 1);
    });
}

#[test]
fn a_probe_whose_caller_has_gone_gives_its_place_back() {
    run_on_sqlite(|installation: Installation| async move {
        let (scene, provider, clock) = Scene::about_to_ask_again(installation).await;
        provider.usually(Deed::Hang);
        // A live handler goes on when its caller has gone; a job that is cancelled does not.
        let app = scene.server.state();
        let context = live_context(&scene, false);
        let asking = profiles::enrich(&app.database.requests, &app.connectors, &context, "p1", &[]);
        let until_asked = async {
            while provider.busy() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = asking => panic!("it hangs"),
            () = until_asked => {}
        }
        provider.usually(nothing());
        assert_eq!(scene.ask().await, "unavailable");
        clock.advance(TimeDelta::seconds(30));
        assert_eq!(scene.ask().await, "answered");
    });
}

/// A live context of the caller's tenant, with a token that is one or is not.
fn live_context(scene: &Scene, is_sandboxed: bool) -> Context<Live> {
    let Caller { tenancy, .. } = &scene.caller;
    let operator = Context::of_operator(
        tenancy.tenant_id.parse().unwrap(),
        tenancy.organization_id.parse().unwrap(),
        scene.server.state().clock.clone(),
    );
    let mut invocation = operator.invocation().clone();
    invocation.principal = Arc::new(Principal { is_sandboxed, ..Principal::clone(&invocation.principal) });
    invocation.trace = Some(argus_core::context::Trace::begin());
    Context::new(invocation, Live)
}

#[test]
fn a_caller_with_a_sandbox_token_is_refused_by_the_connector_itself() {
    with_osint(nothing(), Limits::default(), |scene, provider| async move {
        let app = scene.server.state();
        let (store, connectors) = (&app.database.requests, &app.connectors);
        let refused = profiles::enrich(store, connectors, &live_context(&scene, true), "p1", &[]).await;
        let Err(argus_partner::Error::Refused { code, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!((code, code.status()), (ErrorCode::SandboxTokenOnLiveHost, 403));
        assert_eq!(provider.received().len(), 0, "nothing is sent");
        profiles::enrich(store, connectors, &live_context(&scene, false), "p1", &[]).await.unwrap();
        assert_eq!(provider.received().len(), 1);
    });
}

#[test]
fn only_so_many_questions_are_under_way_to_a_system() {
    let limits = Limits { concurrency: 2, ..Limits::default() };
    let may_answer = Arc::new(Semaphore::new(0));
    with_osint(
        Deed::Wait(Arc::clone(&may_answer), json!({"findings": []}).to_string()),
        limits,
        |scene, provider| async move {
            let asked = join_all((0..6).map(|_| scene.ask()));
            let watched = async {
                while provider.busy() < 2 {
                    tokio::task::yield_now().await;
                }
                // The others have come as far as they get while this goes there and back.
                for _ in 0..30 {
                    scene.view("p1").await;
                }
                may_answer.add_permits(6);
            };
            let (answers, ()) = tokio::join!(asked, watched);
            assert_eq!(answers, ["answered"; 6]);
            assert_eq!(provider.busiest(), 2);
        },
    );
}

#[test]
fn a_request_ends_in_time_whatever_the_systems_do() {
    run_on_sqlite(|installation: Installation| async move {
        let hanging = TestProvider::start("t", Deed::Hang).await;
        let limits = Limits { attempt: Duration::from_secs(600), question: SHORT, ..Limits::default() };
        let systems = System::ALL.map(|system| (system, &hanging));
        let scene = Scene::limited(installation, &systems, limits, Clock::system()).await;
        scene.put("p1", ProfileKind::Wallet).await;
        let began = Instant::now();
        let enrichment = scene.enrich("p1", &[]).await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        for source in ["osint", "finance"] {
            let message = "it did not answer in time; try again later";
            let outcome = json!({"source": source, "status": "unavailable", "message": message});
            assert_eq!(outcome_of(&enrichment, source), &outcome);
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_with_a_provider_enriches_over_a_real_socket() {
    let directory = tempfile::TempDir::new().unwrap();
    let process = TestProcess::start(binary(), &["dev", "--with-provider"], directory);
    let (tenancy, reach): (_, &Reach) = (process.tenancy(), &process);
    let form = [("grant_type", "client_credentials")];
    let basic = (process.ready_text("client_id"), process.ready_text("client_secret"));
    let token = reach.token_request(&form, Some(basic)).await.expect(200).text("access_token");
    let caller = Caller { host: Host::Api, token, tenancy };
    let profiles = json!([
        {"id": "p1", "kind": "wallet", "display_name": "Wallet p1"},
        {"id": "i1", "kind": "incident", "display_name": "Incident i1"},
    ]);
    made(&caller, &json!({"kind": "import.bulk", "payload": {"profiles": profiles}})).await;
    let first = caller.post("/v1/profiles/p1/enrich", &json!({})).await.expect(200).json();
    assert_eq!((status_of(&first, "osint"), status_of(&first, "finance")), ("answered", "answered"));
    assert_eq!(first["findings"].as_array().unwrap().len(), 2);
    let again = caller.post("/v1/profiles/p1/enrich", &json!({})).await.expect(200).json();
    assert_eq!((&again["findings"], &again["risk"]), (&first["findings"], &first["risk"]));
    let job = json!({"kind": "intelligence.enrich.bulk", "payload": {"profile_ids": ["p1"]}});
    let line: Value = serde_json::from_str(&made(&caller, &job).await).unwrap();
    assert_eq!(line["findings"], first["findings"]);
    caller.post("/v1/profiles/i1/enrich", &json!({})).await.expect(200);
    let incident = &caller.get("/v1/profiles/i1").await.expect(200).json()["incident"];
    assert!(incident["status"].is_string() && incident["summary"].is_string(), "{incident}");
    let said = process.stdout();
    assert!(
        said.contains("stands in for each of the systems finance, osint, dispatch and telemetry"),
        "{said}"
    );
    let (ended, _directory) = process.stop();
    assert!(ended.status.success(), "{}", ended.stderr);
}
