//! How much memory the service holds, whatever is sent to it and asked of it: lines without end, bombs, long
//! exports.

use super::{PROFILE_BYTES, fill};
use crate::black_box::jobs::{ended, enqueue, export};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Caller, Connection, Memory, TestProcess, scale, sql};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{Stream, StreamExt, stream};
use http::Method;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;
use tempfile::TempDir;

const MIB: usize = 1024 * 1024;
/// How much more than idle it may be while an import refuses what is too long.
const IMPORT_MAX: usize = 64 * MIB;
/// How much more it may be for each request whose body has not ended: as much as eight bodies of a token request, with
/// the buffers of its connection.
const UNFINISHED_MAX: usize = 128 * 1024;
/// How much it may be in all while it exports.
const EXPORT_MAX: usize = 128 * MIB;

/// A service of its own process, and somebody who may use it.
struct Scene {
    process: TestProcess,
    caller: Caller,
}

impl Scene {
    async fn set() -> Self {
        let process = TestProcess::start(binary(), &["dev", "--log", "warn"], TempDir::new().unwrap());
        let app = process.tenancy().app(&[Scope::JobsRead, Scope::JobsWrite]).await;
        let caller = Caller { host: Host::Api, token: app.live_token(&[]).await, tenancy: process.tenancy() };
        Self { process, caller }
    }

    /// How much memory it holds now; its peak begins here anew.
    fn idle(&self) -> usize {
        Memory::of(self.process.id()).idle()
    }

    /// The most that it held since.
    fn peak(&self) -> usize {
        Memory::of(self.process.id()).peak()
    }

    /// How an import of what is sent ends.
    async fn import(&self, content: impl Stream<Item = Bytes> + Send + 'static) -> Value {
        let offered = self.caller.send(self.caller.request(Method::POST, "/v1/uploads")).await.expect(201);
        let body = reqwest::Body::wrap_stream(content.map(Ok::<_, io::Error>));
        let sent = reqwest::Client::new().put(offered.text("upload_url")).body(body).send().await.unwrap();
        sent.error_for_status().unwrap();
        let payload = json!({"upload_ref": offered.text("upload_ref")});
        let id = enqueue(&self.caller, &json!({"kind": "import.bulk", "payload": payload})).await;
        ended(&self.caller, &id).await
    }
}

/// The same piece again and again.
fn repeated(piece: Bytes, times: usize) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::repeat(piece).take(times)
}

/// A member of a gzip file that inflates to this piece, so many times.
fn gzip(piece: &[u8], times: usize) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(piece).unwrap());
    encoder.finish().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_ends_is_refused_with_its_bound_and_line_and_held_nowhere() {
    let scene = Scene::set().await;
    let good = "{\"id\":\"p1\",\"kind\":\"device\",\"display_name\":\"A device\"}\n";
    let first = scene.import(stream::iter([Bytes::from(good)])).await;
    assert_eq!(first["status"], "succeeded", "{first}");
    let idle = scene.idle();
    let line = || repeated(Bytes::from(vec![b'x'; MIB]), scale(64, 1000));
    let begun = || stream::iter([Bytes::from(good)]);
    let bomb = gzip(&vec![b'x'; MIB], 16);
    for (content, at) in [(begun().chain(line()).boxed(), 2), (repeated(bomb, 64).boxed(), 1)] {
        let failed = scene.import(content).await;
        assert_eq!(failed["error"]["code"], "row_too_long", "{failed}");
        let message = format!("the row on line {at} has more than 65536 bytes");
        assert_eq!(failed["error"]["message"], message);
    }
    // A debug build takes half a minute to inflate what is too much.
    if scale(false, true) {
        let row = [&[b' '; 1023][..], b"\n"].concat();
        let member = gzip(&row, 100 * 1024);
        let failed = scene.import(repeated(member, 100)).await;
        let message = "the upload has more than 1073741824 bytes once it is inflated; reached at line 10485";
        assert_eq!(failed["error"]["code"], "upload_too_large", "{failed}");
        assert!(failed["error"]["message"].as_str().unwrap().starts_with(message), "{failed}");
    }
    let more = scene.peak().saturating_sub(idle);
    assert!(more < IMPORT_MAX, "{} MiB more than idle", more / MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_export_is_written_and_fetched_in_little_memory() {
    let scene = Scene::set().await;
    let least = scale(16 * MIB, 1024 * MIB);
    let database = format!("sqlite://{}", scene.process.data_dir().join("argus.db").display());
    let tenant_id = scene.process.ready_text("tenant_id");
    fill(&mut sql::connect(&database), tenant_id, least / PROFILE_BYTES + 1);
    let idle = scene.idle();
    for format in ["ndjson", "csv"] {
        let id = enqueue(&scene.caller, &export(format)).await;
        let path = format!("/v1/jobs/{id}");
        // A debug build writes a megabyte in a second.
        let job = loop {
            let job = scene.caller.get(&path).await.expect(200).json();
            if job["completed_at"].is_string() {
                break job;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(job["status"], "succeeded", "{job}");
        let url = scene.caller.get(&format!("/v1/jobs/{id}/result")).await.expect(200).text("signed_url");
        let mut blocks = reqwest::get(url).await.unwrap().error_for_status().unwrap().bytes_stream();
        let mut length = 0;
        while let Some(block) = blocks.next().await {
            length += block.unwrap().len();
        }
        assert!(length >= least, "{length}");
        let peak = scene.peak();
        assert!(peak < EXPORT_MAX, "{format}: {} MiB, idle {} MiB", peak / MIB, idle / MIB);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_requests_that_nobody_ends_take_little_memory_whoever_sends_them() {
    let scene = Scene::set().await;
    let address = scene.process.ready_text("auth").trim_start_matches("http://").to_owned();
    let row = ARGUS.rows.iter().find(|row| row.id == "oauth_token").unwrap();
    let form = vec![b'x'; row.body_max_bytes - 1];
    let head = format!(
        "POST /v1/oauth/token HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        form.len() + 1
    );
    let idle = scene.idle();
    let mut connections = Vec::new();
    for _ in 0..scale(200, 1000) {
        let mut connection = Connection::over(tokio::net::TcpStream::connect(&address).await.unwrap());
        connection.try_write(head.as_bytes()).await.unwrap();
        connection.try_write(&form).await.unwrap();
        connections.push(connection);
    }
    let count = connections.len();
    // Whoever is answered was read to its end or given up; all others were there meanwhile.
    for mut connection in connections {
        connection.write(b"x").await;
        let status = connection.response().await.status.as_u16();
        assert!([401, 408, 429].contains(&status), "{status}");
    }
    let each = scene.peak().saturating_sub(idle) / count;
    assert!(each < UNFINISHED_MAX, "{each} bytes for each");
}
