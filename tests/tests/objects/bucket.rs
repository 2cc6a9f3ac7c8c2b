//! What holds for a bucket alone: URLs that it gives its objects out by, as its own server judges them.

use super::{Store, bytes, key};
use argus_core::Clock;
use argus_core::objects::{Error, ObjectSettings, Objects};
use argus_core::pepper::Pepper;
use reqwest::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, RANGE};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

async fn with_an_object() -> (Store, String) {
    let store = Store::in_a_bucket().await;
    let mut writer = store.objects.put(&key("a.csv"));
    writer.write(bytes(1_000)).await.unwrap();
    writer.finish().await.unwrap();
    let name = "export.csv".parse().unwrap();
    let url = store.objects.signed_url(&key("a.csv"), Some(&name), HOUR).await.unwrap();
    (store, url.url.expose().to_owned())
}

async fn get(url: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    client.get(url).header(RANGE, "bytes=10-19").send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_gives_the_object_out_under_its_name_and_in_parts() {
    let (_store, url) = with_an_object().await;
    let response = get(&url).await;
    assert_eq!(response.status(), 206, "{response:?}");
    let header = |name| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(CONTENT_DISPOSITION), "attachment; filename=\"export.csv\"");
    assert_eq!(header(CONTENT_TYPE), "text/csv; charset=utf-8");
    assert_eq!(header(CACHE_CONTROL), "private, no-store");
    assert_eq!(response.bytes().await.unwrap(), bytes(1_000).slice(10..20));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_takes_no_presigned_url_that_was_altered() {
    let (_store, url) = with_an_object().await;
    for (from, to) in [
        ("a.csv?", "b.csv?"),
        ("export.csv", "export.exe"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=3601"),
        ("no-store", "x-store"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
    ] {
        let altered = url.replacen(from, to, 1);
        assert_ne!(altered, url, "{from}");
        let status = get(&altered).await.status();
        assert!(status == 403 || status == 400, "{from}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_out_of_reach_is_an_error_and_not_a_wait() {
    let (store, _) = with_an_object().await;
    let mut settings: ObjectSettings = store.server.as_ref().unwrap().settings();
    settings.s3.secret_access_key = Some("another secret".to_owned().into());
    let pepper = Arc::new(Pepper::open(&store.directory.path().join("data")).unwrap());
    let stranger = Objects::open(&settings, pepper, Clock::system()).unwrap();
    let error = stranger.head(&key("a.csv")).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(!format!("{error} {settings:?} {stranger:?}").contains("another secret"), "{error}");
}
