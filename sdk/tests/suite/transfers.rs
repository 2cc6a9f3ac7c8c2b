//! Results to files, and files to uploads.

use crate::support::{Answer, Asked, Server, bytes, error, hang_up, json};
use argus_sdk::types::ImportJob;
use argus_sdk::{ErrorKind, TransferError};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const CONTENT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const TAG: &str = "\"tag\"";
/// What a signed URL of these tests brings, so that it is known where it must not show.
const SIGNATURE: &str = "hunter2";

/// A server whose job has a result, of which a request gets what `file` says.
async fn with_result(file: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.line.as_str() {
        "GET /sandbox/v1/jobs/j/result" => {
            let base = format!("http://{}", asked.header("host").unwrap());
            // Another URL each time.
            let url = format!("{base}/files/j?number={}&signature={SIGNATURE}", asked.before);
            json(200, &json!({ "id": "j", "status": "succeeded", "result_ref": "r", "signed_url": url }))
        }
        _ => file(asked),
    })
    .await
}

/// The whole, or the part that is asked for.
fn whole_or_part(asked: &Asked) -> Answer {
    let first = asked.header("range").map(|range| range[6..range.len() - 1].parse::<usize>().unwrap());
    match first {
        Some(first) if asked.header("if-range") == Some(TAG) => part(first),
        _ => bytes(200, CONTENT).with("etag", TAG),
    }
}

fn part(first: usize) -> Answer {
    let told = format!("bytes {first}-{}/{}", CONTENT.len() - 1, CONTENT.len());
    bytes(206, &CONTENT[first..]).with("etag", TAG).with("content-range", &told)
}

/// The answer, of which the connection brings so many bytes only.
fn cut(answer: Answer, length: usize) -> Answer {
    answer.cut_after(length)
}

