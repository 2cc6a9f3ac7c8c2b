//! Incidents on the live host, from whoever says how one is to the receivers that are told of it: imports, enrichments
//! through the dispatch system, and the operator's command.

use super::jobs::{JOBS, ended, enqueue, import, made, upload};
use super::support::binary;
use super::webhooks::{WEBHOOKS, beside, listed, subscribe, text, verify};
use argus_core::context::{Context, Live, Principal};
use argus_core::{audit, tenants};
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_partner::connectors::System;
use argus_partner::incidents::Refresh;
use argus_tests::{
    Caller, Deed, Installation, Receiver, TestProvider, TestServer, on_both_engines, published,
    run_on_sqlite, sql,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

on_both_engines! {
    a_new_a_changed_and_a_closed_incident_are_told_and_an_unchanged_one_is_not
    an_import_that_says_no_state_leaves_it_and_another_kind_has_none
    of_rows_with_one_identifier_each_is_told_in_its_order
    whoever_is_not_cleared_for_an_incident_is_told_nothing_of_it
    the_state_of_anything_but_an_incident_is_refused_with_its_line
    an_import_that_is_tried_again_tells_each_change_once
    imports_of_the_same_incidents_at_the_same_time_tell_each_change_once
    an_enrichment_tells_what_dispatch_says_of_an_incident
    an_answer_about_what_is_past_does_not_open_an_incident_again
    an_operator_asks_about_the_open_incidents_and_what_is_new_is_told
    an_operator_asks_about_the_incidents_that_are_named
    an_operator_is_told_why_nothing_was_asked
}

const PROFILES: [Scope; 2] = [Scope::ProfilesRead, Scope::ProfilesWrite];

/// A server with somebody who works on incidents, and a receiver that is told of them.
struct Scene {
    server: TestServer,
    worker: Caller,
    subscriber: Caller,
    receiver: Receiver,
    webhook: Value,
    marks: AtomicUsize,
}

/// What is told, of whom, and how that is now.
type Told = (&'static str, &'static str, &'static str);

const UPDATED: &str = "incident.updated";
const CLOSED: &str = "incident.closed";

impl Scene {
    async fn open(installation: Installation) -> Self {
        let server = TestServer::from(installation);
        let worker = server.caller(Host::Api, &[&JOBS[..], &PROFILES].concat()).await;
        let worker = cleared(&server, &worker, SecrecyLevel::Secret);
        let subscriber = beside(&server, &worker, Host::Auth, &WEBHOOKS);
        let receiver = Receiver::start().await;
        let webhook = subscribe(&subscriber, &receiver, &[UPDATED, CLOSED]).await;
        Self { server, worker, subscriber, receiver, webhook, marks: AtomicUsize::new(0) }
    }

    /// The same with a dispatch system.
    async fn with_dispatch(mut installation: Installation, provider: &TestProvider) -> Self {
        installation.settings.connectors.providers.insert(System::Dispatch, provider.provider());
        Self::open(installation).await
    }

    async fn import(&self, profiles: &[Value]) {
        let report: Value =
            serde_json::from_str(&made(&self.worker, &import(&json!(profiles))).await).unwrap();
        assert_eq!(report, json!({"errors": [], "imported": profiles.len(), "refused": 0}));
    }

    async fn incident_of(&self, id: &str) -> Value {
        self.worker.get(&format!("/v1/profiles/{id}")).await.expect(200).json()["incident"].clone()
    }

    /// Asserts what was told until now, in its order, and nothing else; each delivery fits its published schema.
    async fn assert_told(&self, expected: &[Told]) {
        // Deliveries are made in the order of events: once this one was delivered, nothing is still to come.
        let mark = format!("mark-{}", self.marks.fetch_add(1, Ordering::Relaxed));
        self.import(&[incident(&mark, "on scene")]).await;
        let is_mark = |delivery: &Value| text(&delivery["request"], "body").contains(&format!("\"{mark}\""));
        let all_came = |deliveries: &[Value]| {
            let came = deliveries.iter().all(|delivery| delivery["status"] == "succeeded");
            came && deliveries.iter().any(is_mark)
        };
        let deliveries = listed(&self.subscriber, text(&self.webhook, "id"), all_came).await;
        let came = self.receiver.came();
        assert_eq!(came.len(), deliveries.len());
        let mut events = Vec::new();
        for delivery in &came {
            let event = delivery.json();
            assert_eq!(verify(delivery, text(&self.webhook, "secret")), Ok(()));
            published::assert_delivers(text(&event, "type"), &delivery.headers, &delivery.body);
            events.push((event["sequence"].as_u64().unwrap(), event));
        }
        events.sort_by_key(|(sequence, _)| *sequence);
        let told = events.iter().map(|(_, event)| {
            let data = &event["data"];
            (text(event, "type"), text(data, "id"), text(data, "status"))
        });
        let told: Vec<_> = told.filter(|(_, id, _)| !id.starts_with("mark-")).collect();
        assert_eq!(told, expected);
    }

    /// How many deliveries there are, once all of them have succeeded.
    async fn delivered(&self) -> usize {
        let succeeded =
            |deliveries: &[Value]| deliveries.iter().all(|delivery| delivery["status"] == "succeeded");
        listed(&self.subscriber, text(&self.webhook, "id"), succeeded).await.len()
    }

    /// Runs `argus incidents refresh`: the exit status, and what it says.
    fn refresh(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.server.command(binary(), &[&["incidents", "refresh"], arguments].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    fn tenant(&self) -> &str {
        &self.worker.tenancy.tenant_id
    }

    /// The same for the scene's tenant, with this dispatch system.
    fn refresh_at(&self, provider: &TestProvider, ids: &[&str]) -> (i32, Vec<String>) {
        let url = provider.url();
        let arguments = [&["--tenant", self.tenant(), "--dispatch-url", &url, "--dispatch-token", "t"], ids];
        let (code, said) = self.refresh(&arguments.concat());
        (code, said.lines().map(str::to_owned).collect())
    }
}

/// The same caller with another clearance.
fn cleared(server: &TestServer, caller: &Caller, secrecy_level: SecrecyLevel) -> Caller {
    let mut claims = server.claims(caller.host, &caller.tenancy.tenant_id, &[&JOBS[..], &PROFILES].concat());
    claims.organization_id.clone_from(&caller.tenancy.organization_id);
    claims.secrecy_level = secrecy_level;
    Caller { host: caller.host, token: server.sign(&claims), tenancy: caller.tenancy.clone() }
}

fn incident(id: &str, status: &str) -> Value {
    json!({
        "id": id, "kind": "incident", "display_name": format!("Fire {id}"),
        "incident": {"status": status, "severity": "high", "summary": "Units came."},
    })
}

/// The same profile with another member.
fn with(mut profile: Value, member: &str, value: Value) -> Value {
    profile.pointer_mut(member.rsplit_once('/').unwrap().0).unwrap()[member.rsplit('/').next().unwrap()] =
        value;
    profile
}

/// An answer of a dispatch system that says the state of whatever incident it is asked about.
fn says(status: &str) -> Deed {
    let incident = json!({"status": status, "severity": "critical", "summary": "Second alarm.", "units": 5});
    Deed::Reply(200, "", json!({"findings": [], "incident": incident}).to_string())
}

async fn a_new_a_changed_and_a_closed_incident_are_told_and_an_unchanged_one_is_not(
    installation: Installation,
) {
    let scene = Scene::open(installation).await;
    let [changed, closed, same, bare] =
        ["changed", "closed", "same", "bare"].map(|id| incident(id, "on scene"));
    let bare = with(bare, "/incident", json!({"status": "on scene", "severity": "low"}));
    let wallet = json!({"id": "w", "kind": "wallet", "display_name": "A wallet"});
    scene.import(&[changed.clone(), closed.clone(), same.clone(), bare.clone(), wallet.clone()]).await;
    let first = [
        (UPDATED, "changed", "on scene"),
        (UPDATED, "closed", "on scene"),
        (UPDATED, "same", "on scene"),
        (UPDATED, "bare", "on scene"),
    ];
    scene.assert_told(&first).await;
    let came = scene.receiver.came();
    let data = came.iter().map(|delivery| delivery.json()["data"].clone());
    let mut data: Vec<Value> = data.filter(|data| data["id"] == "changed" || data["id"] == "bare").collect();
    data.sort_by_key(|data| data["id"].to_string());
    for (data, (severity, summary)) in data.iter().zip([("low", Value::Null), ("high", json!("Units came."))])
    {
        let id = text(data, "id");
        let viewed = scene.worker.get(&format!("/v1/profiles/{id}")).await.expect(200).json();
        let state = json!({"status": "on scene", "severity": severity, "summary": summary});
        assert_eq!(viewed["incident"], state);
        let expected = json!({
            "id": id, "title": format!("Fire {id}"), "status": "on scene", "severity": severity,
            "summary": summary, "updated_at": viewed["updated_at"],
        });
        assert_eq!(data, &expected);
    }
    assert_eq!(scene.incident_of("w").await, Value::Null);
    // Another name is no other state, and each part of a state is one.
    let renamed = with(same, "/display_name", json!("Another name"));
    let over = incident("closed", "closed");
    scene.import(&[with(changed.clone(), "/incident/severity", json!("low")), over.clone(), renamed]).await;
    scene
        .import(&[with(changed, "/incident/summary", json!("All are well.")), over.clone(), bare, wallet])
        .await;
    scene.import(&[with(over.clone(), "/incident/summary", Value::Null), incident("late", "closed")]).await;
    scene.import(&[incident("closed", "on scene")]).await;
    scene.import(&[over]).await;
    let then = [
        (UPDATED, "changed", "on scene"),
        (CLOSED, "closed", "closed"),
        (UPDATED, "changed", "on scene"),
        (UPDATED, "closed", "closed"),
        (CLOSED, "late", "closed"),
        (UPDATED, "closed", "on scene"),
        (CLOSED, "closed", "closed"),
    ];
    scene.assert_told(&[&first[..], &then].concat()).await;
}

async fn an_import_that_says_no_state_leaves_it_and_another_kind_has_none(installation: Installation) {
    let scene = Scene::open(installation).await;
    let silent = json!({"id": "i1", "kind": "incident", "display_name": "Fire i1"});
    scene.import(std::slice::from_ref(&silent)).await;
    assert_eq!(scene.incident_of("i1").await, Value::Null, "nobody has said it");
    scene.import(&[incident("i1", "on scene")]).await;
    scene.import(std::slice::from_ref(&silent)).await;
    assert_eq!(scene.incident_of("i1").await["status"], "on scene");
    scene.import(&[incident("i1", "on scene")]).await;
    scene.assert_told(&[(UPDATED, "i1", "on scene")]).await;
    scene.import(&[json!({"id": "i1", "kind": "device", "display_name": "A device"})]).await;
    scene.import(&[silent]).await;
    assert_eq!(scene.incident_of("i1").await, Value::Null);
}

async fn of_rows_with_one_identifier_each_is_told_in_its_order(installation: Installation) {
    let scene = Scene::open(installation).await;
    let rows = ["dispatched", "on scene", "on scene", "closed"].map(|status| incident("i1", status));
    scene.import(&rows).await;
    let told = [(UPDATED, "i1", "dispatched"), (UPDATED, "i1", "on scene"), (CLOSED, "i1", "closed")];
    scene.assert_told(&told).await;
}

async fn whoever_is_not_cleared_for_an_incident_is_told_nothing_of_it(installation: Installation) {
    let scene = Scene::open(installation).await;
    let mut claims = scene.server.claims(Host::Auth, scene.tenant(), &WEBHOOKS);
    claims.organization_id.clone_from(&scene.worker.tenancy.organization_id);
    claims.secrecy_level = SecrecyLevel::Secret;
    let tenancy = scene.worker.tenancy.clone();
    let knowing = Caller { host: Host::Auth, token: scene.server.sign(&claims), tenancy };
    let receiver = Receiver::start().await;
    subscribe(&knowing, &receiver, &[UPDATED, CLOSED]).await;
    let hidden = with(incident("hidden", "on scene"), "/secrecy_level", json!("secret"));
    let mut job = import(&json!([hidden, with(hidden.clone(), "/incident/status", json!("closed"))]));
    job["secrecy_level"] = json!("secret");
    made(&scene.worker, &job).await;
    scene.assert_told(&[]).await;
    let told = receiver.wait_for(3).await;
    let ids: Vec<Value> = told.iter().map(|delivery| delivery.json()["data"]["id"].clone()).collect();
    assert_eq!(ids.iter().filter(|id| *id == "hidden").count(), 2, "{ids:?}");
}

async fn the_state_of_anything_but_an_incident_is_refused_with_its_line(installation: Installation) {
    let scene = Scene::open(installation).await;
    let wallet = with(incident("w", "on scene"), "/kind", json!("wallet"));
    let refused = scene.worker.post("/v1/jobs", &import(&json!([incident("i1", "on scene"), wallet]))).await;
    let message = refused.expect_error(400, "invalid_request");
    assert_eq!(message, "`payload.profiles[1].incident` goes with the kind `incident` alone");
    let mistaken = with(incident("i2", "on scene"), "/incident/severity", json!("worst"));
    let lines = [incident("i1", "on scene"), wallet, mistaken].map(|profile| profile.to_string()).join("\n");
    let rows = "id,kind,display_name,incident_status,incident_severity,incident_summary\r\n\
        i1,incident,Fire i1,on scene,high,Units came.\r\n\
        w,wallet,A wallet,on scene,high,\r\n\
        i2,incident,Fire i2,,high,\r\n";
    for (format, file, [first, second]) in [("ndjson", &*lines, [2, 3]), ("csv", rows, [3, 4])] {
        let upload_ref = upload(&scene.worker, file.as_bytes().to_vec()).await;
        let payload = json!({"upload_ref": upload_ref, "format": format});
        let report = made(&scene.worker, &json!({"kind": "import.bulk", "payload": payload})).await;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&report["imported"], &report["refused"]), (&json!(1), &json!(2)), "{report}");
        for (error, line) in report["errors"].as_array().unwrap().iter().zip([first, second]) {
            assert_eq!(error["line"], line);
            assert!(text(error, "message").contains("incident"), "{error}");
        }
    }
    scene.assert_told(&[(UPDATED, "i1", "on scene")]).await;
}

async fn an_import_that_is_tried_again_tells_each_change_once(installation: Installation) {
    /// More than one batch, of which the second one meets a fault.
    const ROWS: usize = 600;
    const FAULT: &str = "CREATE UNIQUE INDEX fault ON profiles (display_name) WHERE display_name = 'twice'";
    let scene = Scene::open(installation).await;
    let execute = |statement: &str| sql::execute(&mut scene.server.connect(), statement).unwrap();
    let mut rows: Vec<Value> = (0..ROWS).map(|row| incident(&format!("i{row}"), "closed")).collect();
    for row in [ROWS - 2, ROWS - 1] {
        rows[row]["display_name"] = json!("twice");
    }
    execute(FAULT);
    let id = enqueue(&scene.worker, &import(&json!(rows))).await;
    assert_eq!(ended(&scene.worker, &id).await["status"], "failed");
    execute("DROP INDEX fault");
    let kept = "SELECT id AS line FROM profiles WHERE incident_status = 'closed'";
    assert_eq!(sql::lines(&mut scene.server.connect(), kept).unwrap().len(), 500, "what was told is kept");
    scene.import(&rows).await;
    // As a worker leaves a job that is killed between its last batch and its end.
    let done = enqueue(&scene.worker, &import(&json!(rows))).await;
    assert_eq!(ended(&scene.worker, &done).await["status"], "succeeded");
    execute(&format!(
        "UPDATE jobs SET status = 'queued', completed_at = NULL, attempts = 0, result_key = NULL, cleanup_at = NULL \
         WHERE id = '{done}'"
    ));
    assert_eq!(ended(&scene.worker, &done).await["status"], "succeeded");
    scene.import(&[incident("last", "on scene")]).await;
    // Deliveries are made in the order of events.
    let last = "SELECT id AS line FROM deliveries WHERE body LIKE '%\"last\"%'";
    argus_tests::look_for(|| sql::lines(&mut scene.server.connect(), last).unwrap().pop()).unwrap();
    let all = sql::lines(&mut scene.server.connect(), "SELECT id AS line FROM deliveries").unwrap();
    assert_eq!(all.len(), ROWS + 1);
    let told = scene.receiver.wait_for(ROWS + 1).await;
    let ids: HashSet<String> =
        told.iter().map(|delivery| delivery.json()["data"]["id"].to_string()).collect();
    assert_eq!(ids.len(), ROWS + 1);
}

async fn imports_of_the_same_incidents_at_the_same_time_tell_each_change_once(installation: Installation) {
    let scene = Scene::open(installation).await;
    let ids = ["i1", "i2", "i3", "i4"];
    for status in ["on scene", "closed"] {
        let rows: Vec<Value> = ids.iter().map(|id| incident(id, status)).collect();
        let reversed: Vec<Value> = rows.iter().rev().cloned().collect();
        tokio::join!(scene.import(&rows), scene.import(&reversed), scene.import(&rows));
    }
    scene.import(&[incident("last", "on scene")]).await;
    let came = scene.receiver.wait_for(9).await;
    assert_eq!(came.len(), 9);
    let closed = came.iter().filter(|delivery| delivery.json()["type"] == CLOSED).count();
    assert_eq!(closed, 4);
    assert_eq!(scene.delivered().await, 9);
}

async fn an_enrichment_tells_what_dispatch_says_of_an_incident(installation: Installation) {
    let dispatch = TestProvider::start("t", says("on scene")).await;
    let scene = Scene::with_dispatch(installation, &dispatch).await;
    let silent = |id: &str| json!({"id": id, "kind": "incident", "display_name": format!("Fire {id}")});
    scene.import(&[silent("i1"), silent("i2")]).await;
    let enrich = async |sources: &[&str]| {
        let body = json!({ "sources": sources });
        scene.worker.post("/v1/profiles/i1/enrich", &body).await.expect(200).json()
    };
    // What the system says beside an answer of another source is none of dispatch's.
    enrich(&["epcr"]).await;
    assert_eq!(scene.incident_of("i1").await, Value::Null);
    for _ in 0..2 {
        enrich(&[]).await;
    }
    let state = json!({"status": "on scene", "severity": "critical", "summary": "Second alarm."});
    assert_eq!(scene.incident_of("i1").await, state);
    let job = json!({"kind": "intelligence.enrich.bulk", "payload": {"profile_ids": ["i2", "i1"]}});
    made(&scene.worker, &job).await;
    // An answer without a state, and one that cannot be used, leave it as it is.
    let unusable = json!({"findings": [], "incident": {"status": "", "severity": "low"}}).to_string();
    for (deed, status) in [
        (Deed::Find(json!([])), "answered"),
        (Deed::Reply(200, "", unusable), "unavailable"),
        (says("closed"), "answered"),
    ] {
        assert_eq!(scene.incident_of("i1").await, state);
        dispatch.usually(deed);
        assert_eq!(enrich(&["dispatch"]).await["outcomes"][0]["status"], status);
    }
    let told = [(UPDATED, "i1", "on scene"), (UPDATED, "i2", "on scene"), (CLOSED, "i1", "closed")];
    scene.assert_told(&told).await;
}

async fn an_answer_about_what_is_past_does_not_open_an_incident_again(installation: Installation) {
    let may_answer = Arc::new(Semaphore::new(0));
    let Deed::Reply(_, _, on_scene) = says("on scene") else { unreachable!() };
    let dispatch = TestProvider::start("t", Deed::Wait(Arc::clone(&may_answer), on_scene)).await;
    let scene = Scene::with_dispatch(installation, &dispatch).await;
    scene.import(&[incident("i1", "on scene")]).await;
    let enriching = async {
        let body = json!({"sources": ["dispatch"]});
        scene.worker.post("/v1/profiles/i1/enrich", &body).await.expect(200)
    };
    let closing = async {
        while dispatch.received().is_empty() {
            tokio::task::yield_now().await;
        }
        scene.import(&[incident("i1", "closed")]).await;
        may_answer.add_permits(1);
    };
    tokio::join!(enriching, closing);
    assert_eq!(scene.incident_of("i1").await["status"], "closed");
    scene.assert_told(&[(UPDATED, "i1", "on scene"), (CLOSED, "i1", "closed")]).await;
}

async fn an_operator_asks_about_the_open_incidents_and_what_is_new_is_told(installation: Installation) {
    let scene = Scene::open(installation).await;
    let dispatch = TestProvider::start("t", says("on scene")).await;
    let silent = json!({"id": "i2", "kind": "incident", "display_name": "Fire i2"});
    let mut job = import(&json!([
        incident("i1", "dispatched"),
        silent,
        incident("i3", "closed"),
        with(silent.clone(), "/id", json!("i4")),
        {"id": "w", "kind": "wallet", "display_name": "A wallet"},
    ]));
    job["payload"]["profiles"][3]["secrecy_level"] = json!("secret");
    job["secrecy_level"] = json!("secret");
    for profile in [0, 1, 2, 4] {
        job["payload"]["profiles"][profile]["secrecy_level"] = json!("standard");
    }
    made(&scene.worker, &job).await;
    let lines =
        |outcome: &str, state: &str| ["i1", "i2", "i4"].map(|id| format!("{id}  {outcome:10}  {state}"));
    let critical = "critical  on scene";
    assert_eq!(scene.refresh_at(&dispatch, &[]), (0, lines("updated", critical).to_vec()));
    let asked = dispatch.received();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|asked| asked.question["sources"] == json!(["dispatch"])), "{asked:?}");
    assert!(asked.iter().all(|asked| asked.header("traceparent").starts_with("00-")), "{asked:?}");
    assert_eq!(scene.refresh_at(&dispatch, &[]), (0, lines("unchanged", critical).to_vec()));
    dispatch.usually(Deed::Find(json!([])));
    assert_eq!(scene.refresh_at(&dispatch, &[]), (0, lines("unknown", critical).to_vec()));
    dispatch.usually(Deed::Reply(401, "", "{}".to_owned()));
    let (code, said) = scene.refresh_at(&dispatch, &[]);
    assert!(code == 2 && said.len() == 4, "{said:?}");
    assert!(
        said[0].starts_with("i1  unanswered  critical  on scene  it did not take the question"),
        "{said:?}"
    );
    assert!(said[3].contains("3 of 3 incidents"), "{said:?}");
    dispatch.usually(says("closed"));
    assert_eq!(scene.refresh_at(&dispatch, &[]), (0, lines("closed", "critical  closed").to_vec()));
    assert_eq!(scene.refresh_at(&dispatch, &[]), (0, Vec::new()), "none is open");
    let told = [
        (UPDATED, "i1", "dispatched"),
        (CLOSED, "i3", "closed"),
        (UPDATED, "i1", "on scene"),
        (UPDATED, "i2", "on scene"),
        (CLOSED, "i1", "closed"),
        (CLOSED, "i2", "closed"),
    ];
    scene.assert_told_in_any_order(&told).await;
    assert_eq!(scene.incident_of("i4").await["status"], "closed");
    assert_eq!(scene.audited().await, ["operator i1", "operator i2", "operator i4"]);
}

