//! What holds for a directory alone.

use super::{Store, bytes, key};
use argus_core::Clock;
use argus_core::objects::{Error, ObjectSettings, Objects};
use argus_core::pepper::Pepper;
use futures::TryStreamExt;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_for_its_owner_alone_and_one_that_others_may_write_is_refused() {
    let store = Store::in_a_directory();
    let data = store.directory.path().join("data");
    let objects = data.join("objects");
    assert_eq!(objects.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    std::fs::set_permissions(&objects, std::fs::Permissions::from_mode(0o777)).unwrap();
    let pepper = Arc::new(Pepper::open(&data).unwrap());
    let error = Objects::open(&ObjectSettings::embedded(&data), pepper, Clock::system()).unwrap_err();
    assert!(error.to_string().contains("other users can write it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_an_error_that_says_why() {
    let store = Store::in_a_directory();
    // Where the tenant's directory would be.
    std::fs::write(store.directory.path().join("data/objects/results"), "").unwrap();
    for length in [10, 6 * 1024 * 1024] {
        let mut writer = store.objects.put(&key("a"));
        let written = writer.write(bytes(length)).await;
        let error = match written {
            Ok(()) => writer.finish().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, Error::Store(_)) && error.to_string().contains("os error"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_become_shorter_ends_the_reading_with_an_error() {
    let store = Store::in_a_directory();
    let key = key("a");
    let mut writer = store.objects.put(&key);
    writer.write(bytes(300_000)).await.unwrap();
    writer.finish().await.unwrap();
    let (_, blocks) = store.objects.open_object(&key).await.unwrap();
    let path = store.directory.path().join("data/objects").join(key.as_str());
    std::fs::File::options().write(true).open(path).unwrap().set_len(100_000).unwrap();
    assert!(blocks.try_for_each(async |_| Ok(())).await.is_err());
}
