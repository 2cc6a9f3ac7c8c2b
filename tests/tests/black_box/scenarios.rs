//! Scenarios that an operator writes: `argus scenario new`, `check` and `preview`, and `argus dev`, which loads them
//! anew while it runs.

use super::support::binary;
use argus_openapi::Host;
use argus_tests::{TestProcess, argus};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

fn run(directory: &Path, arguments: &[&str]) -> Output {
    argus(binary(), &directory.join("data"), &[&["scenario"], arguments].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Writes a new scenario and returns its file.
fn new(directory: &Path, id: &str, from: &str) -> String {
    let file = directory.join(format!("{id}.json")).to_str().unwrap().to_owned();
    let output = run(directory, &["new", id, "--from", from, "--out", &file]);
    assert!(output.status.success(), "{output:?}");
    file
}

fn edit(file: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(file, serde_json::to_string_pretty(&value).unwrap()).unwrap();
}

#[test]
fn a_new_scenario_is_valid_has_its_schema_beside_it_and_overwrites_nothing() {
    let directory = TempDir::new().unwrap();
    for (id, from) in [("ours.one", "wallet.high-risk"), ("ours.two", "incident.escalating")] {
        let file = new(directory.path(), id, from);
        let output = run(directory.path(), &["check", &file]);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(0), format!("{id}  {id}\n")),
            "{output:?}"
        );
        let before = std::fs::read(&file).unwrap();
        let again = run(directory.path(), &["new", id, "--out", &file]);
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("is there already"), "{again:?}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
    let schema = std::fs::read_to_string(directory.path().join("scenario.schema.json")).unwrap();
    assert_eq!(schema.trim(), text(&run(directory.path(), &["schema"]).stdout).trim());
    // The schema is no scenario.
    let output = run(directory.path(), &["check", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let unknown = run(directory.path(), &["new", "ours.three", "--from", "wallet.unheard-of"]);
    assert!(text(&unknown.stderr).contains("wallet.clean"), "{unknown:?}");
}

#[test]
fn a_check_tells_every_fault_with_line_column_and_member_and_exits_1() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mine.json").to_str().unwrap().to_owned();
    let written = [
        "{",
        r#"  "id": "wallet.clean","#,
        r#"  "label": "Mine","#,
        r#"  "colour": "red","#,
        r#"  "profile": {"#,
        r#"    "kind": "ship","#,
        r#"    "display_name": "Wallet {id}","#,
        r#"    "risk": { "score": "high", "level": "critical" },"#,
        r#"    "created_at": "2025-11-17T08:12:44Z","#,
        r#"    "findings": []"#,
        "  }",
        "}",
    ];
    std::fs::write(&file, written.join("\n")).unwrap();
    let output = run(directory.path(), &["check", &file]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = text(&output.stdout);
    for expected in [
        ":1:1: the file: the member \"description\" is missing; add it",
        ":2:9: id: a scenario that ships has this id; choose another",
        ":4:13: colour: there is no such member; take it away",
        ":5:14: profile: the member \"updated_at\" is missing; add it",
        ":6:13: profile.kind: must be one of \"wallet\"",
        ":8:24: profile.risk.score: ",
    ] {
        assert!(told.contains(&format!("{file}{expected}")), "{expected}\n{told}");
    }
    assert_eq!(told.lines().count(), 6, "{told}");
    assert_eq!(text(&output.stderr), "argus: 6 members to change\n");
}

#[test]
fn a_check_tells_what_makes_no_sense_and_what_is_no_json() {
    let directory = TempDir::new().unwrap();
    let file = new(directory.path(), "ours.one", "wallet.high-risk");
    edit(&file, |scenario| {
        scenario["profile"]["kind"] = json!("incident");
        scenario["profile"]["findings"][1]["summary"] = json!("{oops}");
        scenario["combines_with"] = json!(["ours.unheard-of"]);
    });
    let output = run(directory.path(), &["check", &file]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = text(&output.stdout);
    for member in ["profile.kind: an incident needs the member `incident`", "profile.findings[1].summary: "] {
        assert!(told.contains(member), "{member}\n{told}");
    }
    std::fs::write(&file, "{\n  \"id\": }").unwrap();
    let output = run(directory.path(), &["check", &file]);
    assert_eq!(text(&output.stdout), format!("{file}:2:9: id: expected value\n"));
}

#[test]
fn a_reply_that_would_not_be_what_is_published_is_told_at_the_member_that_it_comes_from() {
    let directory = TempDir::new().unwrap();
    let file = new(directory.path(), "ours.one", "wallet.high-risk");
    edit(&file, |scenario| {
        scenario["profile"]["findings"][0]["observed_at"] = json!("2026-05-07T22:05:31Z");
        scenario["profile"]["display_name"] = json!("x".repeat(5_000));
    });
    let output = run(directory.path(), &["check", &file]);
    let told = text(&output.stdout);
    // The contract bounds the name or it does not; it must never be told at another member.
    assert!(
        told.lines().all(|line| line.contains("profile.display_name") || line.contains("ours.one  ")),
        "{told}"
    );
}

#[test]
fn a_preview_prints_status_headers_and_body_as_the_sandbox_host_would() {
    let directory = TempDir::new().unwrap();
    let file = new(directory.path(), "ours.one", "wallet.high-risk");
    edit(&file, |scenario| scenario["profile"]["risk"]["score"] = json!(7));
    let view = ["--operation", "profile_view", "--path", "id=p1"];
    let output = run(directory.path(), &[&["preview", &file], &view[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output.stdout);
    assert!(shown.starts_with("200 OK\n") && shown.contains("\nx-argus-sandbox: true\n"), "{shown}");
    let (_, body) = shown.split_once("\n\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["id"], &body["risk"]["score"]), (&json!("p1"), &json!(7)));

    let forced =
        run(directory.path(), &[&["preview", "wallet.clean"], &view[..], &["--prefer", "code=503"]].concat());
    let forced = text(&forced.stdout);
    assert!(forced.starts_with("503 ") && forced.contains("preference-applied: code=503"), "{forced}");

    let create = ["preview", "wallet.clean", "--operation", "job_create", "--body"];
    let body = r#"{"kind": "intelligence.enrich.bulk", "payload": {"profile_ids": ["p1"]}}"#;
    let created = text(&run(directory.path(), &[&create[..], &[body]].concat()).stdout);
    assert!(created.starts_with("201 Created\n"), "{created}");
    let refused = run(directory.path(), &["preview", "wallet.clean", "--operation", "profile_view"]);
    assert!(text(&refused.stderr).contains("--path id=p1"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_loads_scenarios_anew_keeps_the_former_ones_while_a_file_is_broken_and_refuses_tokens_of_what_is_gone()
 {
    let scenarios = TempDir::new().unwrap();
    let directory = scenarios.path().to_str().unwrap();
    let process =
        TestProcess::start(binary(), &["dev", "--scenario-dir", directory], TempDir::new().unwrap());
    let path = format!("/v1/platform/apps/{}/sandbox-token", process.ready_text("client_id"));
    let tenancy = process.tenancy();
    let mint = json!({"scenarios": ["ours.one"]});
    let message = tenancy.post(&path, &mint).await.expect_error(400, "unknown_scenario");
    assert!(message.contains("ours.one"), "{message}");

    let file = new(scenarios.path(), "ours.one", "wallet.clean");
    process.await_log("the scenarios were loaded anew: ours.one");
    let token = tenancy.post(&path, &mint).await.expect(200).text("token");
    let view = async || process.get(Host::Sandbox, "/v1/profiles/p1", Some(&token)).await;
    let before = view().await.expect(200);

    std::fs::write(&file, "{").unwrap();
    process.await_log("the former scenarios stay in force");
    assert!(process.stderr().contains("ours.one.json:1:"), "{}", process.stderr());
    assert_eq!(view().await.replayable(), before.replayable());

    // Written elsewhere and moved, so that it is never gone in between.
    let elsewhere = TempDir::new().unwrap();
    std::fs::rename(new(elsewhere.path(), "ours.one", "wallet.high-risk"), &file).unwrap();
    let mut after = view().await;
    while after.replayable() == before.replayable() {
        after = view().await;
    }
    assert_eq!(after.expect(200).json()["risk"]["score"], 94);

    std::fs::remove_file(&file).unwrap();
    let mut gone = view().await;
    while gone.status == 200 {
        gone = view().await;
    }
    let message = gone.expect_error(401, "invalid_token");
    assert_eq!(message, "the token is pinned to a scenario that no longer exists");
}
