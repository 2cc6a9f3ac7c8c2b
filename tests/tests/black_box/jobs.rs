//! Jobs on the live host, over HTTP, with the real kinds: accepted, done, fetched, cancelled, kept from others.

use super::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_partner::sweeper::Sweeper;
use argus_server::settings::Role;
use argus_tests::{
    Answer, Caller, Installation, TOLD, TestServer, keep_what_is_told, on_both_engines, run_on_postgres, sql,
};
use http::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

on_both_engines! {
    an_import_is_done_and_its_result_can_be_fetched
    what_was_imported_is_exported_again_in_either_format
    an_export_in_one_format_is_an_import_of_the_same_profiles
    an_upload_is_imported_row_by_row
    a_graph_is_computed_over_the_imported_relations
    an_enrichment_says_of_each_source_that_it_is_not_configured_and_makes_nothing_up
    a_key_gives_the_first_reply_again_byte_for_byte
    a_job_that_waits_is_cancelled_once
    a_job_that_ended_cannot_be_cancelled
    the_job_of_another_tenant_does_not_exist_for_any_operation
    a_job_above_the_clearance_does_not_exist_and_cannot_be_asked_for
    a_list_has_each_job_once_and_counts_them
    a_result_is_gone_after_its_retention_and_the_job_stays
    an_upload_is_removed_after_its_time
    an_operator_lists_cancels_and_accepts_jobs_anew
}

pub(crate) const JOBS: [Scope; 2] = [Scope::JobsRead, Scope::JobsWrite];

pub(crate) async fn caller(server: &TestServer) -> Caller {
    server.caller(Host::Api, &JOBS).await
}

pub(crate) fn import(profiles: &Value) -> Value {
    json!({"kind": "import.bulk", "payload": {"profiles": profiles}})
}

pub(crate) fn profile(id: &str) -> Value {
    json!({"id": id, "kind": "wallet", "display_name": format!("Profile {id}")})
}

/// The job's identifier.
pub(crate) async fn enqueue(caller: &Caller, job: &Value) -> String {
    caller.post("/v1/jobs", job).await.expect(201).text("id")
}

/// The job as it is when it has ended.
pub(crate) async fn ended(caller: &Caller, id: &str) -> Value {
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let job = caller.get(&format!("/v1/jobs/{id}")).await.expect(200).json();
        if job["completed_at"] != Value::Null {
            return job;
        }
        assert!(tokio::time::Instant::now() < patience, "{job} does not end");
        tokio::task::yield_now().await;
    }
}

/// What a job that succeeded has made.
pub(super) async fn made(caller: &Caller, job: &Value) -> String {
    let id = enqueue(caller, job).await;
    let job = ended(caller, &id).await;
    assert_eq!((&job["status"], &job["progress_pct"]), (&json!("succeeded"), &json!(100)), "{job}");
    let result = caller.get(&format!("/v1/jobs/{id}/result")).await.expect(200);
    let url = result.text("signed_url");
    reqwest::get(url).await.unwrap().error_for_status().unwrap().text().await.unwrap()
}

async fn an_import_is_done_and_its_result_can_be_fetched(server: TestServer) {
    let caller = caller(&server).await;
    keep_what_is_told(&mut server.connect());
    let report = made(&caller, &import(&json!([profile("p1"), profile("p2")]))).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report, json!({"errors": [], "imported": 2, "refused": 0}));
    let told = format!("SELECT event AS line FROM {TOLD}");
    let told = sql::lines(&mut server.connect(), &told).unwrap();
    assert_eq!(told, ["job.succeeded"]);
}

pub(crate) fn export(format: &str) -> Value {
    json!({"kind": "export.bulk", "payload": {"format": format}})
}

/// Profiles with everything that a format could trip over.
fn difficult() -> Value {
    let names = ["=1+1", "-4.0", "+49 170", "@home", "'quoted", "say \"a\", b", "Zoë Straße", "plain"];
    let profiles = names.iter().enumerate().map(|(place, name)| {
        json!({
            "id": format!("p{place}"), "kind": "entity", "display_name": name, "secrecy_level": "standard",
            "risk_score": place * 10,
            "relations": if place > 0 { json!([{"to": "p0", "label": "knows, or \"knows\""}]) } else { json!([]) },
        })
    });
    profiles.chain(difficult_incidents()).collect()
}