struct Place {
    _directory: TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { file: directory.path().join("result.ndjson"), _directory: directory }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.file.display()))
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.file.parent().unwrap()).unwrap().count()
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_result_becomes_a_file_and_its_url_is_shown_no_token() {
    let (server, place) = (with_result(whole_or_part).await, Place::new());
    std::fs::write(&place.file, "an older result").unwrap();
    let downloaded = server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((downloaded.path.as_path(), downloaded.length), (place.file.as_path(), 36));
    assert_eq!((read(&place.file).as_slice(), place.files()), (CONTENT, 1));
    let asked = server.asked();
    let [result, file] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(result.header("authorization"), Some("Bearer fixed"));
    assert!(file.line.starts_with("GET /files/j?"), "{}", file.line);
    assert!(file.headers.values().all(|value| !value.to_str().unwrap().contains("fixed")), "{file:?}");
    assert_eq!(file.header("authorization"), None);
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was_as_often_as_it_takes() {
    let file = |asked: &Asked| cut(whole_or_part(asked), 5);
    let (server, place) = (with_result(file).await, Place::new());
    server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((read(&place.file).as_slice(), place.files()), (CONTENT, 1));
    let ranges: Vec<_> =
        server.asked().iter().filter_map(|asked| asked.header("range").map(str::to_owned)).collect();
    // Five bytes at a time, the last of which are the 36th.
    assert_eq!(ranges, [5, 10, 15, 20, 25, 30, 35].map(|first| format!("bytes={first}-")));
}

#[tokio::test]
async fn a_download_goes_on_in_another_process() {
    let nothing_more = |asked: &Asked| {
        if asked.header("range").is_some() { hang_up() } else { cut(whole_or_part(asked), 7) }
    };
    let (server, place) = (with_result(nothing_more).await, Place::new());
    let failed = server.client().download_result("j", &place.file).await.unwrap_err();
    assert!(
        matches!(&failed, TransferError::Call(error) if error.kind() == ErrorKind::Transport),
        "{failed:?}"
    );
    assert!(!format!("{failed} {failed:?}").contains(SIGNATURE));
    assert!(!place.file.exists());
    assert_eq!(read(&place.beside(".part")), &CONTENT[..7]);

    let server = with_result(whole_or_part).await;
    server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((read(&place.file).as_slice(), place.files()), (CONTENT, 1));
    assert_eq!(server.asked()[1].header("range"), Some("bytes=7-"));
}

#[tokio::test]
async fn a_part_of_another_file_is_thrown_away() {
    let place = Place::new();
    std::fs::write(place.beside(".part"), "the beginning of something else").unwrap();
    std::fs::write(place.beside(".part.tag"), "\"else\"").unwrap();
    let server = with_result(whole_or_part).await;
    server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((read(&place.file).as_slice(), place.files()), (CONTENT, 1));
    assert_eq!(server.asked()[1].header("if-range"), Some("\"else\""));
}

#[tokio::test]
async fn a_part_without_a_tag_is_no_part() {
    let place = Place::new();
    std::fs::write(place.beside(".part"), "whatever").unwrap();
    let server = with_result(|asked| {
        assert_eq!(asked.header("range"), None);
        bytes(200, CONTENT)
            .with("etag", "W/\"weak\"")
            .cut_after(if asked.before == 0 && asked.line.contains("number=0") { 9 } else { 99 })
    })
    .await;
    server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((read(&place.file).as_slice(), place.files()), (CONTENT, 1));
}

#[tokio::test]
async fn a_part_that_is_whole_already_needs_its_name_alone() {
    let place = Place::new();
    std::fs::write(place.beside(".part"), CONTENT).unwrap();
    std::fs::write(place.beside(".part.tag"), TAG).unwrap();
    let server =
        with_result(|_| error(416, "range_not_satisfiable").with("content-range", "bytes */36")).await;
    let downloaded = server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((downloaded.length, read(&place.file).as_slice(), place.files()), (36, CONTENT, 1));
}

#[tokio::test]
async fn a_url_that_has_expired_is_made_up_for_by_another_one() {
    let file = |asked: &Asked| match asked.line.as_str() {
        line if line.contains("number=0&") => cut(whole_or_part(asked), 10),
        line if line.contains("number=1&") => error(403, "signed_url_expired"),
        _ => whole_or_part(asked),
    };
    let (server, place) = (with_result(file).await, Place::new());
    server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!(read(&place.file), CONTENT);
    let last = server.asked().pop().unwrap();
    assert_eq!(last.header("range"), Some("bytes=10-"));
}

#[tokio::test]
async fn a_rest_that_is_of_another_file_starts_the_download_anew() {
    let file = |asked: &Asked| match asked.header("range") {
        None if asked.line.contains("number=0&") => cut(whole_or_part(asked), 10),
        // A server that does not mind If-Range.
        Some(_) => part(10).with("etag", "\"other\""),
        None => whole_or_part(asked),
    };
    let (server, place) = (with_result(file).await, Place::new());
    server.client().download_result("j", &place.file).await.unwrap();
    assert_eq!((read(&place.file).as_slice(), place.files()), (CONTENT, 1));
    assert_eq!(server.asked().last().unwrap().header("range"), None);
}

#[tokio::test]
async fn a_job_without_a_result_and_a_place_that_cannot_be_written_are_told() {
    let running = Server::start(|_| json(202, &json!({ "status": "running", "progress_pct": 40 }))).await;
    let place = Place::new();
    let failed = running.client().download_result("j", &place.file).await.unwrap_err();
    assert!(matches!(failed, TransferError::NotReady { progress_pct: 40 }), "{failed:?}");
    let gone = Server::start(|_| error(410, "gone")).await;
    let failed = gone.client().download_result("j", &place.file).await.unwrap_err();
    assert!(matches!(&failed, TransferError::Call(error) if error.kind() == ErrorKind::Gone), "{failed:?}");
    assert_eq!(gone.lines().len(), 1);
    let nowhere = place.file.join("below/a/file");
    std::fs::write(&place.file, "").unwrap();
    let failed = gone.client().download_result("j", &nowhere).await.unwrap_err();
    assert!(matches!(failed, TransferError::File { .. }), "{failed:?}");
}

#[tokio::test]
async fn two_downloads_to_one_file_do_not_mix() {
    let place = Place::new();
    let held = std::fs::File::create(place.beside(".part")).unwrap();
    held.try_lock().unwrap();
    let server = with_result(whole_or_part).await;
    let failed = server.client().download_result("j", &place.file).await.unwrap_err();
    assert!(matches!(failed, TransferError::File { .. }), "{failed:?}");
    assert!(server.lines().is_empty());
}

/// A server that takes uploads, and answers to them as `answer` says.
async fn taking(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.line.as_str() {
        "POST /sandbox/v1/uploads" => {
            let url = format!("http://{}/files/u?signature={SIGNATURE}", asked.header("host").unwrap());
            let expires = "2026-05-08T13:00:00Z";
            json(201, &json!({ "upload_ref": "upl_1", "upload_url": url, "expires_at": expires }))
        }
        _ => answer(asked),
    })
    .await
}

