//! The whole service on SQLite, killed while it writes and started again: what was accepted is there, and a request
//! whose answer was lost makes no second job when it is sent again.

use super::{remove_unfinished, until};
use crate::black_box::jobs::{ended, import, profile, with_key};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Caller, TestProcess, scale, sql};
use http::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const CLIENTS: usize = 8;
/// How many jobs are accepted before the service is killed.
const ACCEPTED: usize = 40;

/// What the clients have asked for, and what was accepted.
#[derive(Default)]
struct Posted {
    keys: Vec<String>,
    accepted: Vec<String>,
}

async fn post(caller: Caller, client: String, posted: Arc<Mutex<Posted>>) {
    for number in 0.. {
        let key = format!("{client}-{number}");
        posted.lock().unwrap().keys.push(key.clone());
        let request = caller.request(Method::POST, "/v1/jobs").header("idempotency-key", &key).json(&job());
        // Until the service is gone, whether it has answered or not.
        let Ok(answer) = request.send().await else { return };
        let status = answer.status();
        let Ok(answer) = answer.json::<Value>().await else { return };
        assert_eq!(status, 201, "{answer}");
        posted.lock().unwrap().accepted.push(answer["id"].as_str().unwrap().to_owned());
    }
}

fn job() -> Value {
    import(&json!([profile("p1")]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_outlives_a_kill_in_the_middle_of_writing_on_sqlite() {
    let start = |directory: TempDir| {
        TestProcess::start(binary(), &["dev", "--log", "warn", "--lease-seconds", "2"], directory)
    };
    let mut process = start(TempDir::new().unwrap());
    let app = process.tenancy().app(&[Scope::JobsRead, Scope::JobsWrite]).await;
    let token = app.live_token(&[]).await;
    let caller =
        |process: &TestProcess| Caller { host: Host::Api, token: token.clone(), tenancy: process.tenancy() };
    let mut all: HashSet<String> = HashSet::new();
    for round in 0..scale(2, 20) {
        let posted = Arc::new(Mutex::new(Posted::default()));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                tokio::spawn(post(caller(&process), format!("{round}-{client}"), Arc::clone(&posted)))
            })
            .collect();
        until("jobs", async || posted.lock().unwrap().accepted.len() >= ACCEPTED).await;
        let directory = process.kill();
        for client in clients {
            client.await.unwrap();
        }
        remove_unfinished(&directory.path().join("data/objects"));
        process = start(directory);
        let caller = caller(&process);
        let Posted { keys, accepted } = std::mem::take(&mut *posted.lock().unwrap());
        let mut ids = HashSet::new();
        for key in &keys {
            let answer = with_key(&caller, key, &job()).await;
            assert!(answer.status == 200 || answer.status == 201, "{answer:?}");
            ids.insert(answer.text("id"));
        }
        assert!(accepted.iter().all(|id| ids.contains(id)), "what was accepted is under its key");
        assert_eq!(ids.len(), keys.len());
        for id in &ids {
            assert_eq!(ended(&caller, id).await["status"], "succeeded");
        }
        all.extend(ids);
    }
    let mut database = sql::connect(&format!("sqlite://{}", process.data_dir().join("argus.db").display()));
    let mut lines = |query: &str| sql::lines(&mut database, query).unwrap();
    assert_eq!(lines("SELECT id AS line FROM jobs").into_iter().collect::<HashSet<_>>(), all);
    assert_eq!(lines("SELECT integrity_check AS line FROM pragma_integrity_check"), ["ok"]);
}
