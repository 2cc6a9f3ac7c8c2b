//! What is exported is checked here as the README tells an auditor to, with nothing of ours: the members of a line in
//! their order are hashed, and the signatures are held against the public key.

use super::Scene;
use argus_core::audit::calls::{self, Calls};
use argus_core::store::AnyConnection;
use argus_core::{Clock, Error};
use argus_tests::{Installation, on_both_engines};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

on_both_engines! {
    an_export_is_checked_by_a_program_that_has_nothing_of_ours
    an_export_can_leave_out_the_sandbox_other_tenants_and_other_times
    a_file_is_whole_and_an_export_in_csv_has_the_same_values
}

type Line = BTreeMap<String, Value>;

fn lines(exported: &[String]) -> Vec<Line> {
    exported.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'l>(line: &'l Line, name: &str) -> &'l str {
    line[name].as_str().unwrap()
}

/// The text that is hashed or signed: without some members, in the order of their names, without white space.
fn canonical(line: &Line, without: &[&str]) -> String {
    let kept: BTreeMap<_, _> = line.iter().filter(|(name, _)| !without.contains(&&***name)).collect();
    serde_json::to_string(&kept).unwrap()
}

/// Checks an export of whole chains; says what is wrong with it.
fn check(exported: &[String], jwk: &Value) -> Result<usize, String> {
    let key = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let signed = |line: &Line| {
        let signature = URL_SAFE_NO_PAD.decode(text(line, "signature")).unwrap();
        let text = canonical(line, &["key_id", "signature"]);
        UnparsedPublicKey::new(&ED25519, &key).verify(text.as_bytes(), &signature).is_ok()
    };
    let (mut before, mut entries) = (("0".repeat(64), 0), 0);
    for line in lines(exported) {
        let (hash, sequence) = (text(&line, "hash").to_owned(), line["sequence"].as_i64().unwrap());
        match text(&line, "format") {
            "argus.audit.checkpoint.1" if signed(&line) => before = (hash, sequence),
            "argus.audit.head.1" if signed(&line) && before == (hash.clone(), sequence) => {
                before = ("0".repeat(64), 0)
            }
            "argus.audit.entry.1" => {
                let own = digest(&SHA256, canonical(&line, &["hash"]).as_bytes());
                let own: String = own.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                if own != hash || text(&line, "previous_hash") != before.0 || sequence != before.1 + 1 {
                    return Err(format!("entry {sequence}"));
                }
                before = (hash, sequence);
                entries += 1;
            }
            other => return Err(format!("{other} {sequence}")),
        }
    }
    Ok(entries)
}

fn has_python() -> bool {
    Command::new("python3").arg("--version").output().is_ok()
}

/// Whether the program that the README gives to auditors takes an export.
fn readme_accepts(exported: &[String]) -> bool {
    if !has_python() {
        eprintln!("there is no python3: the program of the README is not tried");
        return true;
    }
    let readme = include_str!("../../../README.md");
    let program = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let mut python = Command::new("python3")
        .args(["-c", program])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // One that has found something reads no further.
    let _ = python.stdin.take().unwrap().write_all(exported.join("\n").as_bytes());
    python.wait().unwrap().success()
}

fn jwk(scene: &Scene) -> Value {
    serde_json::from_str(&scene.said(&["audit", "key"]).concat()).unwrap()
}