impl Scene {
    /// The same where incidents are asked about at the same time.
    async fn assert_told_in_any_order(&self, expected: &[Told]) {
        self.import(&[incident("mark", "on scene")]).await;
        let came = self.receiver.wait_for(expected.len() + 1).await;
        let told = came.iter().map(|delivery| {
            let event = delivery.json();
            [&event["type"], &event["data"]["id"], &event["data"]["status"]]
                .map(|text| text.as_str().unwrap().to_owned())
        });
        let mut told: Vec<[String; 3]> = told.filter(|[_, id, _]| id != "mark").collect();
        let mut expected: Vec<[String; 3]> =
            expected.iter().map(|(event, id, status)| [*event, *id, *status].map(str::to_owned)).collect();
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
    }

    /// Who has enriched which profile.
    async fn audited(&self) -> Vec<String> {
        let app = self.server.state();
        let tenant = tenants::view(&app.database.requests, &self.tenant().parse().unwrap()).await.unwrap();
        let context = tenant.operator(&app.clock);
        let events = app
            .database
            .requests
            .read(&context, |reader| Ok::<_, argus_core::Error>(audit::list(reader, 100)?));
        let events = events.await.unwrap().into_iter().filter(|event| event.action == "incident.refresh");
        let mut events: Vec<String> =
            events.map(|event| format!("{} {}", event.actor, event.subject)).collect();
        events.sort_unstable();
        events.dedup();
        events
    }
}

