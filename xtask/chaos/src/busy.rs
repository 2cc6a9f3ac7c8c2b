//! More requests at a time than one address may have, in few connections of HTTP/2.

use crate::dial::Protocol;
use crate::scene::Scene;
use argus_openapi::Host;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An address of its own, since its requests are counted.
const BUSY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
/// `limit_conn requests` of nginx.conf.
const OF_ONE_ADDRESS: usize = 128;
/// `http2_max_concurrent_streams` of nginx.conf.
const STREAMS: u8 = 32;
/// What is refused is refused at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection preface and an empty SETTINGS frame.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Asks until an address has its fill, while nobody answers, and reads the refusal.
pub async fn refused(scene: &Scene) -> String {
    let mut busy = Vec::new();
    for _ in 0..=OF_ONE_ADDRESS / usize::from(STREAMS) {
        let mut stream = scene.dial.tls(BUSY, Host::Api, Protocol::Http2).await.unwrap();
        stream.write_all(&requests()).await.unwrap();
        stream.flush().await.unwrap();
        busy.push(stream);
    }
    let last = busy.last_mut().unwrap();
    let mut read = Vec::new();
    let refusal = async {
        // The status of a header block is plain digits, and so is the body.
        while !(contains(&read, b"429") && contains(&read, b"\"rate_limited\"")) {
            assert_ne!(last.read_buf(&mut read).await.unwrap(), 0, "the connection ends");
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refusal).await.is_ok();
    assert!(refused, "no 429 in {:?}", String::from_utf8_lossy(&read));
    format!("{} connections of {STREAMS} requests each", busy.len())
}

/// As many requests as one connection takes at a time.
fn requests() -> Vec<u8> {
    let name = Host::Api.public_url().trim_start_matches("https://");
    // :method GET and :scheme https of the static table; :path and :authority written out (RFC 7541, appendix A).
    let mut block = vec![0x82, 0x87, 0x04];
    for text in ["/healthz", name] {
        block.push(u8::try_from(text.len()).unwrap());
        block.extend(text.as_bytes());
        block.push(0x01);
    }
    block.pop();
    let mut bytes = PREFACE.to_vec();
    for number in 0..STREAMS {
        // HEADERS that end both themselves and their stream.
        bytes.extend([0, 0, u8::try_from(block.len()).unwrap(), 0x01, 0x05, 0, 0, 0, 2 * number + 1]);
        bytes.extend(&block);
    }
    bytes
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
