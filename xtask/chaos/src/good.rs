//! Clients that do no harm, and must not notice any.

use crate::dial::{GOOD, head};
use crate::scene::Scene;
use argus_openapi::Host;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two of its requests.
const PAUSE: Duration = Duration::from_millis(100);

/// A client that goes on until somebody asks how it was.
pub struct GoodClient(JoinHandle<(usize, Duration)>, tokio::sync::oneshot::Sender<()>);

impl GoodClient {
    /// One that calls every host in turn.
    pub fn start(scene: &Arc<Scene>) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let scene = Arc::clone(scene);
        let calls = async move {
            let (mut calls, mut longest) = (0, Duration::ZERO);
            loop {
                for host in Host::ALL {
                    longest = longest.max(call(&scene, host).await);
                    calls += 1;
                }
                if tokio::time::timeout(PAUSE, &mut stopped).await.is_ok() {
                    return (calls, longest);
                }
            }
        };
        Self(tokio::spawn(calls), stop)
    }

    /// How often it called, and how long it had to wait at most. An answer that it should not have got
    /// has ended it.
    pub async fn stop(self) -> String {
        let _ = self.1.send(());
        let (calls, longest) = self.0.await.expect("good clients are served");
        assert!(longest < PATIENCE, "a good client waited {longest:?}");
        format!("{calls} good calls served, the slowest in {} ms", longest.as_millis())
    }
}

/// A call on a connection of its own, and how long it took.
async fn call(scene: &Scene, host: Host) -> Duration {
    let began = Instant::now();
    let (request, status) = request(scene, host);
    let answer = scene.dial.ask(GOOD, host, request.as_bytes());
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| panic!("a good client got no answer from {host:?}")).expect(status);
    began.elapsed()
}

fn request(scene: &Scene, host: Host) -> (String, u16) {
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    match host {
        Host::Auth => (head("GET", "/v1/platform/apps", host, &bearer(&scene.admin_token)), 200),
        Host::Api => (head("GET", "/.well-known/openapi.json", host, ""), 200),
        Host::Sandbox => {
            let body = r#"{"kind":"intelligence.enrich.bulk","payload":{"profile_ids":["p1"]}}"#;
            let lines = format!(
                "{}content-type: application/json\r\ncontent-length: {}\r\n",
                bearer(&scene.sandbox_token),
                body.len()
            );
            (head("POST", "/v1/jobs", host, &lines) + body, 201)
        }
    }
}
