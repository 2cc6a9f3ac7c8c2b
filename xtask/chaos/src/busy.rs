//! More requests at a time than one address may have, in few connections of HTTP/2.

use crate::dial::Protocol;
use crate::refusals::assert_refusal;
use crate::scene::Scene;
use argus_openapi::Host;
use argus_tests::Answer;
use h2::client::ResponseFuture;
use http::Request;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::task::JoinSet;

/// An address of its own, since its requests are counted.
const BUSY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
/// `limit_conn requests` of nginx.conf.
const OF_ONE_ADDRESS: usize = 128;
/// `http2_max_concurrent_streams` of nginx.conf.
const STREAMS: usize = 32;
/// What is refused is refused at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection preface and an empty SETTINGS frame.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Asks until an address has its fill, while nobody answers, and judges the refusal.
pub async fn refused(scene: &Scene) -> String {
    let connections = OF_ONE_ADDRESS / STREAMS + 1;
    let mut answers = JoinSet::new();
    // They end with this.
    let mut open = JoinSet::new();
    for _ in 0..connections {
        let stream = scene.dial.tls(BUSY, Host::Api, Protocol::Http2).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        open.spawn(connection);
        for _ in 0..STREAMS {
            client = client.ready().await.unwrap();
            let request = Request::get(format!("{}/healthz", Host::Api.public_url())).body(()).unwrap();
            let (response, _) = client.send_request(request, true).unwrap();
            answers.spawn(answer(response));
        }
    }
    let refusal = tokio::time::timeout(PATIENCE, answers.join_next()).await;
    let refusal = refusal.expect("one request too many is refused").unwrap().unwrap();
    let message = refusal.expect_error(429, "rate_limited");
    assert_refusal(&refusal, Host::Api);
    assert_ne!(refusal.header("retry-after"), "", "{refusal:?}");
    format!("{message}, to {connections} connections of {STREAMS} requests each")
}

async fn answer(response: ResponseFuture) -> Answer {
    let (head, mut content) = response.await.unwrap().into_parts();
    let mut body = Vec::new();
    while let Some(data) = content.data().await {
        body.extend(data.unwrap());
    }
    Answer { status: head.status, headers: head.headers, body }
}
