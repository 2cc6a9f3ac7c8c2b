//! What is sent for the ways to write a job.

use crate::support::{Server, json};
use argus_sdk::types::{self, JobCreate};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

/// What the server is sent for a job.
async fn sent<J: TryInto<JobCreate>>(job: J) -> Value
where
    J::Error: std::fmt::Display,
{
    let server = Server::start(|_| {
        let job = json!({
            "id": "job_1", "kind": "export.bulk", "status": "queued", "created_at": "2026-05-08T12:00:00Z",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        });
        json(201, &job)
    })
    .await;
    server.client().job_create().body(job).send().await.unwrap();
    serde_json::from_str(&server.asked()[0].body).unwrap()
}

#[tokio::test]
async fn a_payload_alone_makes_a_job_of_its_kind() {
    let none = json!({});
    assert_eq!(
        sent(types::EnrichJob::of(["p1", "p2"])).await,
        json!({ "kind": "intelligence.enrich.bulk", "payload": { "profile_ids": ["p1", "p2"] } })
    );
    assert_eq!(
        sent(types::ExportJob::from(types::ExportPayload::default())).await,
        json!({ "kind": "export.bulk", "payload": none })
    );
    assert_eq!(
        sent(types::ImportJob::from(types::ImportPayload::default())).await,
        json!({ "kind": "import.bulk", "payload": none })
    );
    assert_eq!(
        sent(types::GraphJob::from(types::GraphPayload::default())).await,
        json!({ "kind": "graph.compute", "payload": none })
    );
    assert_eq!(
        sent(types::ExportJob::of_everything()).await,
        json!({ "kind": "export.bulk", "payload": none })
    );
    assert_eq!(
        sent(types::ExportJob::of_kinds([types::ProfileKind::Wallet])).await,
        json!({ "kind": "export.bulk", "payload": { "profile_kinds": ["wallet"] } })
    );
    assert_eq!(
        sent(types::GraphJob::of_everything()).await,
        json!({ "kind": "graph.compute", "payload": none })
    );
    assert_eq!(
        sent(types::GraphJob::of(["p1", "p2"])).await,
        json!({ "kind": "graph.compute", "payload": { "profile_ids": ["p1", "p2"] } })
    );
    let upload: types::Upload = serde_json::from_value(json!({
        "upload_ref": "upl_1", "upload_url": "https://u.example/", "expires_at": "2026-05-08T13:00:00Z",
    }))
    .unwrap();
    assert_eq!(
        sent(types::ImportJob::of_csv_upload(&upload)).await,
        json!({ "kind": "import.bulk", "payload": { "upload_ref": "upl_1", "format": "csv" } })
    );
}

#[tokio::test]
async fn a_job_that_is_still_being_built_is_sent_with_all_that_was_said() {
    let payload = types::ExportPayload::builder()
        .profile_kinds([types::ProfileKind::Wallet])
        .min_risk_score(70)
        .format(types::ExportFormat::Csv)
        .compression(types::Compression::Gzip);
    let job = types::ExportJob::builder()
        .payload(payload)
        .callback_url("https://partner.example/done".to_owned())
        .secrecy_level(types::SecrecyLevel::Restricted);
    assert_eq!(
        sent(job).await,
        json!({
            "kind": "export.bulk",
            "payload": { "profile_kinds": ["wallet"], "min_risk_score": 70, "format": "csv", "compression": "gzip" },
            "callback_url": "https://partner.example/done",
            "secrecy_level": "restricted",
        })
    );
}

#[tokio::test]
async fn profiles_are_imported_as_they_are_or_from_an_upload() -> Result<(), Failure> {
    let relation = types::ProfileRelation::builder().to("p2").label("owner");
    let wallet = types::ProfileRecord::builder()
        .id("p1")
        .kind(types::ProfileKind::Wallet)
        .display_name("Cold wallet 7")
        .relations([relation.try_into()?]);
    let profile = json!({
        "id": "p1", "kind": "wallet", "display_name": "Cold wallet 7",
        "relations": [{ "to": "p2", "label": "owner" }],
    });
    assert_eq!(
        sent(types::ImportJob::of([wallet.try_into()?])).await,
        json!({ "kind": "import.bulk", "payload": { "profiles": [profile] } })
    );
    let upload = json!({
        "upload_ref": "upl_1", "upload_url": "https://uploads.example/1", "expires_at": "2026-05-08T12:15:00Z",
    });
    assert_eq!(
        sent(types::ImportJob::of_upload(&serde_json::from_value(upload)?)).await,
        json!({ "kind": "import.bulk", "payload": { "upload_ref": "upl_1" } })
    );
    Ok(())
}

#[tokio::test]
async fn a_job_without_its_payload_is_not_sent() {
    let server = Server::start(|_| json(500, &json!({}))).await;
    let error = server.client().job_create().body(types::EnrichJob::builder()).send().await.unwrap_err();
    assert!(error.to_string().contains("payload"), "{error}");
    assert!(server.asked().is_empty());
}