/// Incidents with everything that a cell could trip over.
fn difficult_incidents() -> impl Iterator<Item = Value> {
    let states = [
        json!({"status": "=1+1", "severity": "low", "summary": "'=2"}),
        json!({"status": "closed", "severity": "critical"}),
        json!({"status": "say \"a\", b", "severity": "high", "summary": "-4.0, \"or\" more"}),
        json!({"status": "@home", "severity": "medium", "summary": " "}),
    ];
    states.into_iter().enumerate().map(|(place, state)| {
        json!({
            "id": format!("q{place}"), "kind": "incident", "display_name": "Fire", "secrecy_level": "standard",
            "risk_score": 0, "relations": [], "incident": state,
        })
    })
}

async fn what_was_imported_is_exported_again_in_either_format(server: TestServer) {
    let caller = caller(&server).await;
    made(&caller, &import(&difficult())).await;
    let lines = made(&caller, &export("ndjson")).await;
    let exported: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let without_empty = |mut profile: Value| {
        if profile["relations"] == json!([]) {
            profile.as_object_mut().unwrap().remove("relations");
        }
        profile
    };
    let expected: Vec<Value> = difficult().as_array().unwrap().iter().cloned().map(without_empty).collect();
    assert_eq!(exported.into_iter().map(without_empty).collect::<Vec<_>>(), expected);
    let rows = made(&caller, &export("csv")).await;
    assert!(rows.starts_with("id,kind,display_name,secrecy_level,risk_score,relations,incident_status,incident_severity,incident_summary\r\n"), "{rows}");
    let incident = "q0,incident,Fire,standard,0,,'=1+1,low,''=2\r\n";
    assert!(rows.contains(incident), "{rows}");
    for cell in ["'=1+1", "'-4.0", "'+49 170", "'@home", "''quoted"] {
        assert!(rows.contains(&format!(",{cell},")), "{cell}: {rows}");
    }
}

/// Sends bytes as an upload and returns its reference.
pub(crate) async fn upload(caller: &Caller, bytes: Vec<u8>) -> String {
    let offered = caller.send(caller.request(Method::POST, "/v1/uploads")).await.expect(201);
    let sent = reqwest::Client::new().put(offered.text("upload_url")).body(bytes).send().await.unwrap();
    sent.error_for_status().unwrap();
    offered.text("upload_ref")
}

async fn an_export_in_one_format_is_an_import_of_the_same_profiles(server: TestServer) {
    let first = caller(&server).await;
    made(&first, &import(&difficult())).await;
    let expected = made(&first, &export("ndjson")).await;
    for format in ["ndjson", "csv"] {
        let second = caller(&server).await;
        let exported = made(&first, &export(format)).await.into_bytes();
        let upload_ref = upload(&second, exported).await;
        let payload = json!({"upload_ref": upload_ref, "format": format});
        let report = made(&second, &json!({"kind": "import.bulk", "payload": payload})).await;
        assert!(report.contains("\"refused\":0"), "{format}: {report}");
        assert_eq!(made(&second, &export("ndjson")).await, expected, "{format}");
    }
}

async fn an_upload_is_imported_row_by_row(server: TestServer) {
    let caller = caller(&server).await;
    let rows = format!("{}\nnonsense\n{}\n", profile("p1"), json!({"id": "p2"}));
    let upload_ref = upload(&caller, rows.into_bytes()).await;
    let report = made(&caller, &json!({"kind": "import.bulk", "payload": {"upload_ref": upload_ref}})).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["imported"], &report["refused"]), (&json!(1), &json!(2)));
    let lines: Vec<_> = report["errors"].as_array().unwrap().iter().map(|error| &error["line"]).collect();
    assert_eq!(lines, [&json!(2), &json!(3)]);

    let missing = json!({"kind": "import.bulk", "payload": {"upload_ref": "upl_01jx0000000000000000000000"}});
    let job = ended(&caller, &enqueue(&caller, &missing).await).await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("upload_not_found")));
}

