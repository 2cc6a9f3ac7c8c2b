//! What holds for every store.

use super::{Store, bytes, key, tenant};
use argus_core::objects::{Blocks, Collection, Error, ObjectKey, Objects, Stored};
use argus_wire::hex;
use aws_lc_rs::digest::{SHA256, digest};
use futures::TryStreamExt;
use std::time::Duration;

/// More than a part of it: it is sent in several.
const LONG: usize = 11 * 1024 * 1024 + 7;

async fn stores() -> [Store; 2] {
    [Store::in_a_directory(), Store::in_a_bucket().await]
}

async fn put(objects: &Objects, key: &ObjectKey, content: &bytes::Bytes) -> Stored {
    let mut writer = objects.put(key);
    for at in (0..content.len()).step_by(100_000) {
        writer.write(content.slice(at..content.len().min(at + 100_000))).await.unwrap();
    }
    writer.finish().await.unwrap()
}

async fn all(blocks: Blocks) -> Vec<u8> {
    blocks
        .try_fold(Vec::new(), async |mut all, block| {
            all.extend(block);
            Ok(all)
        })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_whole_and_in_parts() {
    for store in stores().await {
        let objects = &store.objects;
        for length in [0, 1, 100_000, LONG] {
            let (key, content) = (key("a.ndjson"), bytes(length));
            let stored = put(objects, &key, &content).await;
            let sha256 = hex::encode(digest(&SHA256, &content).as_ref());
            assert_eq!(stored, Stored { length: length as u64, sha256 });
            let (head, blocks) = objects.open_object(&key).await.unwrap();
            assert_eq!(head.length, length as u64);
            assert!(all(blocks).await == content, "{objects:?} gives other bytes");
            let length = length as u64;
            for range in [0..1, 0..length, length / 2..length, length.saturating_sub(1)..length, 3..70_000] {
                let blocks = objects.read(&key, &head, range.clone()).await.unwrap();
                let (start, end) = (range.start.min(length) as usize, range.end.min(length) as usize);
                assert!(all(blocks).await == content[start.min(end)..end], "{objects:?}: {range:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_not_finished_never_was() {
    for store in stores().await {
        for is_dropped in [false, true] {
            let key = key("half");
            let mut writer = store.objects.put(&key);
            for _ in 0..LONG / 1_000_000 {
                writer.write(bytes(1_000_000)).await.unwrap();
            }
            match is_dropped {
                false => writer.abort().await,
                true => drop(writer),
            }
            let gone = argus_tests::look_for(|| store.files().is_empty().then_some(()));
            assert!(gone.is_some(), "{:?}", store.files());
            assert!(matches!(store.objects.head(&key).await, Err(Error::NotFound)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found_and_removing_it_is_no_error() {
    for store in stores().await {
        let (objects, key) = (&store.objects, key("a"));
        assert!(matches!(objects.head(&key).await, Err(Error::NotFound)));
        objects.delete(&key).await.unwrap();
        put(objects, &key, &bytes(10)).await;
        let head = objects.head(&key).await.unwrap();
        for _ in 0..2 {
            objects.delete(&key).await.unwrap();
            assert!(matches!(objects.read(&key, &head, 0..10).await, Err(Error::NotFound)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_tenant_goes_and_nothing_of_another() {
    for store in stores().await {
        let objects = &store.objects;
        let of = |tenant_name: &str, name: &str| {
            ObjectKey::new(Collection::Results, &tenant(tenant_name), name).unwrap()
        };
        for name in ["a", "b", "c"] {
            put(objects, &of("a", name), &bytes(1)).await;
        }
        for other in ["aa", "b"] {
            put(objects, &of(other, "a"), &bytes(1)).await;
        }
        assert_eq!(objects.delete_all(Collection::Results, &tenant("a")).await.unwrap(), 3);
        assert_eq!(objects.delete_all(Collection::Results, &tenant("a")).await.unwrap(), 0);
        assert_eq!(objects.delete_all(Collection::Uploads, &tenant("b")).await.unwrap(), 0);
        for other in ["aa", "b"] {
            objects.head(&of(other, "a")).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_gets_bytes_of_two_objects() {
    for store in stores().await {
        let (objects, key) = (&store.objects, key("a"));
        put(objects, &key, &bytes(10)).await;
        let old = objects.head(&key).await.unwrap();
        put(objects, &key, &bytes(20)).await;
        let new = objects.head(&key).await.unwrap();
        assert_ne!(old.version, new.version);
        assert!(matches!(objects.read(&key, &old, 5..10).await, Err(Error::Replaced)), "{objects:?}");
        assert_eq!(objects.head(&key).await.unwrap(), new);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_comes_to_this_service_whatever_the_store_and_references_open_nothing() {
    for store in stores().await {
        let (objects, key) = (&store.objects, key("a.json"));
        let url = objects.upload_url(&key, 1024, Duration::from_secs(60)).unwrap();
        assert!(url.url.expose().starts_with("https://api.example/objects/results/tnt_a/a.json?expires="));
        let reference = objects.reference(&key);
        assert!(reference.ends_with("results/tnt_a/a.json") && !reference.contains('?'), "{reference}");
    }
}