fn stored(asked: &Asked) -> Answer {
    let digest = argus_wire::hex::encode(&Sha256::digest(asked.body.as_bytes()));
    json(201, &json!({ "length": asked.body.len(), "sha256": digest }))
}

#[tokio::test]
async fn a_file_is_sent_whole_with_its_length_and_without_a_token() {
    let place = Place::new();
    let content = "a line\n".repeat(30_000);
    std::fs::write(&place.file, &content).unwrap();
    let server = taking(stored).await;
    let upload = server.client().upload_file(&place.file).await.unwrap();
    assert_eq!(ImportJob::of_upload(&upload).payload.upload_ref.as_deref(), Some("upl_1"));
    let asked = server.asked();
    let [offered, sent] = asked.as_slice() else { panic!("{} requests", asked.len()) };
    assert_eq!(offered.header("authorization"), Some("Bearer fixed"));
    assert!(sent.line.starts_with("PUT /files/u?") && sent.body == content);
    assert_eq!(sent.header("authorization"), None);
    assert_eq!(sent.header("content-length"), Some(content.len().to_string().as_str()));
}

#[tokio::test]
async fn an_upload_that_breaks_off_or_arrives_changed_is_sent_again() {
    let place = Place::new();
    std::fs::write(&place.file, CONTENT).unwrap();
    let server = taking(|asked| match asked.before {
        0 => hang_up(),
        1 => error(403, "signed_url_expired"),
        _ => stored(asked),
    })
    .await;
    server.client().upload_file(&place.file).await.unwrap();
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("PUT")).count(), 3);

    let changed = taking(|_| json(201, &json!({ "length": 36, "sha256": "00" }))).await;
    let failed = changed.client().upload_file(&place.file).await.unwrap_err();
    assert!(failed.to_string().contains("not what was sent"), "{failed}");
    assert!(!format!("{failed:?}").contains(SIGNATURE));
    let long = taking(|_| error(413, "body_too_large")).await;
    long.client().upload_file(&place.file).await.unwrap_err();
    assert_eq!(long.lines().len(), 2, "it would be too long the next time as well");
}

#[tokio::test]
async fn a_transfer_that_stands_still_ends_and_one_that_flows_does_not() {
    // The whole takes longer than one attempt may; no step of it does.
    let place = Place::new();
    let client = |server: &Server| server.builder().timeout(Duration::from_millis(400)).build().unwrap();
    let slow = with_result(|asked| whole_or_part(asked).slowly(Duration::from_millis(40))).await;
    client(&slow).download_result("j", &place.file).await.unwrap();
    assert_eq!(read(&place.file), CONTENT);
    assert_eq!(slow.lines().len(), 2, "it was not asked for twice");

    let still = with_result(|asked| whole_or_part(asked).slowly(Duration::from_secs(3_600))).await;
    let failed = client(&still).download_result("j", &place.file).await.unwrap_err();
    assert!(failed.to_string().contains("stood still"), "{failed}");
}