async fn a_graph_is_computed_over_the_imported_relations(server: TestServer) {
    let caller = caller(&server).await;
    made(&caller, &import(&difficult())).await;
    let payload = json!({"algorithms": ["components"], "shortest_paths": [{"from": "p1", "to": "p7"}]});
    let computed = made(&caller, &json!({"kind": "graph.compute", "payload": payload})).await;
    let computed: Value = serde_json::from_str(&computed).unwrap();
    assert_eq!(computed["components"][0].as_array().unwrap().len(), 8);
    assert_eq!(computed["shortest_paths"][0]["path"], json!(["p1", "p0", "p7"]));
}

async fn an_enrichment_says_of_each_source_that_it_is_not_configured_and_makes_nothing_up(
    server: TestServer,
) {
    let caller = caller(&server).await;
    made(&caller, &import(&json!([profile("p1")]))).await;
    let payload = json!({"profile_ids": ["p1", "p2"], "sources": ["osint", "finance"]});
    let lines = made(&caller, &json!({"kind": "intelligence.enrich.bulk", "payload": payload})).await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let message = "this installation has no connector to it";
    let outcome = |source| json!({"source": source, "status": "not_configured", "message": message});
    let refused = json!({"profile_id": "p2", "error": {"code": "not_found", "message": "no such profile"}});
    assert_eq!((lines.len(), &lines[1]), (2, &refused));
    assert_eq!((&lines[0]["profile_id"], &lines[0]["findings"]), (&json!("p1"), &json!([])));
    assert_eq!(lines[0]["outcomes"], json!([outcome("osint"), outcome("finance")]));
}

pub(crate) async fn with_key(caller: &Caller, key: &str, job: &Value) -> Answer {
    caller.send(caller.request(Method::POST, "/v1/jobs").header("idempotency-key", key).json(job)).await
}

async fn a_key_gives_the_first_reply_again_byte_for_byte(server: TestServer) {
    let caller = caller(&server).await;
    let first = with_key(&caller, "k", &import(&json!([profile("p1")]))).await.expect(201);
    ended(&caller, &first.text("id")).await;
    let again = with_key(&caller, "k", &export("csv")).await.expect(200);
    assert_eq!(again.body, first.body);
}

#[test]
fn of_two_hundred_posts_with_one_key_on_two_nodes_one_makes_a_job() {
    run_on_postgres(|installation: Installation| async {
        let server = TestServer::from(installation);
        let other = server.another_node();
        let here = caller(&server).await;
        let there = here.at(&other);
        let job = import(&json!([profile("p1")]));
        let posts = (0..200).map(|number| with_key(if number % 2 == 0 { &here } else { &there }, "k", &job));
        let answers = futures::future::join_all(posts).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(200)), (1, 199));
        let bodies: HashSet<_> = answers.iter().map(|answer| &answer.body).collect();
        assert_eq!(bodies.len(), 1);
        let jobs = sql::lines(&mut server.connect(), "SELECT id AS line FROM jobs").unwrap();
        assert_eq!(jobs.len(), 1);
        ended(&here, &jobs[0]).await;
    });
}

/// A server on which nobody works on jobs.
fn without_workers(mut installation: Installation) -> TestServer {
    installation.settings.role = Role::Api;
    installation.into()
}

pub(super) async fn cancel(caller: &Caller, id: &str) -> Answer {
    caller.send(caller.request(Method::DELETE, &format!("/v1/jobs/{id}"))).await
}