async fn an_operator_asks_about_the_incidents_that_are_named(installation: Installation) {
    let scene = Scene::open(installation).await;
    let dispatch = TestProvider::start("t", says("on scene")).await;
    scene
        .import(&[incident("i1", "closed"), incident("i2", "dispatched"), incident("i3", "dispatched")])
        .await;
    let lines = ["i1", "i3"].map(|id| format!("{id}  updated     critical  on scene"));
    assert_eq!(scene.refresh_at(&dispatch, &["i1", "i3"]), (0, lines.to_vec()));
    let told = [
        (CLOSED, "i1", "closed"),
        (UPDATED, "i2", "dispatched"),
        (UPDATED, "i3", "dispatched"),
        (UPDATED, "i1", "on scene"),
        (UPDATED, "i3", "on scene"),
    ];
    scene.assert_told_in_any_order(&told).await;
}

async fn an_operator_is_told_why_nothing_was_asked(installation: Installation) {
    let scene = Scene::open(installation).await;
    let dispatch = TestProvider::start("t", says("on scene")).await;
    scene
        .import(&[incident("i1", "dispatched"), json!({"id": "w", "kind": "wallet", "display_name": "W"})])
        .await;
    let (code, said) = scene.refresh(&["--tenant", scene.tenant()]);
    assert!(code == 2 && said.contains("no dispatch system") && said.contains("--dispatch-url"), "{said}");
    let url = dispatch.url();
    let at = ["--dispatch-url", &url, "--dispatch-token", "t"];
    let another = scene.server.caller(Host::Api, &PROFILES).await.tenancy.tenant_id;
    for (tenant, ids, reason) in [
        ("nonsense", &[][..], "a tenant is named as in"),
        ("tnt_01jx0000000000000000000000", &[], "no such tenant"),
        (scene.tenant(), &["i1", "i9", "w"], "the tenant has no incident i9, w; nothing was asked"),
        (scene.tenant(), &["i 1"], "`i 1`: an identifier has"),
        (&another, &["i1"], "the tenant has no incident i1"),
    ] {
        let (code, said) = scene.refresh(&[&["--tenant", tenant], &at[..], ids].concat());
        assert!(code == 2 && said.contains(reason), "{said}");
    }
    let (code, said) = scene.refresh(&["--tenant", scene.tenant(), "--dispatch-url", &url]);
    assert!(code == 2 && said.contains("a `url` needs a `token`"), "{said}");
    assert_eq!(dispatch.received().len(), 0);
    scene.assert_told(&[(UPDATED, "i1", "dispatched")]).await;
}

