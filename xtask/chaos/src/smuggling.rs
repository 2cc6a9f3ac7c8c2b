//! Requests that end for one reader earlier than for another. A second request that hides in the first is
//! one that Argus answers and nginx has not seen.

use crate::dial::{EVIL, Protocol, head};
use crate::report::Report;
use crate::scene::Scene;
use argus_openapi::Host;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// nginx ends what it takes for half a request after 10 seconds.
const PATIENCE: Duration = Duration::from_secs(14);
/// Until the access log, which is written every second, has everything.
const LOG_DELAY: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);

/// Framing and what follows the head: each may end, for somebody, before the second request.
const FORMS: [(&str, &str, &str); 8] = [
    ("a trailer that ends in a bare LF", "transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\nx: y\n\r\n"),
    ("trailers that end in two bare LF", "transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\nx: y\n\n"),
    ("trailers whose last line is a bare LF", "transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\nx: y\r\n\n"),
    ("a trailer that is a request", "transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\nx: y\n"),
    ("a last chunk that ends in a bare LF", "transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\n\n"),
    ("a chunk whose size ends in a bare LF", "transfer-encoding: chunked\r\n", "2\n{}\r\n0\r\n\r\n"),
    ("both framings", "content-length: 2\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
    ("two lengths", "content-length: 2\r\ncontent-length: 60\r\n", "{}"),
];

/// Sends all of them at once.
pub async fn run(scene: &Arc<Scene>, report: &mut Report) {
    let sent: Vec<_> = FORMS
        .into_iter()
        .enumerate()
        .map(|(number, (name, lines, after))| {
            let scene = Arc::clone(scene);
            (name, tokio::spawn(async move { smuggled(&scene, number, lines, after).await }))
        })
        .collect();
    for (name, sent) in sent {
        report.check(&format!("no request hides behind {name}"), async { sent.await.unwrap() }).await;
    }
}

async fn smuggled(scene: &Scene, number: usize, lines: &str, after: &str) -> String {
    let hidden = format!("/smuggled-{number}");
    let request = head("POST", "/v1/jobs", Host::Sandbox, lines)
        + after
        + &head("GET", &hidden, Host::Sandbox, "")
        // The last one, so that all before it have been answered.
        + &head("GET", "/v1/sandbox/scenarios", Host::Sandbox, "connection: close\r\n");
    let mut stream = scene.dial.tls(EVIL, Host::Sandbox, Protocol::Http1).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    let read = stream.read_to_end(&mut answers);
    assert!(tokio::time::timeout(PATIENCE, read).await.is_ok(), "the connection stays open");
    let answers = String::from_utf8_lossy(&answers).matches("HTTP/1.1 ").count();

    // nginx writes its log with a delay.
    let settled = Instant::now() + LOG_DELAY;
    let (nginx, argus) = loop {
        tokio::time::sleep(PAUSE).await;
        let nginx = scene.proxy.access_log().matches(&format!("\"GET {hidden}\"")).count();
        let argus = scene.server.stderr();
        let argus =
            argus.lines().filter(|line| line.contains("request completed") && line.contains(&hidden)).count();
        if nginx > 0 || Instant::now() > settled {
            break (nginx, argus);
        }
    };
    assert!(argus <= nginx, "Argus answered {argus} of which nginx has seen {nginx}");
    format!("{answers} answers; nginx read the second request {nginx} times, Argus {argus} times")
}