async fn an_export_is_checked_by_a_program_that_has_nothing_of_ours(installation: Installation) {
    let scene = Scene::with_entries(installation, 7).await;
    crate::identity::support::admin(&scene.identity).await;
    scene.link().await;
    let (exported, jwk) = (scene.said(&["audit", "export"]), jwk(&scene));
    assert_eq!(check(&exported, &jwk), Ok(9));
    assert!(readme_accepts(&exported));
    let changed: Vec<String> = exported.iter().map(|line| line.replace("app_3", "app_4")).collect();
    assert!(!readme_accepts(&changed) || !has_python());
    // Each change of it shows.
    for (index, line) in exported.iter().enumerate() {
        let mut changed = exported.clone();
        changed[index] = line.replace("app_3", "app_4").replace("live", "livf");
        assert!(check(&changed, &jwk).is_err(), "{line}");
        changed.remove(index);
        assert!(check(&changed, &jwk).is_err() || line.contains("head"), "{line}");
    }
    // From a checkpoint on it is the same.
    scene.tamper("UPDATE audit_events SET occurred_at = '2026-01-01' WHERE sequence IS NULL");
    scene.said(&["audit", "prune", "--before", "2999-01-01", "--tenant", scene.tenant_id()]);
    scene.append(3).await;
    scene.link().await;
    let exported = scene.said(&["audit", "export", "--tenant", scene.tenant_id()]);
    assert!(exported[0].contains("argus.audit.checkpoint.1"), "{exported:?}");
    assert_eq!(check(&exported, &jwk), Ok(3));
}

async fn an_export_can_leave_out_the_sandbox_other_tenants_and_other_times(installation: Installation) {
    let scene = Scene::with_entries(installation, 2).await;
    crate::identity::support::admin(&scene.identity).await;
    let called = Calls {
        tenant_id: scene.tenant_id().to_owned(),
        actor: "app_1".to_owned(),
        user_id: None,
        action: "job_view".to_owned(),
        subject: "0".repeat(32),
        occurrences: 12,
    };
    let append = move |connection: &mut AnyConnection| {
        calls::append(connection, &Clock::system(), std::slice::from_ref(&called))
    };
    scene.database.every_tenant.transaction(append).await.unwrap_or_else(|error: Error| panic!("{error}"));
    scene.link().await;
    let entries = |arguments: &[&str]| {
        let exported = lines(&scene.said(&[&["audit", "export"], arguments].concat()));
        exported.into_iter().filter(|line| text(line, "format") == "argus.audit.entry.1").collect::<Vec<_>>()
    };
    assert_eq!(entries(&[]).len(), 5);
    assert_eq!(entries(&["--without-sandbox"]).len(), 4);
    assert_eq!(entries(&["--tenant", scene.tenant_id()]).len(), 4);
    assert_eq!(entries(&["--to", "2026-01-01"]).len(), 0);
    assert_eq!(entries(&["--from", "2026-01-01T00:00:00Z"]).len(), 5);
    let [called] = &entries(&["--environment", "sandbox"])[..] else { panic!("one chain of the sandbox") };
    assert_eq!((text(called, "secrecy_level"), called["occurrences"].as_i64()), ("sandbox", Some(12)));
    for wrong in [["--from", "yesterday"], ["--tenant", "nobody"]] {
        assert_eq!(
            scene.command(&[&["audit", "export"], &wrong[..]].concat()).status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
}

async fn a_file_is_whole_and_an_export_in_csv_has_the_same_values(installation: Installation) {
    let scene = Scene::with_entries(installation, 3).await;
    let path = scene.installation.scratch().join("audit.csv");
    let name = path.to_str().unwrap();
    scene.said(&["audit", "export", "--format", "csv", "--output", name]);
    let written = std::fs::read_to_string(&path).unwrap();
    let mut rows = written.split_terminator("\r\n").map(|row| row.split(',').collect::<Vec<_>>());
    let names = rows.next().unwrap();
    let entries = lines(&scene.said(&["audit", "export"]));
    let entries: Vec<_> = entries.iter().filter(|line| line.contains_key("id")).collect();
    for (row, entry) in rows.clone().zip(&entries) {
        for (name, value) in names.iter().zip(row) {
            let expected = match entry.get(*name) {
                None => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            assert_eq!(value, expected, "{name}");
        }
    }
    assert_eq!((rows.count(), entries.len()), (4, 4));
    let nowhere = scene.installation.scratch().join("no such directory/audit.csv");
    let output = scene.command(&["audit", "export", "--output", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