async fn a_job_that_waits_is_cancelled_once(installation: Installation) {
    let server = without_workers(installation);
    let caller = caller(&server).await;
    let id = enqueue(&caller, &import(&json!([profile("p1")]))).await;
    let result = caller.get(&format!("/v1/jobs/{id}/result")).await.expect(202).json();
    assert_eq!(result, json!({"status": "queued", "progress_pct": 0}));
    cancel(&caller, &id).await.expect(204);
    cancel(&caller, &id).await.expect(200);
    let job = caller.get(&format!("/v1/jobs/{id}")).await.expect(200).json();
    assert_eq!((&job["status"], &job["error"]), (&json!("cancelled"), &Value::Null));
    let refused = caller.get(&format!("/v1/jobs/{id}/result")).await.expect(409);
    assert_eq!(refused.text("message"), "the job was cancelled; there is no result");
}

async fn a_job_that_ended_cannot_be_cancelled(server: TestServer) {
    let caller = caller(&server).await;
    let id = enqueue(&caller, &import(&json!([profile("p1")]))).await;
    ended(&caller, &id).await;
    let refused = cancel(&caller, &id).await.expect(409);
    assert_eq!(refused.text("message"), "the job has already succeeded");
}

async fn the_job_of_another_tenant_does_not_exist_for_any_operation(server: TestServer) {
    let (owner, stranger) = (caller(&server).await, caller(&server).await);
    let id = enqueue(&owner, &import(&json!([profile("p1")]))).await;
    ended(&owner, &id).await;
    for path in [format!("/v1/jobs/{id}"), format!("/v1/jobs/{id}/result")] {
        stranger.get(&path).await.expect(404);
    }
    cancel(&stranger, &id).await.expect(404);
    let list = stranger.get("/v1/jobs").await.expect(200).json();
    assert_eq!(list, json!({"jobs": [], "next_cursor": null, "total_count": 0}));
    // What is no identifier of a job is treated alike.
    owner.get("/v1/jobs/nonsense").await.expect(404);
}

async fn a_job_above_the_clearance_does_not_exist_and_cannot_be_asked_for(server: TestServer) {
    let caller = caller(&server).await;
    let mut job = import(&json!([profile("p1")]));
    job["secrecy_level"] = json!("secret");
    let refused = caller.post("/v1/jobs", &job).await.expect(403);
    assert_eq!(refused.text("error_code"), "secrecy_level_exceeded");
    let id = enqueue(&caller, &import(&json!([profile("p1")]))).await;
    ended(&caller, &id).await;
    sql::execute(&mut server.connect(), "UPDATE jobs SET secrecy_level = 'secret'").unwrap();
    caller.get(&format!("/v1/jobs/{id}")).await.expect(404);
    cancel(&caller, &id).await.expect(404);
    assert_eq!(caller.get("/v1/jobs").await.expect(200).json()["total_count"], 0);
}

async fn a_list_has_each_job_once_and_counts_them(installation: Installation) {
    let server = without_workers(installation);
    let caller = caller(&server).await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(enqueue(&caller, &export("csv")).await);
    }
    ids.push(enqueue(&caller, &import(&json!([profile("p1")]))).await);
    ids.reverse();
    let (mut listed, mut query) = (Vec::new(), "limit=5".to_owned());
    loop {
        let page = caller.get(&format!("/v1/jobs?{query}")).await.expect(200).json();
        assert_eq!(page["total_count"], 13);
        listed.extend(
            page["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=5&cursor={cursor}");
    }
    assert_eq!(listed, ids);
    let imports = caller.get("/v1/jobs?kind=import.bulk&status=queued").await.expect(200).json();
    assert_eq!((&imports["total_count"], &imports["jobs"][0]["id"]), (&json!(1), &json!(ids[0])));
    let foreign = self::caller(&server).await;
    let cursor = caller.get("/v1/jobs?limit=5").await.expect(200).text("next_cursor");
    foreign.get(&format!("/v1/jobs?cursor={cursor}")).await.expect(400);
}

