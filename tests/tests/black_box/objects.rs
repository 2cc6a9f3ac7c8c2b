//! Signed URLs of objects, as whoever was given one uses them: downloads with their ranges, uploads, and all
//! that is refused.

use super::support::{binary, every_scope};
use argus_core::objects::{Collection, Error, ObjectKey, ObjectSettings, Objects, SignedUrl};
use argus_core::pepper::Pepper;
use argus_core::{Clock, ids::TenantId};
use argus_openapi::Host;
use argus_partner::claims::AUDIENCE_SANDBOX;
use argus_tests::{Answer, Installation, S3Server, TestProcess, TestServer, argus, claims, look_for};
use argus_wire::hex;
use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use futures::{StreamExt, stream};
use http::{HeaderValue, Method};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);

/// So many bytes that are not all alike.
fn bytes(length: usize) -> Bytes {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

fn key(collection: Collection, name: &str) -> ObjectKey {
    let tenant: TenantId = "tnt_1".parse().unwrap();
    ObjectKey::new(collection, &tenant, name).unwrap()
}

/// Path and query.
fn target(url: &SignedUrl) -> String {
    let url = url.url.expose();
    url[url.find("/objects/").unwrap()..].to_owned()
}

/// A server with an object, and where a signed URL of it leads.
struct Scene {
    server: TestServer,
    key: ObjectKey,
    content: Bytes,
    target: String,
}

impl Scene {
    async fn set(length: usize) -> Self {
        Self::set_on(TestServer::start(), length).await
    }

    async fn set_on(server: TestServer, length: usize) -> Self {
        let (key, content) = (key(Collection::Results, "01HFXY.csv"), bytes(length));
        put(&server.state().jobs.objects, &key, &content).await;
        let name = "export.csv".parse().unwrap();
        let url = server.state().jobs.objects.signed_url(&key, Some(&name), MINUTE).await.unwrap();
        Self { key, content, target: target(&url), server }
    }

    async fn ask(&self, method: Method, target: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.server.request(Host::Api, method, target);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = self.server.send(request).await;
        answer.assert_standard_headers(Host::Api);
        answer
    }

    async fn get(&self, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, &self.target, headers).await
    }
}

