//! Exports on the live host: compressed ones unpack to the same rows, and what a filter or the job's secrecy leaves
//! out stays out.

use super::jobs::{JOBS, caller, ended, enqueue, export, import, made, profile, sweep};
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_tests::{Caller, TestServer, on_both_engines, sql};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;

on_both_engines! {
    a_compressed_export_unpacks_to_the_rows_of_the_other
    an_export_has_only_what_its_filters_let_through
    profiles_above_the_secrecy_of_the_job_stay_out
}

/// More than are read at a time.
const MANY: usize = 700;

/// An export with these members in its payload.
fn export_of(mut payload: Value) -> Value {
    let members = payload.as_object_mut().unwrap();
    members.entry("format").or_insert_with(|| json!("ndjson"));
    json!({"kind": "export.bulk", "payload": payload})
}

/// The identifiers of the profiles that an export has.
async fn exported(caller: &Caller, job: &Value) -> Vec<String> {
    let lines = made(caller, job).await;
    let id = |line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    lines.lines().map(id).collect()
}

async fn a_compressed_export_unpacks_to_the_rows_of_the_other(server: TestServer) {
    let caller = caller(&server).await;
    made(&caller, &import(&(0..MANY).map(|number| profile(&format!("p{number:04}"))).collect())).await;
    for (format, ending) in [("ndjson", "ndjson.gz"), ("csv", "csv.gz")] {
        let plain = made(&caller, &export(format)).await;
        let job = export_of(json!({"format": format, "compression": "gzip"}));
        let id = enqueue(&caller, &job).await;
        assert_eq!(ended(&caller, &id).await["status"], "succeeded", "{format}");
        let result = caller.get(&format!("/v1/jobs/{id}/result")).await.expect(200);
        assert!(
            result.text("result_ref").ends_with(&format!("{id}.{ending}")),
            "{}",
            result.text("result_ref")
        );
        let object = reqwest::get(result.text("signed_url")).await.unwrap().error_for_status().unwrap();
        assert_eq!(object.headers()["content-type"], "application/gzip", "{format}");
        assert!(!object.headers().contains_key("content-encoding"), "it is a file, and stays one");
        let packed = object.bytes().await.unwrap();
        assert!(packed.len() < plain.len() / 4, "{} of {} bytes", packed.len(), plain.len());
        let mut unpacked = String::new();
        GzDecoder::new(&*packed).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain, "{format}");
        let header = usize::from(format == "csv");
        assert_eq!(unpacked.lines().count(), MANY + header);
    }
    assert_eq!(sweep(&server).await, 0);
}

async fn an_export_has_only_what_its_filters_let_through(server: TestServer) {
    let caller = caller(&server).await;
    let of = |id: &str, kind: &str, risk_score: u8| json!({"id": id, "kind": kind, "display_name": "Anybody", "risk_score": risk_score});
    let profiles = json!([
        of("a", "wallet", 0),
        of("b", "entity", 49),
        of("c", "device", 50),
        of("d", "wallet", 51),
        of("e", "entity", 100),
    ]);
    made(&caller, &import(&profiles)).await;
    // A moment apart, and one whose risk an enrichment has found.
    let changes = ["a", "b", "c", "d", "e"].iter().zip(1_i64..).map(|(id, micros)| {
        format!("UPDATE profiles SET updated_at = {} WHERE id = '{id}'", 1_780_000_000_000_000 + micros)
    });
    let changes: Vec<String> = changes.collect();
    sql::execute(&mut server.connect(), &changes.join("; ")).unwrap();
    sql::execute(&mut server.connect(), "UPDATE profiles SET found_risk_score = 60 WHERE id = 'a'").unwrap();
    let after = |micros: u32| format!("2026-05-28T20:26:40.{micros:06}Z");
    for (payload, expected) in [
        (json!({}), "abcde"),
        (json!({"profile_kinds": []}), "abcde"),
        (json!({"profile_kinds": ["wallet"]}), "ad"),
        (json!({"profile_kinds": ["device", "entity"]}), "bce"),
        (json!({"profile_kinds": ["incident"]}), ""),
        (json!({"min_risk_score": 0}), "abcde"),
        (json!({"min_risk_score": 50}), "acde"),
        (json!({"min_risk_score": 61}), "e"),
        (json!({"min_risk_score": 100}), "e"),
        (json!({"updated_after": after(0)}), "abcde"),
        (json!({"updated_after": after(3)}), "de"),
        (json!({"updated_after": "2026-05-28T22:26:40.000004+02:00"}), "e"),
        (json!({"updated_after": after(5)}), ""),
        (
            json!({"profile_kinds": ["wallet", "entity"], "min_risk_score": 50, "updated_after": after(1)}),
            "de",
        ),
    ] {
        let ids = exported(&caller, &export_of(payload.clone())).await;
        assert_eq!(ids.concat(), expected, "{payload}");
    }
    let none = made(&caller, &export_of(json!({"format": "csv", "profile_kinds": ["incident"]}))).await;
    assert_eq!(none.lines().count(), 1, "the header alone: {none}");
}

async fn profiles_above_the_secrecy_of_the_job_stay_out(server: TestServer) {
    let caller = caller(&server).await;
    for (id, level) in ["a", "b", "c", "d"].into_iter().zip(SecrecyLevel::ALL) {
        server.put_profile(&caller.tenancy.tenant_id, id, ProfileKind::Entity, level).await;
    }
    let mut claims = server.claims(Host::Api, &caller.tenancy.tenant_id, &JOBS);
    claims.organization_id.clone_from(&caller.tenancy.organization_id);
    claims.secrecy_level = SecrecyLevel::Secret;
    let cleared = Caller { token: server.sign(&claims), ..caller };
    // Its own secrecy counts, not the clearance of who asks.
    assert_eq!(exported(&cleared, &export("ndjson")).await.concat(), "a");
    for (level, expected) in SecrecyLevel::ALL.into_iter().zip(["a", "ab", "abc", "abcd"]) {
        let mut job = export("ndjson");
        job["secrecy_level"] = json!(level);
        assert_eq!(exported(&cleared, &job).await.concat(), expected, "{level}");
    }
}