#[test]
fn every_open_incident_is_asked_about_once_however_many_there_are() {
    run_on_sqlite(|installation: Installation| async move {
        let scene = Scene::open(installation).await;
        const INCIDENTS: usize = 501;
        let dispatch = TestProvider::start("t", says("closed")).await;
        let silent = (0..INCIDENTS)
            .map(|number| json!({"id": format!("i{number:03}"), "kind": "incident", "display_name": "Fire"}));
        scene.import(&silent.collect::<Vec<_>>()).await;
        let (code, lines) = scene.refresh_at(&dispatch, &[]);
        let ids = lines.iter().map(|line| line.split(' ').next().unwrap().to_owned());
        let expected = (0..INCIDENTS).map(|number| format!("i{number:03}"));
        assert!(code == 0 && ids.eq(expected), "{lines:?}");
        assert_eq!(dispatch.received().len(), INCIDENTS);
    });
}

#[test]
fn a_caller_with_a_sandbox_token_asks_about_no_incident() {
    run_on_sqlite(|installation: Installation| async move {
        let dispatch = TestProvider::start("t", says("on scene")).await;
        let scene = Scene::with_dispatch(installation, &dispatch).await;
        scene.server.put_profile(scene.tenant(), "i1", ProfileKind::Incident, SecrecyLevel::Standard).await;
        let app = scene.server.state();
        let (store, connectors) = (&app.database.requests, &app.connectors);
        let tenant = tenants::view(store, &scene.tenant().parse().unwrap()).await.unwrap();
        let operator = tenant.cleared_operator(&app.clock);
        let mut invocation = operator.invocation().clone();
        invocation.principal =
            Arc::new(Principal { is_sandboxed: true, ..Principal::clone(&invocation.principal) });
        let sandboxed = Context::new(invocation, Live);
        let ids = ["i1".to_owned()];
        let refused = Refresh { store, connectors, context: &sandboxed }.of(&ids).await;
        let [Err(argus_partner::Error::Refused { code, .. })] = &refused[..] else { panic!("{refused:?}") };
        assert_eq!((*code, dispatch.received().len()), (ErrorCode::SandboxTokenOnLiveHost, 0));
        let refreshed = Refresh { store, connectors, context: &operator }.of(&ids).await;
        assert!(refreshed.iter().all(Result::is_ok), "{refreshed:?}");
        assert_eq!(dispatch.received().len(), 1);
    });
}