async fn a_result_is_gone_after_its_retention_and_the_job_stays(server: TestServer) {
    let caller = caller(&server).await;
    let id = enqueue(&caller, &import(&json!([profile("p1")]))).await;
    ended(&caller, &id).await;
    let url = caller.get(&format!("/v1/jobs/{id}/result")).await.expect(200).text("signed_url");
    let hour = 3600 * 1_000_000_i64;
    let grow_older = |hours: i64| {
        let (set, by) = ("UPDATE jobs SET completed_at = completed_at", hours * hour);
        let age = format!("{set} - {by}, cleanup_at = cleanup_at - {by}");
        sql::execute(&mut server.connect(), &age).unwrap();
    };
    grow_older(30 * 24 - 1);
    assert_eq!(sweep(&server).await, 0, "an hour before its time it is kept");
    caller.get(&format!("/v1/jobs/{id}/result")).await.expect(200);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    // Also when it was looked at for another reason, as the leftovers of an attempt before it.
    sql::execute(&mut server.connect(), "UPDATE jobs SET attempts = 2, cleanup_at = 1").unwrap();
    assert_eq!(sweep(&server).await, 1);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    assert_eq!(sweep(&server).await, 0);
    grow_older(2);
    let gone = caller.get(&format!("/v1/jobs/{id}/result")).await.expect(410);
    assert_eq!(gone.text("error_code"), "gone");
    assert_eq!(
        reqwest::get(&url).await.unwrap().status(),
        200,
        "it is still there, and nobody is told where"
    );
    assert_eq!(sweep(&server).await, 1);
    assert_eq!(reqwest::get(url).await.unwrap().status(), 404, "the object has gone, too");
    caller.get(&format!("/v1/jobs/{id}")).await.expect(200);
    caller.get(&format!("/v1/jobs/{id}/result")).await.expect(410);
    assert_eq!(sweep(&server).await, 0);
}

/// How much was removed.
pub(super) async fn sweep(server: &TestServer) -> usize {
    let app = server.state();
    Sweeper::new(app.database.every_tenant.clone(), app.jobs.objects.clone()).sweep().await.unwrap().removed
}

async fn an_upload_is_removed_after_its_time(server: TestServer) {
    let caller = caller(&server).await;
    let upload_ref = upload(&caller, profile("p1").to_string().into_bytes()).await;
    assert_eq!(sweep(&server).await, 0);
    let week = 7 * 24 * 3600 * 1_000_000_i64;
    sql::execute(&mut server.connect(), &format!("UPDATE uploads SET created_at = created_at - {week}"))
        .unwrap();
    assert_eq!(sweep(&server).await, 1);
    let job = json!({"kind": "import.bulk", "payload": {"upload_ref": upload_ref}});
    let job = ended(&caller, &enqueue(&caller, &job).await).await;
    assert_eq!(job["error"]["code"], "upload_not_found");
}

async fn an_operator_lists_cancels_and_accepts_jobs_anew(installation: Installation) {
    let server = without_workers(installation);
    let caller = caller(&server).await;
    let id = enqueue(&caller, &export("csv")).await;
    let command = |arguments: &[&str]| {
        let output = server.command(binary(), &[&["jobs"], arguments].concat());
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, list) = command(&["list", "--status", "queued"]);
    assert!(code == 0 && list.starts_with(&format!("{id}  queued")) && list.lines().count() == 1, "{list}");
    assert_eq!(command(&["list", "--tenant", "tnt_another"]), (0, String::new()));
    assert_eq!(command(&["cancel", &id]).0, 0);
    let (code, refused) = command(&["cancel", &id]);
    assert!(code == 2 && refused.contains("has ended already"), "{refused}");
    let (code, refused) = command(&["retry", &id]);
    assert!(code == 2 && refused.contains("no such failed job"), "{refused}");
    let failed = "UPDATE jobs SET status = 'failed', error_code = 'x', error_message = 'y'; \
        UPDATE outbox SET event = 'job.failed'";
    sql::execute(&mut server.connect(), failed).unwrap();
    let (code, again) = command(&["retry", &id]);
    let again = again.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(code == 0 && again != id, "{again}");
    assert_eq!(caller.get(&format!("/v1/jobs/{again}")).await.expect(200).json()["status"], "queued");
    assert_eq!(caller.get(&format!("/v1/jobs/{id}")).await.expect(200).json()["status"], "failed");
}
