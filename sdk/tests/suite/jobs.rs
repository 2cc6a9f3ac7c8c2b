//! Waiting for a job, and streams over pages.

use crate::support::{Server, error, job, json};
use argus_sdk::{ErrorKind, JobFilter, WaitError, WaitOptions, types};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::time::Duration;

fn quickly() -> WaitOptions {
    WaitOptions { first_pause: Duration::ZERO, max_pause: Duration::ZERO, ..WaitOptions::default() }
}

fn page(ids: &[&str], next: Option<&str>) -> Value {
    let jobs: Vec<_> = ids.iter().map(|id| job(id, "succeeded")).collect();
    json!({ "jobs": jobs, "next_cursor": next, "total_count": 3 })
}

#[tokio::test]
async fn a_job_is_watched_until_it_ends_and_an_outage_does_not_end_the_wait() {
    let server = Server::start(|asked| match asked.before {
        0 => json(200, &job("j", "queued")),
        // One more than the retries of a single call.
        1..=5 => error(503, "unavailable"),
        6 => json(200, &job("j", "running")),
        _ => json(200, &job("j", "failed")),
    })
    .await;
    let ended = server.client().wait_for_job("j", quickly()).await.unwrap();
    assert_eq!(ended.status, types::JobStatus::Failed);
    assert_eq!(server.lines().len(), 8);
}

#[tokio::test]
async fn whoever_watches_a_job_is_shown_it_at_each_look_and_at_its_end() {
    let server = Server::start(|asked| {
        let mut seen = job("j", if asked.before < 3 { "running" } else { "succeeded" });
        seen["progress_pct"] = json!([10, 40, 90, 100][asked.before]);
        json(200, &seen)
    })
    .await;
    let mut shown = Vec::new();
    let look = |job: &types::Job| shown.push((job.status, job.progress_pct));
    server.client().watch_job("j", quickly(), look).await.unwrap();
    let running = types::JobStatus::Running;
    assert_eq!(shown, [(running, 10), (running, 40), (running, 90), (types::JobStatus::Succeeded, 100)]);
}

#[tokio::test]
async fn the_deadline_returns_the_job_as_it_was_last_seen() {
    let server = Server::start(|_| json(200, &job("j", "running"))).await;
    let options =
        WaitOptions { first_pause: Duration::from_secs(2), deadline: Duration::from_secs(1), ..quickly() };
    let error = server.client().wait_for_job("j", options).await.unwrap_err();
    assert!(matches!(error, WaitError::Deadline { .. }), "{error:?}");
    assert_eq!(error.last_seen().unwrap().status, types::JobStatus::Running);
}

#[tokio::test]
async fn an_unknown_job_ends_the_wait_at_once() {
    let server = Server::start(|_| error(404, "not_found")).await;
    match server.client().wait_for_job("j", quickly()).await.unwrap_err() {
        WaitError::Call { error, last_seen: None } => assert_eq!(error.kind(), ErrorKind::NotFound),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn jobs_stream_over_all_pages_with_the_filter_on_each() {
    let server = Server::start(|asked| {
        let next = if asked.line.contains("cursor=a%2Bb") { None } else { Some("a+b") };
        json(200, &if next.is_some() { page(&["1", "2"], next) } else { page(&["3"], next) })
    })
    .await;
    let filter =
        JobFilter { status: Some(types::JobStatus::Succeeded), page_size: 2.try_into().ok(), kind: None };
    let mut jobs = server.client().stream_jobs(filter);
    assert!(server.lines().is_empty(), "nothing is fetched before it is asked for");
    let first = jobs.next().await.unwrap().unwrap();
    assert_eq!((first.id.as_str(), server.lines().len()), ("1", 1));
    let rest: Vec<_> = jobs.map_ok(|job| job.id).try_collect().await.unwrap();
    assert_eq!(rest, ["2", "3"]);
    assert_eq!(
        server.lines(),
        [
            "GET /sandbox/v1/jobs?limit=2&status=succeeded",
            "GET /sandbox/v1/jobs?cursor=a%2Bb&limit=2&status=succeeded",
        ]
    );
}

#[tokio::test]
async fn a_failing_page_ends_the_stream_after_the_items_before_it() {
    let server = Server::start(|asked| {
        if asked.line.contains("cursor") {
            error(400, "invalid_request")
        } else {
            json(200, &page(&["1"], Some("c")))
        }
    })
    .await;
    let items: Vec<_> = server.client().stream_jobs(JobFilter::default()).collect().await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].as_ref().unwrap().id, "1");
    assert_eq!(items[1].as_ref().unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_page_that_names_itself_as_the_next_one_does_not_loop_for_ever() {
    let server = Server::start(|_| json(200, &page(&[], Some("again")))).await;
    let items: Vec<_> = server.client().stream_jobs(JobFilter::default()).collect().await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].as_ref().unwrap_err().kind(), ErrorKind::InvalidResponse);
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn every_paged_operation_has_its_stream() {
    let server = Server::start(|asked| match asked.line.as_str() {
        "GET /auth/v1/platform/apps" => json(200, &json!({ "apps": [], "next_cursor": "n" })),
        "GET /auth/v1/platform/apps?cursor=n" => json(200, &json!({ "apps": [], "next_cursor": null })),
        "GET /sandbox/v1/webhooks" => json(200, &json!({ "webhooks": [], "next_cursor": null })),
        "GET /sandbox/v1/webhooks/w/deliveries" => {
            json(200, &json!({ "deliveries": [], "next_cursor": null }))
        }
        _ => error(404, "not_found"),
    })
    .await;
    let client = server.client();
    assert!(client.stream_apps().try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert!(client.stream_webhooks().try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert!(client.stream_webhook_deliveries("w").try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!(server.lines().len(), 4);
}
