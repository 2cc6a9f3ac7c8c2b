//! How much memory the service holds, whatever is sent to it and asked of it: lines without end, bombs, long
//! exports.

use super::{PROFILE_BYTES, fill};
use crate::black_box::jobs::{ended, enqueue, export};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Caller, TestProcess, scale, sql};
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

    /// A line of what the kernel tells of the process, in bytes.
    fn told(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// How much it holds now; its peak begins here anew.
    fn idle(&self) -> usize {
        std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5").unwrap();
        self.told("VmRSS:")
    }

    /// The most that it held since.
    fn peak(&self) -> usize {
        self.told("VmHWM:")
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
