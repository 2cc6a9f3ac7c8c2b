//! A node that is killed in the middle of writes: each job that was accepted is counted, and none that was not.

use crate::black_box::jobs::{import, profile};
use crate::black_box::support::binary;
use argus_core::store::DatabaseUrl;
use argus_openapi::Host;
use argus_tests::{Installation, TestProcess, on_both_engines, scale, sql};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

on_both_engines! {
    what_was_written_and_what_was_counted_are_the_same_when_a_node_is_killed
}

/// How many write at a time.
const WRITERS: usize = 8;
/// After how many answers a node is killed: in the middle of others.
const ANSWERS: usize = 40;

async fn what_was_written_and_what_was_counted_are_the_same_when_a_node_is_killed(
    installation: Installation,
) {
    installation.migrate();
    let store = &installation.settings.store;
    let urls = [("--database-url", Some(&store.url)), ("--database-worker-url", store.worker_url.as_ref())];
    let named = urls.iter().filter_map(|(flag, url)| url.map(|url: &DatabaseUrl| [*flag, url.expose()]));
    let arguments: Vec<&str> = ["dev"].into_iter().chain(named.flatten()).collect();
    let mut directory = TempDir::new().unwrap();
    for _ in 0..scale(3, 30) {
        let process = TestProcess::start(binary(), &arguments, directory);
        let basic = (process.ready_text("client_id"), process.ready_text("client_secret"));
        let grant = [("grant_type", "client_credentials")];
        let token = process.token_request(&grant, Some(basic)).await.expect(200).text("access_token");
        let answered = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let body = import(&json!([profile("p1")]));
                let request = process.request(Host::Api, Method::POST, "/v1/jobs");
                let (request, answered) = (request.bearer_auth(&token).json(&body), Arc::clone(&answered));
                tokio::spawn(async move {
                    // Until nobody answers any more.
                    while let Some(next) = request.try_clone() {
                        if next.send().await.is_err() {
                            break;
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while answered.load(Ordering::Relaxed) < ANSWERS {
            tokio::task::yield_now().await;
        }
        directory = process.kill();
        for writer in writers {
            writer.await.unwrap();
        }
        let one = |query: &str| sql::lines(&mut installation.connect(), query).unwrap().remove(0);
        let jobs = one("SELECT CAST(count(*) AS TEXT) AS line FROM jobs");
        let calls = one(
            "SELECT CAST(CAST(sum(calls) AS BIGINT) AS TEXT) AS line FROM (SELECT operation, calls FROM usage_by_day \
             UNION ALL SELECT operation, calls FROM usage_increments) AS counted WHERE operation = 'job_create'",
        );
        assert_eq!(calls, jobs);
        assert!(jobs.parse::<usize>().unwrap() >= ANSWERS);
    }
}