async fn put(objects: &Objects, key: &ObjectKey, content: &Bytes) {
    let mut writer = objects.put(key);
    writer.write(content.clone()).await.unwrap();
    writer.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_a_file_that_no_cache_keeps_and_no_browser_shows() {
    let scene = Scene::set(200_000).await;
    let answer = scene.get(&[]).await.expect(200);
    for (name, value) in [
        ("content-type", "text/csv; charset=utf-8"),
        ("content-length", "200000"),
        ("content-disposition", "attachment; filename=\"export.csv\""),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(answer.body == scene.content);
    let head = scene.ask(Method::HEAD, &scene.target, &[("range", "bytes=0-1")]).await.expect(200);
    assert!(head.body.is_empty());
    for name in ["content-type", "content-length", "content-disposition", "etag"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_what_was_asked_for_and_what_is_not_there_is_refused_with_the_length() {
    let scene = Scene::set(200_000).await;
    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=100-199999", 100..200_000),
        ("bytes=65000-140000", 65_000..140_001),
        ("bytes=199999-", 199_999..200_000),
        ("bytes=-7", 199_993..200_000),
        ("bytes=5-99999999999999999999", 5..200_000),
    ] {
        let answer = scene.get(&[("range", range)]).await.expect(206);
        let told = format!("bytes {}-{}/200000", part.start, part.end - 1);
        assert_eq!(answer.header("content-range"), told, "{range}");
        assert_eq!(answer.header("content-length"), part.len().to_string(), "{range}");
        assert!(answer.body == scene.content[part], "{range}");
    }
    for range in ["bytes=200000-", "bytes=-0"] {
        let answer = scene.get(&[("range", range)]).await;
        answer.expect_error(416, "range_not_satisfiable");
        assert_eq!(answer.header("content-range"), "bytes */200000", "{range}");
    }
    for range in ["bytes=0-1,5-6", "lines=1-2", "bytes=9-1", "nonsense"] {
        assert!(scene.get(&[("range", range)]).await.expect(200).body == scene.content, "{range}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_where_it_broke_off_unless_it_is_another_file_by_now() {
    let scene = Scene::set(200_000).await;
    let first = scene.get(&[("range", "bytes=0-99999")]).await.expect(206);
    let tag = first.header("etag").to_owned();
    let rest = scene.get(&[("range", "bytes=100000-"), ("if-range", &tag)]).await.expect(206);
    assert!([first.body, rest.body].concat() == scene.content);
    for other in ["\"other\"", "W/\"a\"", "Sun, 29 Nov 2026 19:00:00 GMT"] {
        scene.get(&[("range", "bytes=100000-"), ("if-range", other)]).await.expect(200);
    }
    scene.get(&[("range", "bytes=100000-"), ("if-match", &tag)]).await.expect(206);
    put(&scene.server.state().jobs.objects, &scene.key, &bytes(50)).await;
    scene.get(&[("range", "bytes=10-"), ("if-match", &tag)]).await.expect_error(412, "precondition_failed");
    let whole = scene.get(&[("range", "bytes=10-"), ("if-range", &tag)]).await.expect(200);
    assert!(whole.body == bytes(50) && whole.header("etag") != tag);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_was_altered_or_is_for_something_else_opens_nothing() {
    let scene = Scene::set(10).await;
    for (from, to) in [
        ("01HFXY.csv", "01HFXZ.csv"),
        ("tnt_1", "tnt_2"),
        ("results", "uploads"),
        ("expires=1", "expires=2"),
        ("name=export.csv", "name=export.exe"),
        ("&name=export.csv", ""),
        ("export", "e%78port"),
        ("signature=", "signature=A"),
        ("&signature=", "&max_bytes=10&signature="),
    ] {
        let altered = scene.target.replacen(from, to, 1);
        assert_ne!(altered, scene.target, "{from}");
        for method in [Method::GET, Method::PUT] {
            scene.ask(method, &altered, &[]).await.expect_error(403, "signed_url_invalid");
        }
    }
    scene.ask(Method::PUT, &scene.target, &[]).await.expect_error(403, "signed_url_invalid");
    scene.server.get(Host::Auth, &scene.target, None).await.expect_error(404, "not_found");
    // The sandbox signs URLs of its own, by which nothing can be read that is kept.
    scene.server.get(Host::Sandbox, &scene.target, None).await.expect_error(403, "signed_url_invalid");
    assert!(scene.get(&[]).await.expect(200).body == scene.content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_ends_with_its_time_and_an_object_that_is_gone_is_404() {
    let clock = Clock::standing(Utc::now());
    let server = TestServer::start_on(Installation::sqlite(), clock.clone());
    let scene = Scene::set_on(server, 10).await;
    clock.advance(TimeDelta::seconds(58));
    scene.get(&[]).await.expect(200);
    scene.server.state().jobs.objects.delete(&scene.key).await.unwrap();
    scene.get(&[]).await.expect_error(404, "not_found");
    clock.advance(TimeDelta::seconds(2));
    scene.get(&[]).await.expect_error(403, "signed_url_expired");
}

/// A server, and where an upload of at most a million bytes goes.
async fn for_an_upload(server: TestServer) -> Scene {
    let key = key(Collection::Uploads, "01HFXZ.ndjson");
    let url = server.state().jobs.objects.upload_url(&key, 1_000_000, MINUTE).unwrap();
    Scene { target: target(&url), content: bytes(1_000_000), key, server }
}

/// The content in pieces, without a length.
fn pieces(content: &Bytes) -> reqwest::Body {
    let pieces: Vec<_> =
        content.chunks(70_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    reqwest::Body::wrap_stream(stream::iter(pieces))
}

async fn an_upload_is_kept_as_it_came(server: TestServer) {
    let scene = for_an_upload(server).await;
    let objects = &scene.server.state().jobs.objects;
    for length in [1_000_000, 5, 0] {
        let content = scene.content.slice(..length);
        let request = scene.server.request(Host::Api, Method::PUT, &scene.target).body(pieces(&content));
        let answer = scene.server.send(request).await.expect(201).json();
        assert_eq!(answer["length"], length);
        assert_eq!(answer["sha256"], hex::encode(digest(&SHA256, &content).as_ref()));
        assert_eq!(objects.head(&scene.key).await.unwrap().length, length as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_kept_as_it_came_in_a_directory() {
    an_upload_is_kept_as_it_came(TestServer::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_kept_as_it_came_in_a_bucket() {
    let s3 = S3Server::start().await;
    let mut installation = Installation::sqlite();
    installation.settings.objects = s3.settings();
    an_upload_is_kept_as_it_came(installation.into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_too_long_or_breaks_off_is_not_kept() {
    let scene = for_an_upload(TestServer::start()).await;
    let objects = &scene.server.state().jobs.objects;
    let long = bytes(1_000_001);
    // Once with a length, and once without.
    for body in [reqwest::Body::from(long.clone()), pieces(&long)] {
        let request = scene.server.request(Host::Api, Method::PUT, &scene.target).body(body);
        let message = scene.server.send(request).await.expect_error(413, "body_too_large");
        assert!(message.contains("1000000"), "{message}");
    }
    let mut connection = scene.server.open(Host::Api).await;
    let head = format!("PUT {} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc", scene.target);
    connection.write(head.as_bytes()).await;
    drop(connection);
    assert!(matches!(objects.head(&scene.key).await, Err(Error::NotFound)));
    scene.server.assert_alive().await;
    let half = scene.server.data_dir().join("objects/uploads/tnt_1");
    let is_clean =
        || std::fs::read_dir(&half).is_ok_and(|mut files| files.next().is_none()) || !half.exists();
    assert!(look_for(|| is_clean().then_some(())).is_some());
}

/// The response without its own moment and identifiers, and without its own entity tag.
fn comparable(answer: &Answer) -> String {
    let mut answer = answer.clone();
    for name in ["x-argus-trace-id", "x-argus-span-id", "traceparent", "x-argus-sandbox"] {
        answer.headers.remove(name);
    }
    if let Some(tag) = answer.headers.get_mut("etag") {
        *tag = HeaderValue::from_static("<its own>");
    }
    answer.replayable()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_gives_out_its_files_as_the_live_host_does() {
    let server = TestServer::start();
    let token = server.sign(&claims(AUDIENCE_SANDBOX, "tnt_1", &every_scope()));
    let body = json!({"kind": "export.bulk", "payload": {"format": "csv"}});
    let job = server.post(Host::Sandbox, "/v1/jobs", &token, &body).await.expect(201).text("id");
    let result = server.get(Host::Sandbox, &format!("/v1/jobs/{job}/result"), Some(&token)).await.expect(200);
    let url = result.text("signed_url");
    let synthetic = url.strip_prefix(&server.url(Host::Sandbox, "")).unwrap().to_owned();
    let content = server.get(Host::Sandbox, &synthetic, None).await.expect(200).body;
    let length = content.len();

    let name = format!("{job}.csv");
    let key = key(Collection::Results, &name);
    put(&server.state().jobs.objects, &key, &content.into()).await;
    let name = name.parse().unwrap();
    let live = target(&server.state().jobs.objects.signed_url(&key, Some(&name), MINUTE).await.unwrap());

    let beyond = format!("bytes={length}-");
    let asked: [&[(&str, &str)]; 11] = [
        &[],
        &[("range", "bytes=0-99")],
        &[("range", "bytes=100-")],
        &[("range", "bytes=-5")],
        &[("range", &beyond)],
        &[("range", "bytes=0-1,5-6")],
        &[("range", "bytes=7-"), ("if-range", "<own>")],
        &[("range", "bytes=7-"), ("if-range", "\"other\"")],
        &[("if-match", "<own>")],
        &[("if-match", "\"other\"")],
        &[("if-none-match", "<own>")],
    ];
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT] {
        for headers in asked {
            let mut answers = Vec::new();
            for (host, target) in [(Host::Api, &live), (Host::Sandbox, &synthetic)] {
                let own = server.get(host, target, None).await.header("etag").to_owned();
                let request = server.request(host, method.clone(), target);
                let request = headers.iter().fold(request, |request, (name, value)| {
                    request.header(*name, if *value == "<own>" { own.as_str() } else { *value })
                });
                answers.push(comparable(&server.send(request).await));
            }
            assert_eq!(answers[0], answers[1], "{method} {headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_takes_an_upload_as_the_live_host_does_and_keeps_nothing() {
    let server = TestServer::start();
    let mut targets = Vec::new();
    for host in [Host::Api, Host::Sandbox] {
        let token = server.sign(&server.claims(host, "tnt_1", &every_scope()));
        let upload =
            server.bare(host, Method::POST, "/v1/uploads", &token).await.expect(201).text("upload_url");
        targets.push((host, upload.strip_prefix(&server.url(host, "")).unwrap().to_owned()));
    }
    let content = bytes(300_000);
    for (length, in_pieces) in [(300_000, false), (300_000, true), (0, false)] {
        let mut answers = Vec::new();
        for (host, target) in &targets {
            let content = content.slice(..length);
            let body = if in_pieces { pieces(&content) } else { content.into() };
            let request = server.request(*host, Method::PUT, target).body(body);
            answers.push(server.send(request).await.expect(201));
        }
        assert_eq!(comparable(&answers[0]), comparable(&answers[1]));
        assert_eq!(answers[1].json()["length"], length);
    }
    let mut answers = Vec::new();
    for (host, target) in &targets {
        let head =
            format!("PUT {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", (1_u64 << 30) + 1);
        let mut connection = server.open(*host).await;
        connection.write(head.as_bytes()).await;
        let answer = connection.response().await;
        answer.expect_error(413, "body_too_large");
        answers.push(comparable(&answer));
        server.get(*host, target, None).await.expect_error(403, "signed_url_invalid");
    }
    assert_eq!(answers[0], answers[1]);
    assert!(!server.data_dir().join("objects/uploads/tnt_sandbox").exists());
}

/// The objects of a process, which the test shares.
fn objects_of(process: &TestProcess) -> Objects {
    let pepper = Arc::new(Pepper::read(&process.data_dir()).unwrap().unwrap());
    let settings = ObjectSettings::embedded(&process.data_dir());
    let objects = Objects::open(&settings, pepper, Clock::system()).unwrap();
    objects.under(format!("http://{}", process.address(Host::Api)))
}

/// The most memory that a process has had, in MiB. Elsewhere than on Linux nobody tells.
fn peak_of(process: &TestProcess) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_may_be_long_and_its_reader_slow_and_neither_takes_memory_nor_is_its_url_logged() {
    const LENGTH: u64 = 200 << 20;
    let process = TestProcess::dev(binary());
    let objects = objects_of(&process);
    let key = key(Collection::Uploads, "long");
    let before = peak_of(&process);
    let block = bytes(1 << 20);
    let blocks = stream::iter((0..200).map(move |_| Ok::<_, std::io::Error>(block.clone())));
    let upload = objects.upload_url(&key, LENGTH, MINUTE * 10).unwrap();
    let request = process.request(Host::Api, Method::PUT, &target(&upload));
    let answer = process.send(request.body(reqwest::Body::wrap_stream(blocks))).await.expect(201).json();
    assert_eq!(answer["length"], LENGTH);

    // One who has read the head and nothing of the body, beside one who reads it all.
    let url = objects.signed_url(&key, None, MINUTE * 10).await.unwrap();
    let mut slow = process.open(Host::Api).await;
    slow.write(format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", target(&url)).as_bytes()).await;
    slow.read_until(b"\r\n\r\n").await;
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let mut body = client.get(url.url.expose()).send().await.unwrap().bytes_stream();
    let (mut digest, mut length) = (Context::new(&SHA256), 0);
    while let Some(piece) = body.next().await {
        let piece = piece.unwrap();
        length += piece.len() as u64;
        digest.update(&piece);
    }
    assert_eq!(length, LENGTH);
    assert_eq!(answer["sha256"], hex::encode(digest.finish().as_ref()));
    let took = peak_of(&process) - before;
    assert!(took < 64, "{took} MiB");
    drop(slow);
    objects.delete(&key).await.unwrap();

    let (ended, _directory) = process.stop();
    for url in [upload, url] {
        let (_, signature) = url.url.expose().rsplit_once('=').unwrap();
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(signature), "a signature was logged");
    }
}

#[test]
fn many_nodes_are_told_where_their_objects_are_before_they_start() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    // Nobody listens there; whoever gets so far has been let through.
    let database = "postgres://argus@127.0.0.1:1/argus";
    let said = |objects: &[&str]| {
        let arguments = [&["serve", "--database-url", database], objects].concat();
        let output = argus(binary(), &data_dir, &arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let own = format!("file://{}", data_dir.join("objects").display());
    for objects in [&[][..], &["--objects", &own]] {
        let said = said(objects);
        assert!(said.contains("--objects") && said.contains("?shared=true"), "{said}");
        assert!(!data_dir.exists());
    }
    let shared = format!("{own}?shared=true");
    for objects in ["s3://argus", &shared] {
        let said = said(&["--objects", objects]);
        assert!(!said.contains("--objects"), "{said}");
    }
    for objects in ["objects", "/srv/objects", "https://argus.example"] {
        let said = said(&["--objects", objects]);
        assert!(said.contains("file://PATH"), "{said}");
    }
}
