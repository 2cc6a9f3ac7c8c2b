//! Signed URLs of the sandbox, and the files behind them.

use crate::support::{SANDBOX, ask, body, parse, read_job};
use argus_openapi::types::jobs::csv;
use argus_openapi::types::profiles::{ProfileEnrichment, ProfileRecord};
use argus_sandbox::{Sandbox, SignedObject, partner};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;

/// Where the result of a job of this kind is.
fn result_url(kind: &str, payload: &Value) -> String {
    let job = read_job(&json!({ "kind": kind, "payload": payload }).to_string());
    let job = body(&ask("", &partner::JobCreate { idempotency_key: None, body: &job }));
    let id = job["id"].as_str().expect("an id");
    let result = body(&ask("", &partner::JobResult { id }));
    result["signed_url"].as_str().expect("a URL").to_owned()
}

/// What a URL leads to.
fn opened(method: &str, url: &str) -> Option<SignedObject> {
    let target = url.strip_prefix("https://sandbox-api.knogin.com").expect("the default origin");
    let (path, query) = target.split_once('?').expect("a query");
    SANDBOX.signed_object(method, path, query)
}

/// Name and bytes of the result of a job.
fn file(kind: &str, payload: &Value) -> (String, Vec<u8>) {
    match opened("GET", &result_url(kind, payload)) {
        Some(SignedObject::Result { name, bytes, .. }) => (name, bytes.to_vec()),
        other => panic!("{kind}: {other:?}"),
    }
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).expect("a JSON document a line")).collect()
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).expect("gzip");
    plain
}

#[test]
fn an_enrichment_has_a_line_for_each_profile_as_that_profile_is_enriched_alone() {
    let (name, bytes) = file("intelligence.enrich.bulk", &json!({ "profile_ids": ["a", "b", "c"] }));
    assert!(name.ends_with(".ndjson"), "{name}");
    let lines = lines(&bytes);
    assert_eq!(lines.len(), 3);
    for line in lines {
        let line: ProfileEnrichment = parse(line);
        let alone = partner::ProfileEnrich { id: &line.profile_id, body: &Default::default() };
        assert_eq!(parse::<ProfileEnrichment>(body(&ask("argus-clock=30", &alone))), line);
    }
}

#[test]
fn an_export_is_what_an_import_takes_in_the_form_that_was_asked_for() {
    let (name, ndjson) = file("export.bulk", &json!({}));
    assert!(name.ends_with(".ndjson"), "{name}");
    let records: Vec<ProfileRecord> =
        lines(&ndjson).into_iter().map(|line| serde_json::from_value(line).expect("a record")).collect();
    assert!(records.len() >= 200, "{}", records.len());
    assert!(records.is_sorted_by_key(|record| record.id.as_str().to_owned()));

    let (name, comma_separated) = file("export.bulk", &json!({ "format": "csv" }));
    assert!(name.ends_with(".csv"), "{name}");
    let text = String::from_utf8(comma_separated.clone()).expect("UTF-8");
    assert!(text.starts_with(&csv::COLUMNS.join(",")) && text.ends_with("\r\n"), "{text}");

    for (format, ending) in [("ndjson", ".ndjson.gz"), ("csv", ".csv.gz")] {
        let (name, bytes) = file("export.bulk", &json!({ "format": format, "compression": "gzip" }));
        assert!(name.ends_with(ending), "{name}");
        let plain = String::from_utf8(inflated(&bytes)).expect("UTF-8");
        assert!(plain.lines().count() >= 200, "{plain}");
        assert_eq!(plain.starts_with("id,"), format == "csv");
    }
}

#[test]
fn an_import_counts_its_rows_and_a_graph_its_profiles() {
    let profiles: Vec<_> =
        (0..9).map(|n| json!({ "id": format!("p{n}"), "kind": "wallet", "display_name": "P" })).collect();
    let (name, bytes) = file("import.bulk", &json!({ "profiles": profiles }));
    assert!(name.ends_with(".json"), "{name}");
    let report: Value = serde_json::from_slice(&bytes).expect("JSON");
    let (imported, refused) = (report["imported"].as_u64(), report["refused"].as_u64());
    assert_eq!(imported.expect("a number") + refused.expect("a number"), 9, "{report}");
    assert_eq!(report["errors"].as_array().expect("a list").len() as u64, refused.expect("a number"));

    let (_, bytes) = file("graph.compute", &json!({ "profile_ids": ["a", "b", "c", "d"] }));
    let computed: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!((&computed["profiles"], &computed["relations"]), (&json!(4), &json!(4)));
    let ranks = computed["pagerank"].as_object().expect("ranks").values().filter_map(Value::as_f64);
    assert!((ranks.sum::<f64>() - 1.0).abs() < 1e-9, "{computed}");
    assert_eq!(computed["components"][0].as_array().map(Vec::len), Some(4));
}

#[test]
fn two_jobs_have_two_files_and_one_job_always_the_same() {
    let (one, other) = (json!({ "min_risk_score": 1 }), json!({ "min_risk_score": 2 }));
    assert_eq!(file("export.bulk", &one), file("export.bulk", &one));
    assert_ne!(file("export.bulk", &one).1, file("export.bulk", &other).1);
}

#[test]
fn a_url_that_was_altered_or_is_for_another_method_opens_nothing() {
    let url = result_url("graph.compute", &json!({}));
    let upload = body(&ask("", &partner::UploadCreate));
    let upload = upload["upload_url"].as_str().expect("a URL").to_owned();
    assert_eq!(opened("PUT", &upload), Some(SignedObject::Upload { max_bytes: 1 << 30 }));
    assert!(opened("GET", &url).is_some() && opened("HEAD", &url) == opened("GET", &url));
    for method in ["PUT", "POST", "DELETE"] {
        assert_eq!(opened(method, &url), None, "{method}");
    }
    assert_eq!(opened("GET", &upload), None);
    for url in [url, upload] {
        let start = url.find("/objects/").expect("a path") + "/objects/".len();
        for place in start..url.len() {
            let mut altered = url.clone().into_bytes();
            altered[place] = if altered[place] == b'1' { b'2' } else { b'1' };
            let altered = String::from_utf8(altered).expect("ASCII");
            if !altered.contains('?') {
                continue;
            }
            for method in ["GET", "PUT"] {
                assert_eq!(opened(method, &altered), None, "{altered}");
            }
        }
    }
}

#[test]
fn urls_begin_with_the_base_url_of_the_sandbox() {
    let sandbox = Sandbox::load().under("https://sandbox.partner.example/argus".to_owned());
    let session = crate::support::Session::new(&[], "");
    let upload = body(&sandbox.answer(&session.caller(), &partner::UploadCreate));
    let url = upload["upload_url"].as_str().expect("a URL");
    assert!(url.starts_with("https://sandbox.partner.example/argus/objects/uploads/"), "{url}");
}
