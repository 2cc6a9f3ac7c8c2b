//! Argus that does not answer, and Argus that is gone.

use crate::busy;
use crate::dial::{Dial, EVIL, Protocol, head};
use crate::report::Report;
use crate::scene::Scene;
use argus_openapi::Host;
use argus_tests::Answer;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

/// Connections of each kind that are open when Argus is told to stop.
const EACH: usize = 20;

/// Stops Argus, first for a while and then for good.
pub async fn run(scene: Arc<Scene>, report: &mut Report) {
    let stalled = Arc::clone(&scene);
    report
        .check("504 in both error shapes while Argus does not answer", async move { stalls(&stalled).await })
        .await;
    let busy = Arc::clone(&scene);
    let name = "429 in the contract's error shape for more requests at a time than an address may have";
    report.check(name, async move { overrun(&busy).await }).await;
    report.check("Argus ends at once, and is missed with 502 in both error shapes", ends(scene)).await;
}

async fn stalls(scene: &Scene) -> String {
    scene.server.signal("STOP");
    let began = Instant::now();
    let answers = missed(&scene.dial).await;
    let waited = began.elapsed();
    scene.server.signal("CONT");
    expect(answers, 504, "temporarily_unavailable");
    scene.dial.ask(EVIL, Host::Api, head("GET", "/healthz", Host::Api, "").as_bytes()).await.expect(200);
    format!("after {:.1} s, and 200 when it goes on", waited.as_secs_f64())
}

async fn overrun(scene: &Scene) -> String {
    scene.server.signal("STOP");
    let seen = busy::refused(scene).await;
    scene.server.signal("CONT");
    seen
}

async fn ends(scene: Arc<Scene>) -> String {
    let mut held = Vec::new();
    for _ in 0..EACH {
        let mut half_header = scene.dial.tls(EVIL, Host::Api, Protocol::Http1).await.unwrap();
        half_header.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut half_body = scene.dial.tls(EVIL, Host::Sandbox, Protocol::Http1).await.unwrap();
        let lines = "content-length: 10\r\n";
        half_body.write_all(head("POST", "/v1/jobs", Host::Sandbox, lines).as_bytes()).await.unwrap();
        held.push((half_header, half_body, scene.dial.plain(EVIL).await.unwrap()));
    }
    let Scene { server, dial, proxy: _proxy, .. } = Arc::into_inner(scene).unwrap();
    let began = Instant::now();
    let (ended, _data) = server.stop();
    let took = began.elapsed();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    expect(missed(&dial).await, 502, "temporarily_unavailable");
    format!("in {} ms with {} connections at nginx", took.as_millis(), 3 * EACH)
}

/// What two hosts answer in place of Argus: the contract's shape, and OAuth's.
async fn missed(dial: &Dial) -> [Answer; 2] {
    let api = head("GET", "/healthz", Host::Api, "");
    let form = "grant_type=client_credentials";
    let lines =
        format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n", form.len());
    let token = head("POST", "/v1/oauth/token", Host::Auth, &lines) + form;
    let (api, token) =
        tokio::join!(dial.ask(EVIL, Host::Api, api.as_bytes()), dial.ask(EVIL, Host::Auth, token.as_bytes()));
    [api, token]
}

fn expect([api, token]: [Answer; 2], status: u16, oauth_error: &str) {
    api.expect_error(status, "unavailable");
    let token = token.expect(status);
    assert_eq!(token.text("error"), oauth_error);
    for (answer, host) in [(&api, Host::Api), (&token, Host::Auth)] {
        answer.assert_standard_headers(host);
        assert_ne!(answer.header("retry-after"), "", "{answer:?}");
    }
}
